"""Read-only handles on the embedded engine, and answers that stream through a pipe.

The engine streams only a few formats through its own interface; written INTO OUTFILE to a pipe it streams
them all, holds no more than a block, and stops for a slow reader:

    engine ──▶ /dev/fd/N (pipe) ──▶ read() ──▶ client

A handle costs a third of a millisecond, so each question gets its own, opened with its settings: readonly=1
then refuses every change, and nothing of one question is left for the next.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from sightline_collector.errors import StoreRefused
from sightline_collector.store.reads import Question, Summary, refusal_of

READ_BYTES = 1 << 18
_THREAD = "read"

QUICK = {
    # The pass hashes whole subtrees at every AND: a fifth of the time of a view as long as drift_metrics.
    "optimize_and_compare_chain": "0",
    # By default a question gets a thread for each GiB that is free: never two within our bound of memory.
    "max_threads_min_free_memory_per_thread": "0",
}
"""How the embedded engine reads. A server's own settings hold: it may refuse others."""

LOCKED = {
    "readonly": "1",
    "implicit_select": "0",
    "allow_introspection_functions": "0",
    **QUICK,
}
"""Nothing may be written, an expression is no statement, no stack traces; a question may say otherwise."""

EMPTY = "\0"
"""An empty setting as the engine's address carries it: read to the NUL, where nothing at all would be 1."""

OUR_OWN = {"max_query_size": str(8 << 20), "max_execution_time": "5"}
"""For our own questions about a statement: they quote it, so they are longer than it may be."""


class EmbeddedReads:
    """Read-only access to the engine in this process."""

    def __init__(self, path: Path, database: str) -> None:
        self._path = path
        self._database = database

    def _open(self, settings: Mapping[str, str]) -> Any:
        import chdb

        said = {**LOCKED, **settings, "database": self._database}
        spelled = urlencode({name: value or EMPTY for name, value in said.items()})
        try:
            return chdb.connect(f"{self._path}?{spelled}")  # type: ignore[no-untyped-call, unused-ignore]
        except RuntimeError as e:
            # A setting's value is none of its kind.
            raise refusal_of(str(e)) from None

    def text(self, sql: str, parameters: Mapping[str, str] | None = None) -> str:
        """The answer as unescaped text, without the last line's end. Raises StoreRefused."""
        handle = self._open(OUR_OWN)
        try:
            answer = handle.query(sql, "TSVRaw", params=dict(parameters or {}))
            return str(answer.bytes().decode(errors="replace").removesuffix("\n"))
        except RuntimeError as e:
            raise refusal_of(str(e)) from None
        finally:
            handle.close()

    def single_read(self, sql: str) -> bool:
        """The engine's own classification: one statement, and it only reads."""
        handle = self._open(OUR_OWN)
        try:
            # The public wrapper lacks it; chdb's own durable store calls it in the same way.
            report = handle._conn.classify_query(sql, self._database)
            return bool(report["query_class"].name == "READ_ONLY" and report["statement_count"] == 1)
        except RuntimeError:
            return False
        finally:
            handle.close()

    def stream(self, question: Question) -> EmbeddedStream:
        """Begin to answer on a handle of its own."""
        mark = uuid4().hex
        handle = self._open({**question.settings, "log_comment": mark})
        return EmbeddedStream(handle, question, self._stopper(mark))

    def _stopper(self, mark: str) -> Callable[[], None]:
        def stop() -> None:
            with suppress(StoreRefused):
                self.text(f"kill query where Settings['log_comment'] = '{mark}' async")

        return stop


class EmbeddedStream:
    """One statement that runs in a thread of its own and writes into a pipe."""

    def __init__(self, handle: Any, question: Question, stop: Callable[[], None]) -> None:
        self._handle = handle
        self._question = question
        self._stop = stop
        self._fault: Exception | None = None
        self._closed = False
        self._reading = Lock()
        self._reader, self._writer = os.pipe()
        self.summary = Summary()
        self._thread = Thread(target=self._run, name=_THREAD, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            done = self._ask()
            self.summary = Summary(
                read_rows=done.storage_rows_read(),
                read_bytes=done.storage_bytes_read(),
                result_rows=done.rows_read(),
                elapsed_ns=round(done.elapsed() * 1e9),
            )
        except Exception as e:
            self._fault = e
        finally:
            os.close(self._writer)
            self._handle.close()

    def _ask(self) -> Any:
        asked = self._question
        parameters = dict(asked.parameters)
        if asked.sql.startswith("EXPLAIN AST "):
            # It would take INTO OUTFILE for a part of what it explains, and say nothing.
            done = self._handle.query(asked.sql, asked.format, params=parameters)
            _write(self._writer, done.bytes())
            return done
        target = f"into outfile '/dev/fd/{self._writer}' truncate format {asked.format}"
        return self._handle.query(f"{asked.sql}\n{target}", params=parameters)

    def read(self) -> bytes:
        """The next bytes, b"" after the last. Raises StoreRefused."""
        with self._reading:
            chunk = b"" if self._closed else os.read(self._reader, READ_BYTES)
        if not chunk:
            self._thread.join()
            if self._fault is not None:
                raise refusal_of(str(self._fault)) from None
        return chunk

    def close(self) -> None:
        """Stop the statement if it still runs, and give everything back."""
        if self._thread.is_alive():
            self._stop()
        # A reader that waits is let go by the stopped statement; a statement that waits for a reader, by
        # the closed pipe.
        with self._reading:
            if self._closed:
                return
            self._closed = True
            os.close(self._reader)
        self._thread.join()


def statements_run() -> bool:
    """Whether a reader's statement runs in this process: what is slow within one block nothing interrupts."""
    return any(thread.name == _THREAD for thread in threading.enumerate())


def _write(file: int, data: bytes) -> None:
    """All of the data; to a pipe whose reader is gone, none."""
    rest = memoryview(data)
    with suppress(BrokenPipeError):
        while rest:
            rest = rest[os.write(file, rest) :]

"""The whole erasure of a subject: log, store, dead letters, then a search of all files, and a certificate.

::

    log ──flush──▶ store ──delete, old files gone──▶ dead letters written anew ──▶ search ──▶ certificate

What is received while it runs is not part of it: the certificate says until when.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from sightline_collector.access.erase import erase, known
from sightline_collector.access.search import Needles, Searched, search
from sightline_collector.access.subject import Subject, without
from sightline_collector.errors import LogClosed
from sightline_collector.receive.check import REQUESTS
from sightline_collector.store.durable import sync_all
from sightline_collector.store.engine import Engine
from sightline_collector.wal.dead_letter import DeadLetters, Letter
from sightline_collector.wal.segment import Entry, Record, frame, records

NOT_COVERED = [
    "backups and other copies that were made before",
    "what was received after received_before",
    "what senders hold: an SDK's queue and its spool folder, and the queues of collectors in between",
    "blocks that the file system has freed and not overwritten",
]
OF_SERVER = "the store is a server, whose files are its own: its rows were counted, its bytes not searched"


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def forget(
    engine: Engine,
    folder: Path,
    letters: DeadLetters,
    user: str,
    session: str,
    flushed_at: datetime,
    stopping: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Erases what was stored by `flushed_at` and says what was done. Blocking; raises a Fault, OSError."""
    subject = known(engine, user, session)
    tables = erase(engine, subject, partial(_pause, stopping))
    put_anew = _clean_letters(letters, subject)
    torn = _remove_torn(folder / "wal" / "torn", subject)
    sync_all(folder)  # a segment let go or a part that a power cut brings back would be stored again
    searched = Searched()
    found = list(search(folder, Needles(subject), searched))
    certificate = {
        "subject_sha256": subject.digest,
        "of": "a session of a user" if session else "a user",
        "received_before": flushed_at.isoformat(),
        "finished_at": utc_now().isoformat(),
        "sightline": version("sightline"),
        "store": str(engine.url),
        "traces": len(subject.traces),
        "tables": [asdict(table) for table in tables],
        "dead_letters": put_anew,
        "damaged_pieces_of_the_log": torn,
        "search": {
            **asdict(searched),
            "what": "the id and the ids of their traces, in every file of the data folder, compressed or not",
            "found": [asdict(one) for one in found],
            **({} if engine.embedded else {"store": OF_SERVER}),
        },
        "not_covered": NOT_COVERED,
        "complete": not found and not any(table.left for table in tables),
    }
    return {**certificate, "sha256": digest(certificate)}


def _pause(stopping: Callable[[], bool], seconds: float) -> None:
    if stopping():
        raise LogClosed("The collector is stopping", hint="ask again once it runs: what is erased stays so")
    time.sleep(seconds)


def digest(certificate: dict[str, Any]) -> str:
    """SHA-256 of a certificate without its own: of its JSON with sorted keys and no spaces."""
    said = {name: value for name, value in certificate.items() if name != "sha256"}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _clean_letters(letters: DeadLetters, subject: Subject) -> dict[str, int]:
    done = {"searched": 0, "changed": 0, "removed": 0, "items": 0}
    for letter in letters.letters():
        done["searched"] += 1
        framed = letters.read(letter)
        whole = records(framed)
        gone, left = _cleaned(letter, framed, whole[0], subject) if whole else (0, b"")
        if whole and not gone:
            continue
        if left:
            letters.put(letter.signal, left, records(left)[0], letter.why, letter.code)
        letters.drop(letter)
        done["changed" if left else "removed"] += 1
        done["items"] += gone
    return done


def _cleaned(letter: Letter, framed: bytes, record: Record, subject: Subject) -> tuple[int, bytes]:
    """How many items of a letter are the subject's; the letter without them, b"" when it has no others."""
    try:
        request = REQUESTS[letter.signal].FromString(bytes(record.body(framed)))
    except DecodeError:
        return record.items, b""
    gone = without(request, letter.signal, subject)
    body = request.SerializeToString()
    if not gone or not body:
        return gone, b""
    entry = Entry(body, max(0, record.items - gone), record.project, record.received_at_ns)
    length, trailer = frame(entry, record.batch, record.writer)
    return gone, length + body + trailer


def _remove_torn(folder: Path, subject: Subject) -> dict[str, int]:
    """What was cut off the log is no request any more: a piece that holds the subject goes as a whole."""
    needles = Needles(subject)
    pieces = [path for path in folder.glob("*") if path.is_file()] if folder.is_dir() else []
    theirs = [path for path in pieces if any(needles.within(path.read_bytes(), raw=True))]
    for path in theirs:
        path.unlink()
    return {"searched": len(pieces), "removed": len(theirs)}

"""A disk that refuses every write while a collector runs, and takes them again."""

from __future__ import annotations

import resource
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError

from collector.operate.conftest import Command
from collector_process import CollectorProcess
from remembered_load import SPANS, request_template


@contextmanager
def refusing(collector: CollectorProcess) -> Iterator[None]:
    """The operating system refuses to make a file of the collector longer: to it, a full disk."""
    limits = resource.prlimit(collector.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(collector.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.prlimit(collector.pid, resource.RLIMIT_FSIZE, limits)


def answer(url: str, body: bytes | None = None) -> tuple[int, str]:
    """Status and text."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/x-protobuf"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read().decode()
    except HTTPError as e:
        with e:
            return e.code, e.read().decode(errors="replace")


def test_it_is_told_everywhere_and_nothing_is_lost(collector: CollectorProcess, sightline: Command) -> None:
    """Not ready, refused so that senders retry, a failure of the doctor; then all is as before, by itself."""
    body = request_template(time.time_ns()).replace(b"\xfa" * 16, b"\x0d" * 16)
    with refusing(collector):
        assert answer(f"{collector.http}/readyz")[0] == 503
        assert "The log cannot be written" in answer(f"{collector.http}/readyz")[1]
        assert answer(f"{collector.http}/healthz")[0] == 200
        assert answer(f"{collector.otlp}/v1/traces", body)[0] == 503
        code, out, _ = sightline("doctor")
        assert code == 1
        assert "fail  disk           " in out
    assert answer(f"{collector.http}/readyz")[0] == 200
    assert answer(f"{collector.otlp}/v1/traces", body)[0] == 200
    collector.flush()
    stored = collector.ask(f"select count() as n from spans where trace_id = '{'0d' * 16}'")
    assert stored == [{"n": SPANS}]
    assert sightline("doctor")[0] == 0

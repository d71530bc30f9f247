"""One collector for what operators do to it, with requests that its store had refused before."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from collector.operate.logs import SPANS, traces
from collector_process import CollectorProcess

from sightline_collector.cli import main
from sightline_collector.health import Health
from sightline_collector.wal import segment
from sightline_collector.wal.dead_letter import DeadLetters
from sightline_collector.wal.segment import Entry, Signal

Command = Callable[..., tuple[int, str, str]]
PUT_NS = 1_790_000_000_000_000_000
LETTERS = 4


@pytest.fixture(scope="package")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """A running collector that found LETTERS dead letters in its folder; some tests take some away."""
    folder = tmp_path_factory.mktemp("operated") / "data"
    put_aside(DeadLetters(folder / "dead-letter", Health(), clock_ns=count(PUT_NS).__next__))
    flags = ("--segment-age-s", "1", "--keep-content-days", "30,shop=7", "--store-gb", "1")
    with CollectorProcess(folder, *flags) as process:
        process.start()
        yield process
        assert process.stop() == 0


def put_aside(letters: DeadLetters, code: int = 407) -> None:
    """Requests of traces, numbered from 1, each in a batch of its own number."""
    for number in range(1, LETTERS + 1):
        entry = Entry(traces(number), SPANS, "default", PUT_NS)
        head, trailer = segment.frame(entry, number, "5eed" * 8)
        framed = head + entry.body + trailer
        letters.put(Signal.TRACES, framed, segment.records(framed)[0], "Decimal overflow", code)


@pytest.fixture
def sightline(
    collector: CollectorProcess, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Runs a subcommand against the collector: exit code, output, errors."""
    monkeypatch.setattr(sys, "argv", ["/nowhere/sightline"])

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--url", collector.http])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run

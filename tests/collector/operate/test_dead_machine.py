"""A machine that died with acknowledged spans in its log: they are seen, and stored by another collector."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector.operate.conftest import Command
from collector_process import CollectorProcess, sightline_apart, wait_until
from remembered_load import SPANS, RememberedLoad

from sightline_collector.cli import main


@pytest.fixture(scope="module")
def dead(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, set[str]]]:
    """Its data folder, and the trace ids that it had acknowledged and not stored when it was killed."""
    folder = tmp_path_factory.mktemp("dead") / "data"
    with CollectorProcess(folder, "--segment-age-s", "60") as process:
        process.start()
        load = RememberedLoad(process.otlp, threads=2)
        load.start()
        wait_until(lambda: len(load.acknowledged) > 20)
        process.kill()
        load.stop()
        yield folder, load.acknowledged


def test_inspect_tells_what_is_not_stored(dead: tuple[Path, set[str]]) -> None:
    """--stored asks the embedded store beside the log, which no collector uses any more."""
    folder, acknowledged = dead
    said = sightline_apart("wal", "inspect", str(folder), "--stored", "--format", "json")
    rows = json.loads(said.stdout)
    assert {row["stored"] for row in rows} == {"no"}
    assert sum(row["items"] for row in rows) >= len(acknowledged) * SPANS


def test_what_was_acknowledged_arrives_once(
    dead: tuple[Path, set[str]], collector: CollectorProcess, sightline: Command
) -> None:
    """Replayed, even twice, every acknowledged request has all its spans in the other collector's store."""
    folder, acknowledged = dead
    for _ in range(2):
        assert main(["wal", "replay", str(folder), "--to", collector.otlp]) == 0
    collector.flush()
    rows = collector.ask("select trace_id, count() as n from spans group by trace_id")
    held = {row["trace_id"]: row["n"] for row in rows}
    assert acknowledged <= held.keys()
    assert {held[trace] for trace in acknowledged} == {SPANS}
    assert sightline("doctor")[0] == 0


def test_a_collector_in_use_is_no_dead_machine(collector: CollectorProcess) -> None:
    """The folder of a running collector is not replayed, and its store not opened."""
    assert main(["wal", "replay", str(collector.folder), "--to", collector.otlp]) == 1
    assert main(["wal", "inspect", str(collector.folder), "--stored"]) == 1

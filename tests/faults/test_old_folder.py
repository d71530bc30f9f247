"""Data folders that earlier versions have left: store, log and dead letters are taken as they are."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from shutil import copy

import pytest
from collector_process import CollectorProcess
from faults.killing import FLAGS
from faults.old_folder import ASKED, FOLDERS, OLD, WAITING, unpack
from faults.oracle import caught_up, miscounted
from faults.sender import Sender
from remembered_load import SPANS

LEFT = Path(__file__).parent / "old_log"
"""As an earlier version of the log was left by kill -9: three requests of two spans, in an open segment."""
REMADE = "python tests/faults/old_folder.py"
LEFT_TRACES = [f"{number:032x}" for number in (1, 2, 3)]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("archive", sorted(FOLDERS.glob("*.tar.xz")), ids=lambda path: path.name)
def test_a_folder_of_an_earlier_version_is_taken_as_it_was_left(tmp_path: Path, archive: Path) -> None:
    """Its store answers as before, its log is stored once by its own names, its dead letters are listed, and
    new spans go beside the old ones."""
    folder = tmp_path / "data"
    answered = unpack(archive, folder)
    (segment,) = LEFT.glob("*.open")
    copy(segment, folder / "wal")
    with CollectorProcess(folder, *FLAGS) as collector:
        try:
            collector.start()
        except RuntimeError as e:
            pytest.fail(f"{e}\nA migration is missing; before {archive.name} is released: {REMADE}")
        sender = Sender(collector, sent=0xC0)
        assert sender.send().status == 200
        caught_up(collector)
        rows = collector.ask("select trace_id, count() as n from spans group by trace_id")
        assert {row["trace_id"]: row["n"] for row in rows} == {
            **dict.fromkeys(LEFT_TRACES, 2),
            **dict.fromkeys(OLD[1:-1], SPANS),
            OLD[0]: 2 * SPANS,
            **dict.fromkeys([*WAITING, *sender.acknowledged], SPANS),
        }
        assert miscounted(collector) == ""
        assert {name: collector.ask(sql) for name, sql in ASKED.items()} == answered
        assert _batches_by_writer(collector) == {(LEFT / "writer").read_text().strip(): [1]}
        with urllib.request.urlopen(f"{collector.http}/api/dead-letters", timeout=30) as answer:
            assert len(json.load(answer)["dead_letters"]) == 1
        assert not list((folder / "wal").glob("traces-*"))
        assert int((folder / "wal" / "next-batch").read_text()) > int((LEFT / "next-batch").read_text())
        assert collector.stop() == 0


def _batches_by_writer(collector: CollectorProcess) -> dict[str, list[int]]:
    """Of the oldest log: its records name who wrote them, not whose folder they lie in now."""
    rows = collector.ask(
        "select writer, groupUniqArray(batch) as batches from spans"
        f" where trace_id in ({str(LEFT_TRACES)[1:-1]}) group by writer"
    )
    return {row["writer"]: row["batches"] for row in rows}

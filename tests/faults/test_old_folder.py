"""A data folder that an earlier version has left: its log is read as it is."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

from collector_process import CollectorProcess
from faults.made import made_folder

LEFT = Path(__file__).parent / "old_log"
"""As an earlier version of the log was left by kill -9: three requests of two spans, in an open segment."""


def test_a_log_that_an_earlier_version_left_is_stored_under_its_own_name(tmp_path: Path) -> None:
    """Each request is there once, by its writer and number; new numbers are higher."""
    folder = made_folder(tmp_path / "data")
    copytree(LEFT, folder / "wal")
    with CollectorProcess(folder) as collector:
        collector.start()
        collector.flush()
        rows = collector.ask(
            "select trace_id, count() as n, any(writer) as writer, any(batch) as batch from spans"
            " group by trace_id order by trace_id"
        )
        writer = (LEFT / "writer").read_text().strip()
        assert rows == [
            {"trace_id": f"{number:032x}", "n": 2, "writer": writer, "batch": 1} for number in (1, 2, 3)
        ]
        assert not list((folder / "wal").glob("traces-*"))
        assert int((folder / "wal" / "next-batch").read_text()) > int((LEFT / "next-batch").read_text())
        assert collector.stop() == 0

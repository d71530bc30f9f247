"""`sightline backup` while traffic flows, and what comes back from it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from collector.operate.conftest import Command
from collector_process import CollectorProcess, sightline_apart, wait_until
from remembered_load import SPANS, RememberedLoad

from sightline_collector.cli import main
from sightline_collector.operate.backup import MANIFEST
from sightline_collector.wal.folder import OWNERS_ONLY

SUMS = "select count() as n, sum(cost_usd) as cost, sum(input_tokens) as tokens from {source}"


@pytest.fixture(scope="module")
def before() -> set[str]:
    """Trace ids that were acknowledged before the backup began."""
    return set()


@pytest.fixture(scope="module")
def load(collector: CollectorProcess) -> RememberedLoad:
    """The traffic: other tests have sent requests of other sizes to the same collector."""
    return RememberedLoad(collector.otlp, threads=1, pause_s=0.01)


@pytest.fixture(scope="module")
def backup(collector: CollectorProcess, load: RememberedLoad, before: set[str]) -> Path:
    """A backup that was taken while traffic flowed, which had flowed before."""
    folder = collector.folder.parent / "backup"
    load.start()
    wait_until(lambda: len(load.acknowledged) > 50)
    collector.flush()
    wait_until(lambda: '_waiting_segments{signal="traces"} 0.0' not in collector.metrics())
    before |= load.acknowledged
    code = main(["backup", str(folder), "--url", collector.http])
    load.stop()
    assert code == 0
    assert len(load.acknowledged) > len(before)
    return folder


@pytest.fixture
def copied(backup: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoiled; of its tables only that of spans."""
    said = manifest(backup)
    said["tables"] = [table for table in said["tables"] if table["name"] == "spans_v1"]
    shutil.copytree(backup / "tables" / "spans_v1", tmp_path / "copy" / "tables" / "spans_v1")
    (tmp_path / "copy" / MANIFEST).write_text(json.dumps(said))
    return tmp_path / "copy"


def manifest(folder: Path) -> dict[str, Any]:
    """What a backup says of itself."""
    return dict(json.loads((folder / MANIFEST).read_text()))


def test_all_that_was_acknowledged_comes_back_once(
    backup: Path, load: RememberedLoad, before: set[str], tmp_path: Path
) -> None:
    """A collector on the restored folder has every request of before with all its spans, none twice."""
    assert sightline_apart("restore", str(backup), "--store", f"chdb:{tmp_path / 'new'}").returncode == 0
    with CollectorProcess(tmp_path / "new") as restored:
        restored.start()
        restored.flush()
        rows = restored.ask("select trace_id, count() as n from spans group by trace_id")
        held = {row["trace_id"]: row["n"] for row in rows if row["trace_id"] in load.acknowledged}
        assert before <= held.keys()
        assert set(held.values()) == {SPANS}
        by_roll_up = restored.ask(SUMS.format(source="spans"))
        by_rows = restored.ask(SUMS.format(source="(select * from spans where span_id != '')"))
        assert by_roll_up == by_rows
        assert by_rows[0]["n"] == sum(row["n"] for row in rows)
        letters = sorted(path.name for path in (backup / "dead-letter").iterdir())
        assert sorted(path.name for path in (tmp_path / "new" / "dead-letter").iterdir()) == letters
        assert restored.stop() == 0


def test_a_backup_says_what_it_holds(backup: Path) -> None:
    """Rows of each table, segments and dead letters, and the engine that wrote them; to its owner alone."""
    assert backup.stat().st_mode & 0o777 == OWNERS_ONLY
    said = manifest(backup)
    rows = {table["name"]: table["rows"] for table in said["tables"]}
    assert rows["spans_v1"] > 50 * SPANS
    assert said["segments"] == len(list((backup / "wal").iterdir())) > 0
    assert said["dead_letters"] == len(list((backup / "dead-letter").glob("*.otlp")))
    assert said["size_bytes"] == sum(
        f.stat().st_size for f in backup.rglob("*") if f.is_file() and f.name != MANIFEST
    )


def test_nothing_is_left_in_the_collectors_folder(backup: Path, collector: CollectorProcess) -> None:
    """The snapshot that was copied is gone: it keeps no disk space, and its gauge says so."""
    assert backup.exists()
    assert not (collector.folder / "snapshots").exists()
    assert list((collector.folder / "store" / "shadow").glob("backup_*")) == []
    assert "sightline_snapshot_age_seconds 0.0" in collector.metrics()


def test_a_folder_with_something_in_it_is_refused(backup: Path, sightline: Command, tmp_path: Path) -> None:
    """Neither a backup nor a restore writes into what is there already."""
    (tmp_path / "file").touch()
    for arguments in (["backup", str(tmp_path)], ["backup", str(tmp_path / "file")]):
        code, _, said = sightline(*arguments)
        assert (code, "is there already" in said) == (1, True)
    assert main(["restore", str(backup), "--store", f"chdb:{tmp_path}"]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_one_at_a_time(backup: Path, collector: CollectorProcess, sightline: Command, tmp_path: Path) -> None:
    """While one is copied another is refused with what to do, and nothing of the first is touched."""
    from sightline_collector.commands.asking import Collector

    running = Collector(collector.http)
    taken = running.call("POST", "/api/snapshots", {})
    code, _, said = sightline("backup", str(tmp_path / "second"))
    assert (code, "is being copied" in said) == (1, True)
    folders = [Path(table["folder"]) for table in taken["tables"] if table["rows"]]
    assert folders != []
    assert [folder for folder in folders if not folder.is_dir()] == []
    running.call("DELETE", f"/api/snapshots/{taken['name']}", {})
    assert sightline("backup", str(tmp_path / "third"))[0] == 0


def test_a_backup_that_was_cut_short_is_none(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the file that is written last nothing is restored."""
    (copied / MANIFEST).unlink()
    assert main(["restore", str(copied), "--store", f"chdb:{tmp_path / 'new'}"]) == 1
    assert "is no whole backup" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_flipped_byte_is_found(copied: Path, tmp_path: Path) -> None:
    """The engine's checksums are checked: a backup that its disk has changed is not restored as if whole."""
    largest = max((copied / "tables" / "spans_v1").rglob("data.bin"), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)
    said = sightline_apart("restore", str(copied), "--store", f"chdb:{tmp_path / 'new'}")
    assert said.returncode == 1
    assert "spans_v1 is damaged" in said.stderr
    assert not (tmp_path / "new").exists()


def test_rows_that_are_missing_are_found(copied: Path, tmp_path: Path) -> None:
    """A table with fewer rows than were copied is an error with both numbers."""
    part = next((copied / "tables" / "spans_v1").iterdir())
    shutil.rmtree(part)
    said = sightline_apart("restore", str(copied), "--store", f"chdb:{tmp_path / 'new'}")
    assert said.returncode == 1
    assert re.search(r"spans_v1 has \d+ rows, \d+ were copied", said.stderr)

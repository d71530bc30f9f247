"""`sightline backup` while traffic flows, and what comes back from it."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from collector.access.keeping_keys import Kept
from collector.operate.conftest import Command
from collector_process import CollectorProcess, sightline_apart, wait_until
from remembered_load import SPANS, RememberedLoad

from sightline_collector.access.gate import Gate
from sightline_collector.access.key import Scope
from sightline_collector.cli import main
from sightline_collector.operate.backup import MANIFEST
from sightline_collector.operate.copying import copy_file
from sightline_collector.wal.folder import OWNERS_ONLY, RESTORING

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
    said["files"] = {}
    shutil.copytree(backup / "tables" / "spans_v1", tmp_path / "copy" / "tables" / "spans_v1")
    (tmp_path / "copy" / MANIFEST).write_text(json.dumps(said))
    return tmp_path / "copy"


def manifest(folder: Path) -> dict[str, Any]:
    """What a backup says of itself."""
    return dict(json.loads((folder / MANIFEST).read_text()))


@pytest.fixture
def keyed(backup: Path, tmp_path: Path) -> Path:
    """A copy of it, as if a key had been made before."""
    shutil.copytree(backup, tmp_path / "keyed")
    kept, said = Kept(tmp_path), manifest(backup)
    kept.add(Scope.INGEST)
    said |= {
        "keys": 1,
        "files": said["files"] | {kept.path.name: copy_file(kept.path, tmp_path / "keyed" / kept.path.name)},
    }
    (tmp_path / "keyed" / MANIFEST).write_text(json.dumps(said))
    return tmp_path / "keyed"


def test_all_that_was_acknowledged_comes_back_once(
    keyed: Path, backup: Path, load: RememberedLoad, before: set[str], tmp_path: Path
) -> None:
    """A collector on the restored folder has every request of before with all its spans, none twice; where
    keys were asked for they are again, until they are taken away on purpose."""
    said = sightline_apart("restore", str(keyed), "--store", f"chdb:{tmp_path / 'new'}")
    assert (said.returncode, said.stderr) == (0, "")
    assert "its keys are those of then" in said.stdout
    assert Gate(tmp_path / "new" / "keys.json").shut
    for file in (tmp_path / "new").glob("keys*"):
        file.unlink()
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
    others = {
        str(path.relative_to(backup)) for name in ("wal", "dead-letter") for path in (backup / name).iterdir()
    }
    assert said["files"].keys() == others
    assert [name for name in others if name.endswith(".segment")] != []
    assert said["keys"] == 0
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


def test_a_file_that_is_missing_or_changed_is_found(
    backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of segments and dead letters each byte is compared: with one flipped or a file gone nothing is made."""
    for name in ("wal", MANIFEST):
        (shutil.copytree if (backup / name).is_dir() else shutil.copyfile)(backup / name, tmp_path / name)
    segment = next((tmp_path / "wal").iterdir())
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    assert main(["restore", str(tmp_path), "--store", f"chdb:{tmp_path / 'new'}"]) == 1
    assert re.search(r"wal/\S+ is damaged|dead-letter/\S+ is missing", capsys.readouterr().err)
    segment.unlink()
    assert main(["restore", str(tmp_path), "--store", f"chdb:{tmp_path / 'new'}"]) == 1
    assert re.search(r"(wal|dead-letter)/\S+ is missing", capsys.readouterr().err)
    assert not (tmp_path / "new").exists()


def test_half_a_restore_is_no_data_folder(copied: Path, tmp_path: Path) -> None:
    """After kill -9 no collector starts on it; the next begins anew; told to end, it leaves nothing."""
    new = tmp_path / "new"

    def begun() -> subprocess.Popen[bytes]:
        program = [sys.executable, "-m", "sightline_collector.cli", "restore", str(copied)]
        restoring = subprocess.Popen([*program, "--store", f"chdb:{new}"])
        ours = str(restoring.pid)
        wait_until(lambda: (new / "lock").exists() and (new / "lock").read_text() == ours)
        wait_until(lambda: (new / "store" / "data" / "sightline").is_dir())
        return restoring

    killed = begun()
    killed.kill()
    killed.wait()
    assert (new / RESTORING).exists()
    said = sightline_apart(
        "up", "--store", f"chdb:{new}", "--http-port", "0", "--otlp-http-port", "0", "--otlp-grpc-port", "0"
    )
    assert said.returncode == 1
    assert "is only a part of a backup" in said.stderr
    ended = begun()
    ended.send_signal(signal.SIGTERM)
    assert ended.wait(60) == 128 + signal.SIGTERM
    assert not new.exists()


def test_rows_that_are_missing_are_found(copied: Path, tmp_path: Path) -> None:
    """A table with fewer rows than were copied is an error with both numbers."""
    part = next((copied / "tables" / "spans_v1").iterdir())
    shutil.rmtree(part)
    said = sightline_apart("restore", str(copied), "--store", f"chdb:{tmp_path / 'new'}")
    assert said.returncode == 1
    assert re.search(r"spans_v1 has \d+ rows, \d+ were copied", said.stderr)

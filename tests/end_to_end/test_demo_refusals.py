"""What the demo says when a stage of it cannot come to its end."""

import os
import subprocess
import sys
from contextlib import ExitStack
from io import StringIO
from pathlib import Path

import pytest
from migrated_stores import MigratedFolder
from rich.console import Console

from sightline_collector.demo.data_folder import clear
from sightline_collector.demo.options import Options
from sightline_collector.demo.processes import DemoFailed, collector, model_server, sightline_command
from sightline_collector.demo.run import run
from sightline_collector.demo.stages import Stages

NOBODY = "http://127.0.0.1:9/v1"


def test_a_folder_that_cannot_be_written_ends_it_with_what_to_do(tmp_path: Path) -> None:
    """The message names the folder."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DemoFailed, match="cannot be made"), collector(tmp_path / "file" / "demo", os.environ):
        pass


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path) -> None:
    """The demo makes its folder anew, but only a folder of its own; the exit code is 1."""
    (tmp_path / "thesis.txt").write_text("years of work")
    demo = [sys.executable, "-m", "sightline_collector.cli", "demo", "--folder", str(tmp_path)]
    done = subprocess.run(demo, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    said = " ".join(done.stdout.split())  # lines are as long as a terminal, and the folder's name differs
    assert (done.returncode, "holds something else" in said) == (1, True), done.stdout
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_model_without_a_provider_is_refused(tmp_path: Path) -> None:
    """The stand-in plays its own models alone: it says what to set, before anything is cleared or begun."""
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "collector.log").write_text("of the last demo")
    said = StringIO()
    assert run(Options(folder, model="my-own"), {}, Console(file=said, width=200)) == 1
    assert "cannot play my-own: set OPENAI_BASE_URL" in said.getvalue()
    assert (folder / "collector.log").read_text() == "of the last demo"


def test_a_folder_that_a_collector_uses_is_left_alone(tmp_path: Path, migrated: MigratedFolder) -> None:
    """Data is not taken away from under a collector that was started on it."""
    migrated.copy(tmp_path / "store")
    with collector(tmp_path, os.environ) as ready:
        ready()
        with pytest.raises(DemoFailed, match="a collector runs on"):
            clear(tmp_path)
    clear(tmp_path)
    assert not tmp_path.exists()


def test_a_folder_that_is_empty_or_not_there_is_fine(tmp_path: Path) -> None:
    """The first demo has nothing to clear."""
    clear(tmp_path)
    clear(tmp_path / "new")
    assert tmp_path.is_dir()


def test_a_collector_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    """Its last words are in the message, and so is the file with all of them."""
    wrong = dict(os.environ) | {"SIGHTLINE_LOG_GB": "-1"}
    with (
        pytest.raises(DemoFailed, match=r"(?s)did not start.*collector\.log.*log_gb"),
        collector(tmp_path, wrong) as ready,
    ):
        ready()


def test_a_server_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    """A wrong flag is in the message."""
    with (
        pytest.raises(DemoFailed, match=r"(?s)stand-in model server did not start.*unrecognized"),
        model_server(tmp_path, os.environ, ["--no-such-flag"]),
    ):
        pass


def test_a_command_that_fails_is_quoted() -> None:
    """The command's own words say what is wrong."""
    with pytest.raises(DemoFailed, match="budget set"):
        sightline_command(["budget", "set", "--usd", "nothing"], os.environ)


def test_a_provider_that_does_not_answer_is_named(
    tmp_path: Path, migrated: MigratedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what to check: the address, and the model that was asked for there."""
    monkeypatch.setenv("OPENAI_BASE_URL", NOBODY)
    migrated.copy(tmp_path / "store")
    stages = Stages(Options(tmp_path), os.environ, Console(file=StringIO()))
    with ExitStack() as running:
        ready = running.enter_context(collector(tmp_path, os.environ))
        with pytest.raises(DemoFailed) as failed:
            stages.run(ready, running)
    assert f"no visit was answered. Does {NOBODY}/ serve gpt-4o-mini?" in str(failed.value)


def test_what_was_started_is_stopped(tmp_path: Path) -> None:
    """No process outlives the block that started it."""
    with model_server(tmp_path, os.environ, []) as url:
        port = url.split(":")[2].split("/")[0]
    probe = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode == 1

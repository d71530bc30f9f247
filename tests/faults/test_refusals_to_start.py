"""What a collector says when it cannot start: the cause, and what to do. Nothing is left running."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from collector_process import CollectorProcess

from sightline_collector.errors import FolderUnusable
from sightline_collector.store.engine import Engine
from sightline_collector.store.url import DEFAULT_DATABASE, StoreUrl


def said_on_failure(collector: CollectorProcess) -> str:
    """The output of a collector that must not start."""
    with collector:
        collector.launch()
        assert collector.wait() == 1
        return collector.output


def test_a_second_collector_on_the_folder_is_refused(tmp_path: Path) -> None:
    """Two collectors never share a folder; the first one is not disturbed."""
    with CollectorProcess(tmp_path / "data") as first:
        first.start()
        second = CollectorProcess(tmp_path / "other", "--store", f"chdb:{tmp_path / 'data'}")
        said = said_on_failure(second)
        assert "is in use by another collector, process" in said
        assert "a data folder of its own" in said
        apart = CollectorProcess(
            tmp_path / "third", "--store", f"chdb:{tmp_path / 'data'}", "--data", str(tmp_path / "third")
        )
        assert f"{tmp_path / 'data'} is in use by another collector" in said_on_failure(apart)
        assert first.ask("select 1 as one") == [{"one": 1}]
        assert first.stop() == 0


def test_a_copy_that_followed_links_is_told(tmp_path: Path) -> None:
    """A store copied with its links followed cannot be opened: it says so, and how to copy it."""
    (tmp_path / "data" / "store" / "data" / "sightline" / "spans_v1").mkdir(parents=True)
    url = StoreUrl(tmp_path / "data" / "store", "", 0, "", "", DEFAULT_DATABASE, secure=False)
    with pytest.raises(FolderUnusable, match=r"was copied with its links followed.*cp -a"):
        Engine(url)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """The error names the listener, the port, who has it and the flag, before anything is opened."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = said_on_failure(CollectorProcess(tmp_path / "data", "--http-port", str(port)))
    said, hint = said.splitlines()
    assert said.startswith(f"sightline: SQL and health cannot listen on 127.0.0.1:{port}: ")
    assert "ss -ltnp" in hint
    assert "--http-port" in hint
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file where the folder should be is an error that names it."""
    (tmp_path / "data").write_text("not a folder")
    said = said_on_failure(CollectorProcess(tmp_path / "data"))
    assert str(tmp_path / "data") in said
    assert "Traceback" not in said


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A place where nobody may write, not even root, is an error that names it."""
    said = said_on_failure(CollectorProcess(tmp_path / "data", "--store", "chdb:/sys/sightline"))
    assert "/sys/sightline" in said
    assert "cannot be used" in said
    assert "Traceback" not in said


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    """Configuration is checked before anything is opened."""
    said = said_on_failure(CollectorProcess(tmp_path / "data", "--segment-age-s", "soon"))
    assert "--segment-age-s (from a flag)" in said
    assert not (tmp_path / "data").exists()

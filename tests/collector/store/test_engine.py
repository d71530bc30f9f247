"""What opening the embedded engine brings into the process."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sightline_collector.errors import FolderUnusable, StoreUnreachable
from sightline_collector.store.engine import READERS, Engine
from sightline_collector.store.url import parse_store_url

OPEN = """
import sys
from sightline_collector.store.engine import Engine
from sightline_collector.store.url import parse_store_url
engine = Engine(parse_store_url(f"chdb://{sys.argv[1]}"))
assert engine.value("select 1 + 1") == 2
engine.close()
print(*({"numpy", "pyarrow", "pandas"} & set(sys.modules)))
import pyarrow
"""


def test_the_engine_comes_without_the_data_frame_libraries(tmp_path: Path) -> None:
    """They are installed and can be imported later, but a collector does not pay for them."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", ["a*", "{a,b}"])
def test_a_folder_that_reads_as_a_pattern_is_refused(tmp_path: Path, name: str) -> None:
    """The engine would take such a path for many files; the message says what to do."""
    with pytest.raises(FolderUnusable, match="pattern of names") as refused:
        Engine(parse_store_url(f"chdb://{tmp_path}/{name}"))
    assert "without any of" in refused.value.hint
    assert not list(tmp_path.iterdir())


def test_a_folder_behind_a_link_answers_everyone(engine: Engine, tmp_path: Path) -> None:
    """Whatever name it was opened by, all handles use one: the engine refuses a second name of its folder."""
    assert engine.url.path
    (tmp_path / "link").symlink_to(engine.url.path.parent)
    linked = Engine(replace(engine.url, path=tmp_path / "link" / engine.url.path.name))
    linked.answers()
    assert linked.url == engine.url
    linked.close()


def test_what_a_merge_makes_is_on_the_disk_before_its_sources_go(engine: Engine) -> None:
    """The embedded engine deletes at once what it merged, so it syncs what came of it, of one row, too."""
    told = "select value from system.merge_tree_settings where name = {name:String}"
    assert engine.value(told, {"name": "old_parts_lifetime"}) == "0"
    assert engine.value(told, {"name": "min_rows_to_fsync_after_merge"}) == "1"


def test_a_closed_store_says_so(engine: Engine) -> None:
    """Who asks then is told, and does not wait for a handle that never comes; closed twice is closed."""
    closed = Engine(engine.url)
    assert closed.value("select 1") == 1
    closed.close()
    for _ in range(2):
        with pytest.raises(StoreUnreachable, match="is closed"):
            closed.value("select 1")
    closed.close()
    assert engine.value("select 1") == 1


def test_questions_one_after_the_other_open_one_handle(engine: Engine) -> None:
    """To open a handle takes longer than most questions: another one is opened for a question meanwhile."""
    with engine.reader() as first, engine.reader() as meanwhile:
        assert meanwhile is not first
    for _ in range(READERS):
        with engine.reader() as again:
            assert again in (first, meanwhile)

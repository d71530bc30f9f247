"""What hints call the program: what its user can type."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sightline_collector.commands.program import as_called, program


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in an environment that the shell does not search; the working directory is above it."""
    path = tmp_path / "project" / ".venv" / "bin" / "sightline"
    path.parent.mkdir(parents=True)
    path.touch(mode=0o755)
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(path.with_name("python")))
    return path


def test_a_program_off_the_path_is_called_by_its_path(installed: Path) -> None:
    """Below the working directory the path is relative, however it was spelled; as with `python -m`."""
    for called in (".venv/bin/sightline", str(installed), "sightline_collector/cli.py"):
        assert program([called]) == ".venv/bin/sightline"


def test_from_elsewhere_the_path_is_whole(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no relative path is short, the absolute one is shown."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert program([str(installed)]) == str(installed)


def test_a_program_on_the_path_has_its_bare_name(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shell finds needs no path; another program of that name on the path is not taken for it."""
    monkeypatch.setenv("PATH", str(installed.parent))
    assert program([str(installed)]) == "sightline"
    other = installed.parents[2] / "sightline"
    other.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(other.parent))
    assert program([str(installed)]) == ".venv/bin/sightline"


def test_a_program_that_is_not_installed_has_its_name(installed: Path) -> None:
    """Without an installed command the hint names it all the same."""
    installed.unlink()
    assert program(["sightline_collector/cli.py"]) == "sightline"


def test_commands_in_hints_are_spelled_for_the_user(installed: Path) -> None:
    """Each command of ours in a text becomes what to type; words that are no command stay."""
    assert as_called("start `sightline up` or `sightline sql`; sightline is `sightline`") == (
        "start `.venv/bin/sightline up` or `.venv/bin/sightline sql`; sightline is `sightline`"
    )

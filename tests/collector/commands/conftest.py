"""A collector's port, and the command line against it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest
from collector.gateway.serving import Port, serving

from sightline_collector.cli import main
from sightline_collector.store.engine import Engine

Command = Callable[..., tuple[int, str, str]]
"""Exit code, output and errors of a subcommand."""


@pytest.fixture
def called_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hints name the program as one that the shell finds: test_program.py says what else they may do."""
    monkeypatch.setattr(sys, "argv", ["/nowhere/sightline"])


@pytest.fixture(scope="module")
def port(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """The gateway of the module's store."""
    with serving(engine, tmp_path_factory.mktemp("gateway")) as opened:
        yield opened


@pytest.fixture
def sightline(port: Port, capfd: pytest.CaptureFixture[str], called_by_name: None) -> Command:
    """Runs a subcommand against the port: exit code, output, errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--url", port.url])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run

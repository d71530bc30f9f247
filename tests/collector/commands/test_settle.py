"""`sightline settle`: says what was corrected, and what the store refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from collector.gateway.serving import serving
from collector.settle.telling import Store, Told, used

from sightline_collector.cli import main
from sightline_collector.settle.routes import SettleRoutes
from sightline_collector.store.engine import Engine

TWICE = [Told(1, 0, used("chat", (100, 10)), seconds=3), Told(2, 1, used("chat", (100, 10)))]
"""One call that two spans tell of: one of them is corrected."""


def test_what_the_store_refuses_is_told(
    engine: Engine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Groups of traces whose corrections are refused are counted and end with 1; asked again later they are
    corrected."""
    Store(engine, tmp_path).take(TWICE)
    asked = ["settle", "--since", "2026-01-01", "--until", "2027-06-01", "--url"]
    with serving(engine, tmp_path, more=SettleRoutes(engine).routes) as port:
        engine.command("alter table spans_v1 add constraint never check entry = 'span'")
        assert main([*asked, port.url]) == 1
        assert capfd.readouterr().out.splitlines()[-2:] == [
            "1 traces looked at, 0 corrections were written.",
            "1 groups of traces stay as they were: the store refused theirs, the log says why",
        ]
        engine.command("alter table spans_v1 drop constraint never")
        assert main([*asked, port.url]) == 0
        assert capfd.readouterr().out.startswith("1 traces looked at, 1 corrections were written.")

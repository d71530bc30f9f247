"""An empty ledger for each test that asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from collector.settle.telling import Store

from sightline_collector.store.engine import Engine


@pytest.fixture
def store(engine: Engine, tmp_path: Path) -> Store:
    """An empty ledger, and how to fill and settle it."""
    engine.command("truncate table spans_v1")
    engine.command("truncate table long_traces_v1")
    engine.command("truncate table answers_v1")
    return Store(engine, tmp_path)

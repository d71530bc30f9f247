"""How a reader's questions are planned and how many cores they may take."""

from __future__ import annotations

from sightline_collector.store.engine import Engine

ASKED = "select value from system.settings where name = '{name}'"


def test_a_reader_plans_without_the_costly_pass(engine: Engine) -> None:
    """Neither our own questions nor strangers' compare all parts of every AND with each other."""
    asked = ASKED.format(name="optimize_and_compare_chain")
    assert engine.value(asked) == "0"
    assert engine.reads().text(asked) == "0"


def test_a_reader_has_its_threads(engine: Engine) -> None:
    """A question runs on both cores although the engine is held to less than a GiB a core."""
    asked = ASKED.format(name="max_threads_min_free_memory_per_thread")
    assert engine.value(asked) == "0"
    assert engine.reads().text(asked) == "0"
    pipeline = engine.rows("explain pipeline select sum(number) from numbers_mt(100000000)")
    assert any("× 2" in str(row) for row in pipeline)

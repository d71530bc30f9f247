"""What a store on a server promises: run by `make test-clickhouse` on whichever server it is given."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from collector.gateway.serving import serving
from otlp_requests import NOW_NS, insert
from remembered_load import TRACE, request_template
from servers import chosen_store

from sightline_collector.access.boundary import Boundary
from sightline_collector.store.batch import Batch
from sightline_collector.store.engine import Engine
from sightline_collector.store.golden import prove
from sightline_collector.store.reads import Question
from sightline_collector.wal.segment import Signal

pytestmark = pytest.mark.skipif(not chosen_store.server(), reason="needs a server: make test-clickhouse")

TRACES, SPANS = 40, 5
WRITER = "5eed" * 8


@pytest.fixture(scope="module")
def filled(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Two projects, a segment each."""
    template = request_template(NOW_NS, SPANS)
    file = tmp_path_factory.mktemp("segments") / "a.segment"
    for batch, project in enumerate(("shop", "bank"), 1):
        bodies = [(template.replace(TRACE, bytes([batch, n]) * 8), SPANS) for n in range(TRACES)]
        insert(engine, Signal.TRACES, bodies, file, batch=batch, project=project)
    return engine


def test_the_chain_holds(engine: Engine, tmp_path: Path) -> None:
    """A known span comes out of the server as it comes out of the embedded engine, and leaves no row."""
    before = engine.value("select count() from spans_v1")
    prove(engine, tmp_path)
    assert engine.value("select count() from spans_v1") == before


def test_what_was_inserted_can_be_counted_at_once(filled: Engine) -> None:
    """The count that a segment is let go for sees all of its rows, on whichever shard they lie."""
    assert Batch(filled, Signal.TRACES, 1, WRITER).count() == TRACES * SPANS


def test_every_view_answers(filled: Engine) -> None:
    """No view asks for anything that a server, or a table over shards, cannot give."""
    names = filled.rows(
        "select name from system.tables where database = currentDatabase() and engine = 'View'"
    )
    assert len(names) > 30
    for row in names:
        filled.rows(f"select * from {row['name']} limit 1")


def test_roll_ups_are_the_rows_sums(filled: Engine) -> None:
    """The projections of all shards add up to what the rows say."""
    sums = "select sum(calls), sum(cost_usd), sum(input_tokens) from spans_v1 group by model"
    by_roll_up = filled.rows(sums)
    assert by_roll_up == filled.rows(f"{sums} settings optimize_use_projections = 0")
    assert next(iter(by_roll_up[0].values())) == 2 * TRACES * SPANS


def test_a_key_of_one_project_sees_its_rows_only(filled: Engine) -> None:
    """The filter of a reader's rows reaches through views to the tables that the server stores."""
    reads = filled.reads()
    for project in ("shop", "bank", "nobody"):
        settings = Boundary(reads, filled.database).settings_of(project)
        stream = reads.stream(Question("select distinct project from spans", "TSV", "", settings=settings))
        found = b"".join(iter(stream.read, b"")).decode().split()
        stream.close()
        assert found == ([project] if project != "nobody" else [])


def test_the_sql_port_answers_from_the_server(filled: Engine, tmp_path: Path) -> None:
    """A statement on a collector's port is judged there and answered by the server."""
    with serving(filled, tmp_path) as port:
        answered = port.ask("select project, count() from spans group by project order by project")
        assert answered.text == f"bank\t{TRACES * SPANS}\nshop\t{TRACES * SPANS}\n"
        refused: httpx.Response = port.ask("select * from spans_v1")
        assert refused.status_code == 403


def test_a_batch_is_deleted_everywhere_before_it_is_inserted_again(filled: Engine) -> None:
    """What a segment left in part is gone from every shard when the statement returns."""
    batch = Batch(filled, Signal.TRACES, 2, WRITER)
    batch.delete()
    assert batch.count() == 0
    assert Batch(filled, Signal.TRACES, 1, WRITER).count() == TRACES * SPANS

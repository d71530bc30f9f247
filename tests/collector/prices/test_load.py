"""How prices come into the store: once for each version, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from collector.prices.calls import Call, make_store, price
from collector.prices.models import mtok
from conftest import fresh_database
from genai_prices import data_snapshot
from genai_prices.types import ClauseEquals, ClauseRegex, MatchLogic, ModelInfo, Provider

from sightline_collector.prices import load as loading
from sightline_collector.prices.load import load
from sightline_collector.prices.published import Published
from sightline_collector.prices.rules import UnsupportedPatternError
from sightline_collector.store.engine import Engine

Publish = Callable[[int, MatchLogic], None]
ROWS = "select name, total_rows from system.tables where database = currentDatabase()"
GPT_4O = ClauseEquals("gpt-4o")


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    """Installs a data version that has one model, at so much for a million tokens."""

    def install(usd: int, match: MatchLogic) -> None:
        models = [ModelInfo("gpt-4o", match, prices=mtok(usd))]
        providers = [Provider("openai", "OpenAI", "", models=models)]
        data_snapshot.set_custom_snapshot(data_snapshot.DataSnapshot(providers, from_auto_update=False))
        monkeypatch.setattr(loading, "second", lambda: Published([], ""))
        monkeypatch.setattr(loading, "fingerprint", lambda: f"{usd} {match}")

    yield install
    data_snapshot.set_custom_snapshot(None)


@pytest.fixture
def store(engine_folder: Path, request: pytest.FixtureRequest, publish: Publish) -> Iterator[Engine]:
    """A store of its own for each test, in which a million tokens of gpt-4o cost 2 USD."""
    publish(2, GPT_4O)
    with fresh_database(engine_folder, request.node.name) as engine:
        make_store(engine)
        yield engine


@dataclass(slots=True)
class CutOff:
    """A store whose connection is lost before one table is written; remembers what was written."""

    store: Engine
    before: str
    written: list[str] = field(default_factory=list)

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        self.store.command(sql, parameters)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        return self.store.rows(sql, parameters)

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if table == self.before:
            raise ConnectionError
        self.written.append(table)
        self.store.insert(table, rows)


def cost(store: Engine) -> tuple[str, str]:
    """What a million input tokens of gpt-4o cost now."""
    got = price(store, [Call(usage={"input_tokens": 10**6})])[0]
    return f"{got.usd:f}"[:4], got.status


def test_prices_are_written_once(store: Engine) -> None:
    """A second load of the same version writes nothing and says so."""
    before = store.rows(ROWS)
    again = load(store)
    assert (again.fresh, again.export) == (False, 1)
    assert again.source.startswith("genai-prices ")
    assert before == store.rows(ROWS)


def test_new_prices_are_seen_at_once(store: Engine, publish: Publish) -> None:
    """After a load the next call is charged the new price, and a model that is not sold has none."""
    assert cost(store) == ("2.00", "priced")
    publish(7, GPT_4O)
    assert load(store).fresh
    assert cost(store) == ("7.00", "priced")
    assert price(store, [Call("anthropic", "claude-sonnet-4-5")])[0].status == "unpriced_model"


def test_an_old_price_stays_explained(store: Engine, publish: Publish) -> None:
    """The price list of people shows the new prices; the history still has the old under their ids."""
    old = price(store, [Call()])[0]
    publish(7, GPT_4O)
    load(store)
    new = price(store, [Call()])[0]
    assert new.price_id > old.price_id
    assert store.value("select usd from prices where unit = 'input_tokens'") == 7
    explained = f"select usd from price_history where unit = 'input_tokens' and price_id = {old.price_id}"
    assert store.value(explained) == 2


@pytest.mark.parametrize(
    "table", ["price_points_v1", "price_models_v1", "price_rules_v1", "price_exports_v1"]
)
def test_a_load_that_is_cut_off_changes_nothing(store: Engine, publish: Publish, table: str) -> None:
    """The last good prices stay in force, and the next load takes numbers that were never used."""
    publish(7, GPT_4O)
    with pytest.raises(ConnectionError):
        load(CutOff(store, table))
    store.command("system reload dictionaries")
    assert cost(store) == ("2.00", "priced")
    assert load(store).fresh
    assert cost(store) == ("7.00", "priced")
    twice = "select count() from (select point from price_points_v1 group by point having count() > 1)"
    assert store.value(twice) == 0


def test_data_that_cannot_be_run_is_not_loaded(store: Engine, publish: Publish) -> None:
    """A version with a pattern that RE2 lacks raises, and the last good prices stay in force."""
    publish(7, ClauseRegex("gpt(?=-4o)"))
    with pytest.raises(UnsupportedPatternError, match="Keep the installed genai-prices version"):
        load(store)
    assert cost(store) == ("2.00", "priced")


def test_what_leads_to_a_price_is_written_and_reloaded_after_it(store: Engine, publish: Publish) -> None:
    """Any mix of old and new dictionaries is a whole old or a whole new price: names come last."""
    publish(7, GPT_4O)
    recorder = CutOff(store, "")
    load(recorder)
    assert recorder.written[-1] == "price_exports_v1"
    assert loading.RELOAD_ORDER.index("price_points") < loading.RELOAD_ORDER.index("price_models")
    assert loading.RELOAD_ORDER[-2:] == ("price_model_rules", "price_provider_rules")


def test_the_price_list_reads_as_the_providers_say_it(pricer: Engine) -> None:
    """A person asks for a model and finds a line for each unit, in dollars for a million."""
    lines = pricer.rows(
        "select unit, usd, per, context, valid_from, source from prices"
        " where provider = 'anthropic' and model = 'claude-3-opus-latest' and context = '' order by usd"
    )
    assert [(line["unit"], int(line["usd"] * 100), line["per"]) for line in lines][:3] == [
        ("cache_read_tokens", 150, 10**6),
        ("input_tokens", 1500, 10**6),
        ("cache_write_tokens", 1875, 10**6),
    ]

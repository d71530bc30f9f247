"""How a store comes to this program's version."""

from pathlib import Path

import pytest
from conftest import fresh_database

from sightline_collector.errors import StoreDiffers, StoreNewer
from sightline_collector.store import migrate as migration
from sightline_collector.store.batch import WAYS, staging_is_there
from sightline_collector.store.engine import Engine
from sightline_collector.store.golden import ChainBroken, prove
from sightline_collector.store.migrate import migrate, migrations
from sightline_collector.store.staging import database_of


def test_a_second_run_changes_nothing(engine: Engine) -> None:
    """Migrating is safe to repeat, and says that nothing was to be done."""
    assert migrate(engine) is False
    applied = engine.rows("select number, name from schema_v1 where kind = 'migration' order by number")
    assert applied == [{"number": m.number, "name": m.name} for m in migrations()]


def test_derived_relations_are_made_again_when_they_change(engine: Engine) -> None:
    """A store whose views come from another version gets this one's; its rows stay."""
    engine.insert("spans_v1", [{"trace_id": "kept", "started_at": "2026-01-01 00:00:00"}])
    engine.command("drop view spans")
    engine.insert("schema_v1", [{"kind": "derived", "number": 0, "name": "derived", "fingerprint": "old"}])
    assert migrate(engine) is True
    assert engine.value("select count() from spans where trace_id = 'kept'") == 1


def test_a_newer_store_is_refused(engine: Engine) -> None:
    """A store that a later version changed is left alone, and the error says what to run."""
    engine.insert("schema_v1", [{"kind": "migration", "number": 999, "name": "later", "fingerprint": ""}])
    with pytest.raises(StoreNewer, match="run the sightline version that wrote the store"):
        migrate(engine)
    engine.command("delete from schema_v1 where number = 999")


def test_the_golden_request_proves_the_chain(engine: Engine, tmp_path: Path) -> None:
    """A known request comes out as it must, and leaves no row behind."""
    before = engine.value("select count() from spans_v1")
    prove(engine, tmp_path)
    assert engine.value("select count() from spans_v1") == before


def test_a_view_says_its_grain_and_units(engine: Engine) -> None:
    """What a view's file says to people is the view's comment in the store."""
    rows = engine.rows(
        "select name, comment from system.tables where database = currentDatabase() and engine = 'View'"
    )
    assert len(rows) > 30
    assert [row["name"] for row in rows if not row["comment"].startswith("Grain: ")] == []
    (cost,) = (row["comment"] for row in rows if row["name"] == "cost_by_model")
    assert "Units: USD, tokens as counts" in cost
    assert "Reads" not in cost


@pytest.mark.parametrize("dropped", ["view judge_feedback", "table raw_logs"])
def test_what_was_dropped_by_hand_is_made_again(engine: Engine, dropped: str) -> None:
    """The next start finds a relation missing and makes all derived ones anew."""
    assert not migrate(engine)
    engine.command(f"drop {dropped}")
    assert migrate(engine)
    assert engine.value(f"exists {dropped}") == 1
    assert not migrate(engine)


def test_what_segments_go_through_is_made_again(engine: Engine) -> None:
    """Each table between an insert's statements, and each view of one that stands open."""
    if not engine.embedded:
        pytest.skip("a server's inserts are one statement each")
    ways = [way for way in WAYS.values() if way.cuts]
    made = [("table", cut) for way in ways for cut in way.cuts]
    made += [("view", view) for way in ways for view in way.view_names.values()]
    assert len(made) == 5
    for _, name in made:
        place = f"{database_of(engine.database)}.{name}"
        engine.command(f"rename table {place} to {place}_away")
        assert not staging_is_there(engine)
        engine.command(f"rename table {place}_away to {place}")
        assert staging_is_there(engine)
    for kind, name in made:
        engine.command(f"drop {kind} {database_of(engine.database)}.{name}")
    assert migrate(engine)
    assert staging_is_there(engine)
    assert not migrate(engine)


def test_what_was_not_made_to_its_end_is_made_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that ends on its way leaves nothing that the next one takes for made."""
    if not engine.embedded:
        pytest.skip("a server's inserts are one statement each")
    view = {"database": database_of(engine.database), "name": "mapped_spans_coming"}
    whole = engine.value(COLUMNS, view)
    engine.command(f"create or replace view {view['database']}.{view['name']} as select 1 as old")
    engine.command("drop view spans")
    with monkeypatch.context() as ended:
        ended.setattr(migration, "make_staging", ends)
        with pytest.raises(KeyboardInterrupt):
            migrate(engine)
    assert engine.value(COLUMNS, view) == 1
    assert migrate(engine)
    assert engine.value(COLUMNS, view) == whole > 1
    assert not migrate(engine)


COLUMNS = "select count() from system.columns where database = {database:String} and table = {name:String}"


def ends(_: Engine) -> None:
    """A process that is stopped."""
    raise KeyboardInterrupt


def test_a_broken_chain_is_found(engine_folder: Path, tmp_path: Path) -> None:
    """A dictionary without its rows, which the engine accepts without a word, is named before a collector
    starts."""
    with fresh_database(engine_folder, "broken") as engine:
        migrate(engine)
        engine.command("truncate table operations_v1")
        engine.command(f"system reload dictionary {engine.database}.operations")
        with pytest.raises(ChainBroken, match=r"wrong in \{'notes': "):
            prove(engine, tmp_path)


def test_a_store_with_other_tables_is_refused(engine: Engine) -> None:
    """Tables that another build has made, which no migration changes, are left alone, and it is said."""
    other = {"kind": "migration", "number": len(migrations()), "name": "first_tables", "fingerprint": "other"}
    engine.insert("schema_v1", [other])
    with pytest.raises(StoreDiffers, match="made by another build of this version, with other tables"):
        migrate(engine)
    engine.command("delete from schema_v1 where fingerprint = 'other'")
    assert migrate(engine) is False

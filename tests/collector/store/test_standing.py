"""The insert that stands open: the same rows as by statements of their own, and of what goes wrong none."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from corpora import recording
from migrated_stores import MigratedFolder
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import NOW_NS, WRITER, attributes, traces
from prometheus_client import CollectorRegistry

from sightline_collector.errors import StoreRefused
from sightline_collector.prices.api import set_override
from sightline_collector.prices.override import Override
from sightline_collector.store import piped, standing
from sightline_collector.store.batch import WAYS, insert_segment
from sightline_collector.store.engine import Engine
from sightline_collector.store.piped import End
from sightline_collector.store.staging import database_of
from sightline_collector.store.standing_metrics import State
from sightline_collector.store.url import DEFAULT_DATABASE
from sightline_collector.wal.segment import Entry, Signal, frame

CORPORA = Path(__file__).parents[2] / "corpora"
EVERY = [body for file in sorted(CORPORA.glob("*/requests.binpb")) for body in recording.read(file)]
PLAIN = traces(3).SerializeToString()
POISON = PLAIN + b"\x0b\x10\x01\x0c"
"""The request, and an unknown group with content: protobuf accepts it, the engine does not."""


class Segments:
    """Segments into a store, by the insert that stands open and by statements of their own."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.file, self.batch = engine, folder / "segment", 0

    def insert(self, *bodies: bytes, says: int = 0, own: bool = False) -> int:
        """Insert requests; the number of their batch. `says`: the number of items that is told, when it is
        another."""
        self.batch += 1
        with self.file.open("wb") as out:
            for body in bodies:
                length, trailer = frame(Entry(body, 1, "default", NOW_NS), self.batch, WRITER)
                out.write(length + body + trailer)
        insert_segment(self.engine, Signal.TRACES, self.file, 0 if own else says or sum(map(items, bodies)))
        return self.batch

    def stand(self, body: bytes = PLAIN) -> None:
        """Insert until an insert stands open."""
        deadline = time.monotonic() + 60
        while not self.is_open:
            assert time.monotonic() < deadline
            self.insert(body)
            time.sleep(0.05)

    @property
    def is_open(self) -> bool:
        """Whether one does."""
        return any(one.is_open for one in self.engine.standing)

    def measured(self, name: str, **labels: str) -> int:
        """What a metric of it says."""
        registry = CollectorRegistry()
        self.engine.measure(registry)
        value = registry.get_sample_value(f"sightline_store_standing_{name}", labels)
        assert value is not None
        return int(value)

    def rows(self, batch: int) -> list[dict[str, object]]:
        """What the store holds of a batch, but for its number."""
        return self.engine.rows(
            "select * except batch from spans_v1 where batch = {batch:UInt64}"
            " order by trace_id, span_id, name, toString(attributes)",
            {"batch": batch},
        )


@pytest.fixture(scope="module")
def segments(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Segments:
    """A store of the module's own: what stands open in one test does in the next."""
    return Segments(engine, tmp_path_factory.mktemp("segments"))


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next is opened at once."""
    monkeypatch.setattr(standing, "REST_S", 0.0)


def items(body: bytes) -> int:
    """Spans in a request."""
    request = ExportTraceServiceRequest.FromString(body)
    return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)


def staged(segments: Segments) -> set[str]:
    """The relations that segments go through."""
    sql = "select name from system.tables where database = {database:String}"
    rows = segments.engine.rows(sql, {"database": database_of(segments.engine.database)})
    return {row["name"] for row in rows}


def made_once() -> set[str]:
    """Those of them that a migration makes."""
    way = WAYS[Signal.TRACES]
    return {*way.cuts, *way.view_names.values()}


def threads() -> list[str]:
    """The names of this process' threads."""
    return [thread.name for thread in threading.enumerate()]


def test_every_recording_gives_the_same_rows(segments: Segments) -> None:
    """What real emitters sent, with the steps that only some spans need, comes out the same by both ways."""
    segments.stand(EVERY[0])
    both = [segments.insert(*EVERY), segments.insert(*EVERY, own=True)]
    assert segments.is_open
    standing_rows, own_rows = map(segments.rows, both)
    assert len(own_rows) == sum(map(items, EVERY)) > 100
    assert standing_rows == own_rows


def test_many_small_requests_come_whole(segments: Segments) -> None:
    """Of more requests than a block has, the last are there as well."""
    segments.stand()
    assert len(segments.rows(segments.insert(*[PLAIN] * 3000))) == 9000
    assert segments.is_open


def test_what_ends_it_is_stored_by_a_statement_of_its_own(segments: Segments) -> None:
    """A request that the engine will never take is refused as ever; the next segment is stored."""
    segments.stand()
    with pytest.raises(StoreRefused, match="444"):
        segments.insert(PLAIN, POISON, PLAIN)
    assert not segments.is_open
    assert segments.rows(segments.batch) == []
    assert len(segments.rows(segments.insert(PLAIN, PLAIN))) == 6


def test_it_is_opened_again(segments: Segments) -> None:
    """After its end another is opened, and nothing that was left of the first is stored."""
    segments.stand()
    with pytest.raises(StoreRefused, match="444"):
        segments.insert(*[PLAIN] * 2000, POISON)
    failed = segments.batch
    segments.stand()
    assert len(segments.rows(segments.insert(PLAIN))) == 3
    assert segments.rows(failed) == []


@pytest.mark.parametrize("says", [2, 4])
def test_rows_that_nobody_awaited_are_not_mixed_up(
    segments: Segments, says: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When more rows or fewer come than were told, each batch has its own rows all the same, once."""
    monkeypatch.setattr(standing, "STALLS_S", 0.5)
    segments.stand()
    batches = [segments.insert(PLAIN, says=says), segments.insert(PLAIN)]
    assert [len(segments.rows(batch)) for batch in batches] == [3, 3]


def test_a_new_price_counts_for_the_next_segment(segments: Segments) -> None:
    """What it was planned with are names: a dictionary that changes meanwhile is read anew."""
    request = traces(1)
    request.resource_spans[0].scope_spans[0].spans[0].attributes.extend(
        attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "llama-at-home",
                    "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10})
    )  # fmt: skip
    call = request.SerializeToString()
    segments.stand(call)
    before = segments.rows(segments.insert(call))
    set_override(segments.engine, Override(
        model="llama-at-home", valid_from=date(2026, 1, 1), prices={"input_tokens": Decimal(2),
                                                                    "output_tokens": Decimal(4)},
    ))  # fmt: skip
    after = segments.rows(segments.insert(call))
    assert segments.is_open
    assert [row["cost_usd"] for row in before + after] == [None, Decimal("0.00024")]


def test_a_refused_last_statement_leaves_nothing(segments: Segments, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the table refuses is refused whole, and the next segment has only its own rows."""
    segments.stand()
    segments.engine.command("alter table spans_v1 add constraint never check batch = 0")
    with pytest.raises(StoreRefused, match="469"):
        segments.insert(PLAIN)
    segments.engine.command("alter table spans_v1 drop constraint never")
    assert segments.is_open
    assert segments.rows(segments.batch) == []
    assert len(segments.rows(segments.insert(PLAIN))) == 3


LEAVES = """
import sys
from pathlib import Path
from sightline_collector.store.batch import insert_segment
from sightline_collector.store.engine import Engine
from sightline_collector.store.url import StoreUrl
from sightline_collector.wal.segment import Signal

engine = Engine(StoreUrl(Path(sys.argv[1]), "", 0, "", "", sys.argv[3], secure=False))
while not any(one.is_open for one in engine.standing):
    insert_segment(engine, Signal.TRACES, Path(sys.argv[2]), 3)
print("it stands")
"""


def test_a_process_leaves_without_closing_it(
    migrated: MigratedFolder, segments: Segments, tmp_path: Path
) -> None:
    """A program that ends while an insert stands open ends like any other."""
    migrated.copy(tmp_path / "store")
    segments.insert(PLAIN)
    program = [sys.executable, "-c", LEAVES, str(tmp_path / "store"), str(segments.file), DEFAULT_DATABASE]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "it stands\n"), done.stderr


@pytest.mark.parametrize("stands", [False, True])
def test_a_store_that_is_closed_closes_it(segments: Segments, stands: bool) -> None:
    """While it is planned or while it stands: no thread or table of its own is left."""
    segments.stand()
    assert staged(segments) > made_once()
    one = next(one for one in segments.engine.standing if one.is_open)
    if not stands:
        one.close()
        segments.insert(PLAIN)
    one.close()
    assert not one.is_open
    assert "standing insert" not in threads()
    assert staged(segments) == made_once()


def test_which_way_segments_go_is_counted(segments: Segments) -> None:
    """One that is stored by what stands open, and one that has to be by a statement of its own."""
    segments.stand()
    ways = ["standing", "own"]
    before = [segments.measured("segments_total", way=way) for way in ways]
    segments.insert(PLAIN)
    with pytest.raises(StoreRefused, match="444"):
        segments.insert(POISON)
    assert [segments.measured("segments_total", way=way) for way in ways] == [before[0] + 1, before[1] + 1]


@pytest.mark.parametrize("end", [End.FAILED, End.STALLED, End.STORE, End.RENEWED, End.CLOSED])
def test_why_one_ended_is_counted(segments: Segments, end: End, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each end once, by its reason."""
    segments.stand()
    one = next(one for one in segments.engine.standing if one.is_open)
    before = {each: segments.measured("ends_total", reason=each) for each in End}
    if end is End.FAILED:
        with pytest.raises(StoreRefused, match="444"):
            segments.insert(POISON)
    elif end is End.STALLED:
        monkeypatch.setattr(standing, "STALLS_S", 0.5)
        segments.insert(PLAIN, says=4)
    elif end is End.STORE:
        segments.engine.command(f"drop table {one.statements.coming}")
        segments.insert(PLAIN)
    elif end is End.RENEWED:
        monkeypatch.setattr(standing, "RENEWED", 1)
        segments.insert(PLAIN)
    else:
        one.close()
    after = {each: segments.measured("ends_total", reason=each) for each in End}
    assert after == before | {end: before[end] + 1}
    assert segments.measured("inserts", state="open") == 0


def test_it_rests_between(segments: Segments, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends again and again what ends it does not make it be planned again and again."""
    segments.stand()
    one = next(one for one in segments.engine.standing if one.is_open)
    monkeypatch.setattr(standing, "REST_S", 3600.0)
    monkeypatch.setattr(one, "_rests_until_s", 0.0)  # and once more afterwards, for the next test
    with pytest.raises(StoreRefused, match="444"):
        segments.insert(POISON)
    batches = [segments.insert(PLAIN) for _ in range(3)]
    assert [len(segments.rows(batch)) for batch in batches] == [3, 3, 3]
    assert "standing insert" not in threads()
    assert one.state is State.RESTING


def test_one_that_does_not_end_is_told(segments: Segments, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left alone, and segments are stored without it."""
    segments.stand()
    monkeypatch.setattr(piped, "LEAVES_S", 0.0)
    next(one for one in segments.engine.standing if one.is_open).close()
    assert segments.measured("inserts", state="stuck") == 1
    assert len(segments.rows(segments.insert(PLAIN))) == 3

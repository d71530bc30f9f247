"""Redaction: what is a name and what is not, in bytes, requests, and each kind of column."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import NOW_NS, any_value, attributes, insert

from sightline_collector.access import rewriting as access_rewriting
from sightline_collector.access import unfinished
from sightline_collector.access.redact import redact, rewriting
from sightline_collector.access.redaction import NO_TRACE, PLACEHOLDER, Redaction, unfit
from sightline_collector.access.rewriting import Rewriting
from sightline_collector.access.spelling import spellings
from sightline_collector.access.texts import redacted, texts
from sightline_collector.sql.catalog import quoted
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

NAME = "anna"
TRACE = "0123456789abcdef0123456789abcdef"

WORDS = {
    "anna": "[redacted]",
    "anna anna, anna. anna": "[redacted] [redacted], [redacted]. [redacted]",
    "@anna (anna) 'anna'/anna/\nanna": "@[redacted] ([redacted]) '[redacted]'/[redacted]/\n[redacted]",
    "joanna annas anna_b x-anna anna.lee anna@shop.example bob+anna": None,
    "anna+ .anna éanna anna…": "[redacted]+ .[redacted] é[redacted] [redacted]…",
    "": "",
}
"""Texts, and what becomes of them: None for what stays as it is."""


@pytest.mark.parametrize("said", WORDS)
def test_a_name_is_a_word_of_its_own(said: str) -> None:
    """Part of a longer word, id or address is somebody else."""
    after = WORDS[said]
    assert Redaction([NAME]).text(said.encode()).decode() == (said if after is None else after)


def test_the_engine_redacts_what_bytes_are_searched_for(engine: Engine) -> None:
    """The same words in SQL, where nothing can look behind."""
    column = redacted("Array(String)", "said", rewriting(Redaction([NAME])))
    found = engine.value(f"select {column} from (select {{said:Array(String)}} as said)", {"said": [*WORDS]})
    assert found == [said if after is None else after for said, after in WORDS.items()]


def test_a_name_is_redacted_however_it_is_spelled() -> None:
    """As JSON and addresses write it, too; what contains another name goes as a whole."""
    redaction = Redaction(["Zoë “Z” O'Neil", 'a "b"', 'a "b" c'])
    said = r"""{"to": "a \"b\" c", "of": "Zo\u00eb \u201cZ\u201d O'Neil"}"""
    said += " ?q=Zo%c3%ab+%e2%80%9cZ%e2%80%9d+O%27Neil"
    assert redaction.text(said.encode()) == b'{"to": "[redacted]", "of": "[redacted]"} ?q=[redacted]'


@pytest.mark.parametrize("name", ["", "ann", "é", "redact", "[redacted]"])
def test_what_would_be_found_by_chance_is_no_name(name: str) -> None:
    """Too short, or part of what stands in its place."""
    assert unfit(name)
    assert not unfit("anna")


KINDS = {
    "Nullable(String)": ("toNullable('anna')", PLACEHOLDER),
    "Array(LowCardinality(String))": ("['anna', 'joanna']", [PLACEHOLDER, "joanna"]),
    "Map(LowCardinality(String), Array(String))": ("map('anna', ['anna'])", {PLACEHOLDER: [PLACEHOLDER]}),
    "Array(Tuple(at DateTime64(9, 'UTC'), name String, n UInt8))": ("[(0, 'anna', 7)]", "anna"),
    "Map(LowCardinality(String), UInt64)": ("map('anna', 1)", {PLACEHOLDER: 1}),
    "Decimal(18, 12)": ("1.5", None),
    "Enum8('anna' = 1)": ("'anna'", None),
}
"""Types of columns, a value of each, and what it becomes: None where there is no text to be redacted."""


@pytest.mark.parametrize("kind", KINDS)
def test_text_is_found_however_deep_it_lies(engine: Engine, kind: str) -> None:
    """In lists, maps, their keys, and tuples; beside it everything stays, and columns without text do."""
    value, after = KINDS[kind]
    column = redacted(kind, "it", rewriting(Redaction([NAME])))
    assert bool(texts(kind, "it")) == (after is not None) == (column != "it")
    (row,) = engine.rows(f"select {column} as it from (select cast({value}, {quoted(kind)}) as it)")
    if kind.startswith("Array(Tuple"):
        ((_, name, n),) = row["it"]
        assert (name, n) == (PLACEHOLDER, 7)
    elif after is not None:
        assert row["it"] == after


@pytest.mark.parametrize("value", [42, -(2**63), 1e-7, True, b"\0id", {"id": [2.5, "a", None]}])
def test_an_id_is_known_however_senders_write_it(engine: Engine, value: object) -> None:
    """Numbers, flags, bytes, maps: whatever the store has spelled like it."""
    sent = any_value(value).SerializeToString()
    said = engine.value("select sightline_texts([unhex({sent:String})])[1]", {"sent": sent.hex()})
    assert sent in spellings(engine, said)


def test_what_is_only_text_is_no_number(engine: Engine) -> None:
    """Though Python would read one out of it."""
    assert spellings(engine, "1_000 ") == frozenset()


class Killed(Exception):  # noqa: N818 - what befalls a collector
    """In the middle of a redaction."""


class KilledAfterOne(Rewriting):
    """Does not live to see its second table."""

    def say(self, changes: Mapping[str, str]) -> None:
        """The first change is made."""
        super().say(changes)
        raise Killed


def test_a_redaction_that_was_killed_is_finished_by_the_next(engine: Engine, tmp_path: Path) -> None:
    """What is done already is not done again, totals are the same before, between and after; a start in
    between takes back what it left on tables."""
    said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "input.value": "anna!"}
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=b"b" * 16, span_id=b"b" * 8, start_time_unix_nano=NOW_NS, end_time_unix_nano=NOW_NS + 1,
        attributes=attributes({**said, "gen_ai.usage.input_tokens": 9, "sightline.feature": "of anna"}),
    )  # fmt: skip
    span.links.add(trace_id=bytes.fromhex(TRACE))
    insert(engine, Signal.TRACES, [(request, 1)], tmp_path / "segment", batch=1)
    sums = "select sum(calls), sum(cost_usd), sum(input_tokens) from cost_by_feature"
    before, redaction = engine.rows(sums), Redaction([NAME], {TRACE})
    with pytest.raises(Killed):
        redact(engine, redaction, KilledAfterOne(engine, lambda _: None))
    assert engine.rows(sums) == before
    changed = (
        "select name from system.tables where database = currentDatabase()"
        " and match(create_table_query, 'old_parts_lifetime|fsync_after_merge')"
    )
    assert engine.rows(changed) != []
    access_rewriting.take_back(engine)
    assert engine.rows(changed) == []
    work = Rewriting(engine, lambda _: None)
    done = redact(engine, redaction, work)
    work.reset()
    (row,) = engine.rows("select feature, input, links.trace_id as links from spans")
    assert row == {"feature": "of [redacted]", "input": "[redacted]!", "links": [NO_TRACE]}
    assert engine.rows(sums) == before
    assert (dict(done.rows), dict(done.left)) == ({}, {})


def _parts(engine: Engine) -> set[str]:
    """On disk, also those that others have replaced."""
    of = "database = currentDatabase() and table = 'feedback_v1' and rows > 0"
    return {str(row["name"]) for row in engine.rows(f"select name from system.parts where {of}")}


@pytest.mark.parametrize("turn", range(3))
def test_what_was_rewritten_is_gone_from_the_disk_each_time(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    """Old parts, and the texts of what redacted: the first time, and soon after the one before."""
    monkeypatch.setattr(access_rewriting, "GONE_S", 8.0)
    for name in ("kept", "gone"):
        engine.insert("feedback_v1", [{"name": f"{name} {turn}", "feedback_id": f"{name} {turn}"}])
    held = _parts(engine)
    with access_rewriting.rewriting(engine) as work:
        work.say({"feedback_v1": f"delete where name = 'gone {turn}'"})
        held |= _parts(engine)
        work.say({"feedback_v1": f"update comment = '{PLACEHOLDER}' where name = 'kept {turn}'"})
    assert not held & _parts(engine)
    of = "where database = currentDatabase() and table = 'feedback_v1'"
    assert engine.rows(f"select command from system.mutations {of} and command like '%{PLACEHOLDER}%'") == []
    assert engine.rows("select name from feedback_v1 where comment != '' order by name") == [
        {"name": f"kept {done}"} for done in range(turn + 1)
    ]


def test_what_is_not_gone_in_time_is_told(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server's files nobody searches: its tables are named that keep something yet."""
    monkeypatch.setattr(access_rewriting, "GONE_S", 0.0)
    with access_rewriting.rewriting(engine) as work:
        work.say({"feedback_v1": f"update comment = '{PLACEHOLDER}' where 1"})
    assert work.left == ["feedback_v1"]


def test_traces_are_known_until_an_erasure_is_complete(tmp_path: Path) -> None:
    """A run that was killed after it had erased their rows has left them to the next."""
    assert not unfinished.any_left(tmp_path)
    assert unfinished.remembered(tmp_path, "5a", {TRACE}) == {TRACE}
    assert unfinished.remembered(tmp_path, "5a", ()) == {TRACE}
    assert unfinished.remembered(tmp_path, "6b", ()) == set()
    unfinished.done(tmp_path, "5a")
    assert unfinished.remembered(tmp_path, "5a", ()) == set()
    for digest in ("5a", "6b"):
        assert unfinished.any_left(tmp_path)
        unfinished.done(tmp_path, digest)
    assert not unfinished.any_left(tmp_path)

"""What becomes of a span on its way from the wire to its row: field for field, also when it is hostile."""

from __future__ import annotations

import itertools
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status
from otlp_requests import NOW_NS, WRITER, any_value, attributes, insert

from sightline_collector.store.batch import LEDGER
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal, varint

batches = itertools.count(1)
AT_NS = NOW_NS - 5_000_000_001
DAY_NS = 86_400_000_000_000

EVERY_COLUMN = f"""
    select * except ({", ".join(LEDGER)}) replace (
        toUnixTimestamp64Nano(received_at) as received_at, toUnixTimestamp64Nano(started_at) as started_at,
        arrayMap(e -> (toUnixTimestamp64Nano(e.at), e.name, e.attributes, e.attribute_types), events)
            as events,
        arrayMap(l -> (l.trace_id, l.span_id, l.trace_state, l.attributes, l.attribute_types), links)
            as links)
    from spans_v1 where batch = {{batch:UInt64}} order by name
"""


def request(*spans: Span, resource: Any = None, scope: Any = None) -> ExportTraceServiceRequest:
    """One request of one resource and one scope."""
    scope_spans = ScopeSpans(spans=spans)
    scope_spans.scope.name, scope_spans.scope.version = "a.scope", "1.2"
    scope_spans.scope.attributes.extend(attributes(scope or {}))
    resource_spans = ResourceSpans(scope_spans=[scope_spans])
    resource_spans.resource.attributes.extend(attributes(resource or {}))
    return ExportTraceServiceRequest(resource_spans=[resource_spans])


def span(values: Any = None, **fields: Any) -> Span:
    """A span with valid ids and times, but for the given fields."""
    given: dict[str, Any] = {"trace_id": b"\xab" * 16, "span_id": b"\xcd" * 8, "name": "work"}
    given |= {"start_time_unix_nano": AT_NS, "end_time_unix_nano": AT_NS + 1_500_000}
    return Span(**given | fields, attributes=attributes(values or {}))


def stored(engine: Engine, tmp_path: Path, body: Any, items: int = 1, **options: Any) -> list[dict[str, Any]]:
    """The rows that a request becomes, every column of them."""
    batch = next(batches)
    insert(engine, Signal.TRACES, [(body, items)], tmp_path / "segment", batch=batch, **options)
    rows = engine.rows(EVERY_COLUMN, {"batch": batch})
    assert len(rows) == items
    return rows


PLAIN: dict[str, Any] = {
    "received_at": NOW_NS, "writer": WRITER, "project": "default",
    "started_at": AT_NS, "duration_ms": 1.5, "weight": 1.0, "trace_id": "ab" * 16, "span_id": "cd" * 8,
    "parent_span_id": "", "trace_state": "", "flags": 0, "service": "", "name": "work",
    "kind": "unspecified", "status": "unset", "status_message": "", "error_type": "", "refused": None,
    "blocked": 0, "scope_name": "a.scope", "scope_version": "1.2", "dialect": "", "operation": "",
    "stage": "", "provider": "", "model": "", "request_model": "", "response_model": "", "response_id": "",
    "feature": "", "user_id": "", "session_id": "", "prompt_name": "", "prompt_version": "",
    "experiment": "", "variant": "", "shadow": 0,
    "tags": [], "agent": "", "tool": "", "finish_reason": "", "input_tokens": None, "output_tokens": None,
    "cache_read_tokens": None, "cache_write_tokens": None, "cache_write_1h_tokens": None,
    "reasoning_tokens": None, "tool_use_tokens": None, "extra_usage": {}, "tokens_estimated": 0,
    "gateway_cached": 0, "own_cost_usd": None, "price_context": [],
    "reported_cost_usd": None, "first_chunk_ms": None, "first_token_ms": None, "tokens_per_second": None,
    "input": "", "input_key": "", "output": "", "output_key": "", "attributes": {}, "attribute_types": {},
    "resource_attributes": {}, "resource_types": {}, "scope_attributes": {}, "events": [], "links": [],
    "dropped_attributes": 0, "dropped_events": 0, "dropped_links": 0, "notes": [],
    "cost_usd": None, "cost_status": "not_a_call", "price_id": 0, "price_source": "",
}  # fmt: skip
"""The row of `span()`: what a span without anything is."""


def test_a_bare_span_is_a_row_of_nothing_but_its_frame(engine: Engine, tmp_path: Path) -> None:
    """Ids are lower-case hex, times are exact to the nanosecond, and what is absent is empty or null."""
    (row,) = stored(engine, tmp_path, request(span()))
    assert row == PLAIN | {"batch": row["batch"]}


def test_every_field_of_a_span_has_its_place(engine: Engine, tmp_path: Path) -> None:
    """Frame, events, links, resource, scope and dropped counts arrive as they were sent."""
    full = span(
        {"n": 1},
        parent_span_id=b"\x01" * 8, trace_state="a=b,c=d", flags=0x301, kind=Span.SPAN_KIND_CONSUMER,
        status=Status(code=Status.STATUS_CODE_ERROR, message="broke"), dropped_attributes_count=1,
        dropped_events_count=2, dropped_links_count=3,
        events=[
            Span.Event(time_unix_nano=AT_NS + 7, name="first", attributes=attributes({"k": "v", "n": 2})),
            Span.Event(time_unix_nano=AT_NS + 8, name="second"),
            Span.Event(time_unix_nano=0, name="third", attributes=attributes({"list": [1, "two"]})),
        ],
        links=[
            Span.Link(trace_id=b"\x0a" * 16, span_id=b"\x0b" * 8, trace_state="x=y"),
            Span.Link(trace_id=b"\x0c" * 16, span_id=b"\x0d" * 8, attributes=attributes({"b": True})),
        ],
    )  # fmt: skip
    resource = {"service.name": "shop", "worker": 7, "zones": ["a"]}
    (row,) = stored(
        engine, tmp_path, request(full, resource=resource, scope={"scoped": 1.5}), project="team-a"
    )
    assert row == PLAIN | {
        "batch": row["batch"], "project": "team-a", "parent_span_id": "01" * 8, "trace_state": "a=b,c=d",
        "flags": 0x301, "kind": "consumer", "status": "error", "status_message": "broke",
        "dropped_attributes": 1, "dropped_events": 2, "dropped_links": 3, "service": "shop",
        "attributes": {"n": "1"}, "attribute_types": {"n": "int"},
        "resource_attributes": {"service.name": "shop", "worker": "7", "zones": '["a"]'},
        "resource_types": {"worker": "int", "zones": "array"}, "scope_attributes": {"scoped": "1.5"},
        "events": [
            (AT_NS + 7, "first", {"k": "v", "n": "2"}, {"n": "int"}),
            (AT_NS + 8, "second", {}, {}),
            (0, "third", {"list": '[1,"two"]'}, {"list": "array"}),
        ],
        "links": [
            ("0a" * 16, "0b" * 8, "x=y", {}, {}),
            ("0c" * 16, "0d" * 8, "", {"b": "true"}, {"b": "bool"}),
        ],
    }  # fmt: skip


def test_a_model_call_is_understood_and_priced(engine: Engine, tmp_path: Path) -> None:
    """Known attributes become columns; content moves to columns of its own and out of the attributes."""
    call = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.response.id": "r1",
        "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100,
        "gen_ai.usage.cache_read.input_tokens": 200, "gen_ai.response.finish_reasons": ["stop", "length"],
        "gen_ai.response.time_to_first_chunk": 0.25, "gen_ai.conversation.id": "s1", "user.id": "u1",
        "sightline.feature": "search", "sightline.tags": ["a", "b"], "gen_ai.input.messages": "[question]",
        "gen_ai.output.messages": "[answer]",
    }  # fmt: skip
    (row,) = stored(engine, tmp_path, request(span(call)))
    kept = {k: v for k, v in call.items() if not k.endswith(".messages")}
    changed = {
        "batch": row["batch"], "dialect": "otel-genai", "operation": "llm", "stage": "model_inference",
        "provider": "openai", "model": "gpt-4o-2024-08-06", "request_model": "gpt-4o",
        "response_model": "gpt-4o-2024-08-06", "response_id": "r1", "feature": "search", "user_id": "u1",
        "session_id": "s1", "tags": ["a", "b"], "finish_reason": "stop,length", "refused": 0,
        "input_tokens": 1000, "output_tokens": 100, "cache_read_tokens": 200, "first_chunk_ms": 250.0,
        "input": "[question]", "input_key": "gen_ai.input.messages", "output": "[answer]",
        "output_key": "gen_ai.output.messages", "cost_status": "priced",
        "attributes": {k: TEXTS.get(k, str(v)) for k, v in kept.items()},
        "attribute_types": {
            "gen_ai.usage.input_tokens": "int", "gen_ai.usage.output_tokens": "int",
            "gen_ai.usage.cache_read.input_tokens": "int", "gen_ai.response.finish_reasons": "array",
            "gen_ai.response.time_to_first_chunk": "double", "sightline.tags": "array",
        },
        # 800 at 2.50, 200 cached at 1.25, 100 out at 10.00, all per million.
        "cost_usd": Decimal("0.00325"), "own_cost_usd": Decimal("0.00325"),
        "price_id": row["price_id"], "price_source": row["price_source"],
    }  # fmt: skip
    assert row == PLAIN | changed
    assert row["price_id"] > 0
    assert row["price_source"].startswith("genai-prices ")


TEXTS = {"gen_ai.response.finish_reasons": '["stop","length"]', "sightline.tags": '["a","b"]'}


def test_duplicate_keys_are_all_kept(engine: Engine, tmp_path: Path) -> None:
    """A map with a key twice is what the sender sent, texts first, then whole numbers, then the rest, each in
    its order; a look-up finds the first."""
    twice = span()
    twice.attributes.extend(attributes([("k", "one"), ("k", 2), ("k", "one")]))
    (row,) = stored(engine, tmp_path, request(twice))
    pairs = engine.value(
        "select toString(attributes) from spans_v1 where batch = {batch:UInt64}", {"batch": row["batch"]}
    )
    assert pairs == "{'k':'one','k':'one','k':'2'}"


HOSTILE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a long trace id": (
        {"trace_id": b"\x01" * 17}, {"trace_id": "01" * 17, "notes": ["trace_id_length"]}),
    "no ids": (
        {"trace_id": b"", "span_id": b""},
        {"trace_id": "", "span_id": "", "notes": ["trace_id_length", "span_id_length"]}),
    "an end before the start": (
        {"end_time_unix_nano": AT_NS - 1}, {"duration_ms": 0.0, "notes": ["ended_before_start"]}),
    "no times": (
        {"start_time_unix_nano": 0, "end_time_unix_nano": 0},
        {"started_at": NOW_NS, "duration_ms": 0.0, "notes": ["start_out_of_range"]}),
    "a start beyond signed integers": (
        {"start_time_unix_nano": 2**63, "end_time_unix_nano": 2**63},
        {"started_at": NOW_NS, "duration_ms": 0.0, "notes": ["start_out_of_range"]}),
    "the last start there is": (
        {"start_time_unix_nano": 2**64 - 1, "end_time_unix_nano": 2**64 - 1},
        {"started_at": NOW_NS, "duration_ms": 0.0, "notes": ["start_out_of_range"]}),
    "a start two days ahead": (
        {"start_time_unix_nano": NOW_NS + 2 * DAY_NS, "end_time_unix_nano": NOW_NS + 2 * DAY_NS},
        {"started_at": NOW_NS, "duration_ms": 0.0, "notes": ["start_out_of_range"]}),
    "a start 399 days ago": (
        {"start_time_unix_nano": NOW_NS - 399 * DAY_NS, "end_time_unix_nano": NOW_NS - 399 * DAY_NS},
        {"started_at": NOW_NS - 399 * DAY_NS, "duration_ms": 0.0}),
    "the largest dropped counts": (
        {"dropped_attributes_count": 2**32 - 1, "dropped_events_count": 2**32 - 1},
        {"dropped_attributes": 2**32 - 1, "dropped_events": 2**32 - 1}),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_odd_frames_are_stored_within_bounds_and_noted(engine: Engine, tmp_path: Path, case: str) -> None:
    """A wrong id or time never opens a partition, never makes a negative duration, and says so in notes."""
    fields, expected = HOSTILE[case]
    (row,) = stored(engine, tmp_path, request(span(**fields)))
    assert row == PLAIN | {"batch": row["batch"]} | expected


def test_a_failure_is_named_by_the_exception_that_was_recorded(engine: Engine, tmp_path: Path) -> None:
    """Where no attribute names it; an exception that was handled is no failure."""
    raised = [Span.Event(name="exception", attributes=attributes({"exception.type": "TimeoutError"}))]
    failed = Status(code=Status.STATUS_CODE_ERROR)
    told = span(status=failed, events=raised)
    told.attributes.extend(attributes({"error.type": "504"}))
    spans = [span(status=failed, events=raised), span(events=raised), told]
    rows = [stored(engine, tmp_path, request(one))[0] for one in spans]
    assert [row["error_type"] for row in rows] == ["TimeoutError", "", "504"]


def test_a_call_whose_time_cannot_be_is_priced_as_of_its_arrival(engine: Engine, tmp_path: Path) -> None:
    """Whether it was paid that day is not known, so its price is assumed."""
    long_ago_ns = NOW_NS - 500 * DAY_NS
    call = span(start_time_unix_nano=long_ago_ns, end_time_unix_nano=long_ago_ns)
    call.attributes.extend(attributes({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}))
    call.attributes.extend(attributes({"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 1000}))
    (row,) = stored(engine, tmp_path, request(call))
    assert (row["cost_status"], row["cost_usd"]) == ("assumed", Decimal("0.0025"))


@pytest.mark.parametrize(("field", "tag"), [("status", b"\x18"), ("kind", b"\x30")])
def test_unknown_enum_values_fall_back_and_are_noted(
    engine: Engine, tmp_path: Path, field: str, tag: bytes
) -> None:
    """An enum may be any 64-bit integer on the wire: 300 and -1 are no status and no kind."""
    for number in (300, 2**64 - 1):
        odd = span().SerializeToString()
        value = tag + varint(number)
        odd += b"\x7a" + varint(len(value)) + value if field == "status" else value
        scope = b"\x12" + varint(len(odd)) + odd
        body = b"\x12" + varint(len(scope)) + scope
        (row,) = stored(engine, tmp_path, b"\x0a" + varint(len(body)) + body)
        assert row["status"] == "unset"
        assert row["kind"] == "unspecified"
        assert row["notes"] == [f"{field}_out_of_range"]


def test_a_count_beyond_32_bits_keeps_its_low_bits(engine: Engine, tmp_path: Path) -> None:
    """As protobuf has it: a uint32 may be longer on the wire, and its high bits do not count."""
    odd = span().SerializeToString() + b"\x50" + varint(2**32 + 5) + b"\x60" + varint(2**64 - 1)
    scope = b"\x12" + varint(len(odd)) + odd
    body = b"\x12" + varint(len(scope)) + scope
    (row,) = stored(engine, tmp_path, b"\x0a" + varint(len(body)) + body)
    counts = {"dropped_attributes": 5, "dropped_events": 2**32 - 1}
    assert row == PLAIN | {"batch": row["batch"], "scope_name": "", "scope_version": ""} | counts


TOKENS: dict[str, tuple[Any, int | None]] = {
    "zero": (0, 0),
    "a string": ("120", 120),
    "a decimal string": ("120.0", 120),
    "a double": (120.0, 120),
    "an odd double": (120.5, None),
    "10^12": (10**12, 10**12),
    "2^62": (2**62, None),
    "negative": (-5, None),
    "words": ("many", None),
    "not a number": (float("nan"), None),
    "infinite": (float("inf"), None),
    "a list": ([1], None),
    "bytes of text": (b"1", 1),
    "bytes": (b"\xff", None),
    "nothing": (None, None),
}


@pytest.mark.parametrize("case", TOKENS)
def test_token_counts_never_throw(engine: Engine, tmp_path: Path, case: str) -> None:
    """A count that is not a whole number that fits is null, and no call is refused or free for it."""
    given, expected = TOKENS[case]
    call = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}
    call |= {"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": given}
    (row,) = stored(engine, tmp_path, request(span(call)))
    assert row["input_tokens"] == expected
    assert row["cost_usd"] is None or row["cost_usd"] >= 0


@pytest.mark.parametrize(
    ("said", "weight"),
    [
        (10.0, 10.0), (2.5, 2.5), (1_000_000.0, 1e6), (7, 7.0), ("20", 20.0),
        (0.5, 1.0), (-3.0, 1.0), (1_000_000.5, 1.0), (float("inf"), 1.0), (float("nan"), 1.0), ("many", 1.0),
        (True, 1.0), ("", 1.0),
    ],
)  # fmt: skip
def test_a_span_stands_for_as_many_as_its_sender_says(
    engine: Engine, tmp_path: Path, said: Any, weight: float
) -> None:
    """A weight from 1 to a million counts; whatever else is said there, the span stands for itself."""
    (row,) = stored(engine, tmp_path, request(span({"sightline.sample.weight": said})))
    assert row["weight"] == weight


def test_a_span_of_a_thinned_trace_is_noted(engine: Engine, tmp_path: Path) -> None:
    """What a sampler left of a trace says so."""
    (row,) = stored(engine, tmp_path, request(span({"sightline.sample.thinned": True})))
    assert (row["notes"], row["weight"]) == (["thinned"], 1.0)


def test_a_resource_is_capped_before_it_is_copied_to_every_span(engine: Engine, tmp_path: Path) -> None:
    """2,000 resource attributes times 10,000 spans fit in memory: 128 of them are kept, or 16 KB."""
    spans = [span(span_id=number.to_bytes(8, "big")) for number in range(10_000)]
    many = {f"resource.{number}": "x" * 20 for number in range(2000)}
    rows = stored(engine, tmp_path, request(*spans, resource=many), items=10_000)
    assert rows[0]["resource_attributes"] == dict(list(many.items())[:128])
    fat = {f"resource.{number}": "x" * 6000 for number in range(9)}
    (row,) = stored(engine, tmp_path, request(span(), resource=fat))
    assert row["resource_attributes"] == dict(list(fat.items())[:2])


def test_a_client_cannot_forge_the_trailer(engine: Engine, tmp_path: Path) -> None:
    """Fields 1001 to 1006 in a body, before or after its spans, lose against those of the collector."""
    body = request(span()).SerializeToString()
    forged = b"".join(
        [
            b"\xc8\x3e" + varint(5),
            b"\xd0\x3e" + varint(999_999),
            b"\xda\x3e\x03bad",
            b"\xe2\x3e\x05other",
            b"\xe2\x3e\x00",
            b"\xe8\x3e" + varint(7),
        ]
    )
    for attempt in (forged + body, body + forged, forged + body + forged + body):
        items = attempt.count(body)
        for row in stored(engine, tmp_path, attempt, items=items, project="mine"):
            assert row == PLAIN | {"batch": row["batch"], "project": "mine"}


def test_an_empty_request_is_no_rows(engine: Engine, tmp_path: Path) -> None:
    """A resource without scopes, a scope without spans, nothing at all: stored without a row or an error."""
    assert stored(engine, tmp_path, ExportTraceServiceRequest(), items=0) == []
    assert stored(engine, tmp_path, request(), items=0) == []


def test_spans_of_many_requests_keep_their_own_resource_and_scope(engine: Engine, tmp_path: Path) -> None:
    """Rows of one block never borrow from each other: attributes are sliced out of one list a span."""
    batch = next(batches)
    requests = []
    for number in range(40):
        values = {f"k{n}": any_value(n).int_value for n in range(number % 5)}
        made = [span(values, name=f"{number:02}-{n}") for n in range(number % 3 + 1)]
        requests.append((request(*made, resource={"service.name": f"s{number}"}), len(made)))
    insert(engine, Signal.TRACES, requests, tmp_path / "segment", batch=batch)
    rows = engine.rows(EVERY_COLUMN, {"batch": batch})
    assert len(rows) == sum(items for _, items in requests)
    for row in rows:
        number = int(row["name"][:2])
        assert row["service"] == f"s{number}"
        assert row["attributes"] == {f"k{n}": str(n) for n in range(number % 5)}

"""Spans that tell of model calls, and a store that takes them, settles, and is asked what it all came to."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import NOW_NS, WRITER, attributes

from sightline_collector.settle.arrivals import of_batches
from sightline_collector.settle.given_again import AGAIN_NS, remember
from sightline_collector.settle.settling import Settled, settle_arrival
from sightline_collector.settle.suspects import Look
from sightline_collector.store.batch import insert_segment
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Entry, Signal, frame

batches = itertools.count(1)
clock = itertools.count(NOW_NS + 1).__next__
SECOND_NS = 10**9
CLAUDE = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5", "gen_ai.usage.input_tokens": 18495,
    "gen_ai.usage.output_tokens": 445, "gen_ai.usage.cache_read.input_tokens": 16399,
    "gen_ai.usage.cache_write.input_tokens": 2089,
}  # fmt: skip
CLAUDE_USD = Decimal("0.01944945")
ASKED = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
}  # fmt: skip
ANSWER = {"gen_ai.response.id": "chatcmpl-9aZbYcXdWeVfUgThSiRj"}


@dataclass(frozen=True)
class Told:
    """A span that tells of something: a number for its id and its parent's, seconds for its times."""

    number: int
    parent: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)
    scope: str = "a"
    start: float = 0
    seconds: float = 1
    trace: int = 1
    trace_state: str = ""
    failed: bool = False


def used(operation: str, tokens: tuple[int, int], **more: Any) -> dict[str, Any]:
    """Attributes of a span of an operation that reports tokens of gpt-4o."""
    return {
        "gen_ai.operation.name": operation, "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": tokens[0],
        "gen_ai.usage.output_tokens": tokens[1], **more,
    }  # fmt: skip


def usd(input_tokens: int, output_tokens: int) -> Decimal:
    """What gpt-4o costs: 2.5 and 10 USD for a million tokens."""
    return (Decimal("2.5") * input_tokens + 10 * output_tokens) / 1_000_000


def request(told: Iterable[Told]) -> tuple[ExportTraceServiceRequest, int]:
    """Spans as one request, and how many."""
    export, items = ExportTraceServiceRequest(), 0
    for each in told:
        scope_spans = export.resource_spans.add().scope_spans.add()
        scope_spans.scope.name = each.scope
        start = NOW_NS - 60 * SECOND_NS + int(each.start * SECOND_NS)
        span = scope_spans.spans.add(
            trace_id=each.trace.to_bytes(16, "big"), span_id=each.number.to_bytes(8, "big"),
            parent_span_id=each.parent.to_bytes(8, "big") if each.parent else b"",
            name=f"span {each.number}", start_time_unix_nano=start, trace_state=each.trace_state,
            end_time_unix_nano=start + int(each.seconds * SECOND_NS), attributes=attributes(each.attributes),
        )  # fmt: skip
        span.status.code = 2 if each.failed else 0
        items += 1
    return export, items


Total = tuple[int, Decimal, int, int]
Case = tuple[list[Told], Total]
"""What is told, and what it comes to."""

CALLS = {
    "cost_by_model": "calls", "cost_by_feature": "calls", "cost_by_user": "calls", "cost_daily": "calls",
    "trace_summary": "model_calls", "spans": "counted * weight",
    "usage_hourly": "if(operation in ('llm', 'embedding', 'rerank'), calls, 0)",
}  # fmt: skip
"""How each view says how many calls were paid. They must agree, to the last digit and token."""

USD = {"spans": "cost_usd * toDecimal64(weight, 6)"}
TOKENS = {"spans": "input_tokens * counted * weight"}


@dataclass
class Store:
    """A store that takes spans as segments, and settles after each."""

    engine: Engine
    folder: Path
    settled_until: int = 0

    def take(self, told: Sequence[Told] | Mapping[str, Sequence[Told]], received_at_ns: int = NOW_NS) -> None:
        """One segment: a request of the default project, or one of each project."""
        by_project = told if isinstance(told, Mapping) else {"default": told}
        segment, batch = self.folder / "segment", next(batches)
        with segment.open("wb") as file:
            for project, spans in by_project.items():
                body, items = request(spans)
                entry = Entry(body.SerializeToString(), items, project, received_at_ns)
                length, trailer = frame(entry, batch, WRITER)
                file.write(length + entry.body + trailer)
        insert_segment(self.engine, Signal.TRACES, segment)

    def take_in_steps(self, told: Mapping[str, Sequence[Told]]) -> None:
        """The spans of each project one by one, and of all projects together; it is settled after each."""
        for step in range(max(map(len, told.values()))):
            self.take(
                {name: [spans[step]] for name, spans in told.items() if step < len(spans)}, NOW_NS + step
            )
            self.settle()

    def settle(self) -> Settled:
        """Judge what came since the last time, as a collector does."""
        newest = int(self.engine.value("select max(batch) from spans_v1") or 0)
        arrival = of_batches(WRITER, self.settled_until, newest)
        self.settled_until = newest
        remember(self.engine, arrival, AGAIN_NS)
        return settle_arrival(self.engine, arrival, clock)

    def settle_all(self) -> Settled:
        """Judge everything again."""
        return settle_arrival(self.engine, of_batches(WRITER, 0, 10**9), clock, look=Look(anew=True))

    def total(self, project: str = "default") -> Total:
        """Calls, USD, tokens in and out of a project, as all views agree on."""
        found = {view: self._totals(view)[project] for view in CALLS}
        assert len(set(found.values())) == 1, found
        return found["trace_summary"]

    def totals(self) -> dict[str, Total]:
        """The same of each project, by its name."""
        by_view = {view: self._totals(view) for view in CALLS}
        assert all(totals == by_view["trace_summary"] for totals in by_view.values()), by_view
        return by_view["trace_summary"]

    def _totals(self, view: str) -> dict[str, Total]:
        rows = self.engine.rows(
            f"select project, sum({CALLS[view]}) as calls, sum({USD.get(view, 'cost_usd')}) as usd,"
            f" sum({TOKENS.get(view, 'input_tokens')}) as input,"
            f" sum({TOKENS.get(view, 'output_tokens').replace('input', 'output')}) as output"
            f" from {view} group by project"
        )
        return {
            row["project"]: (
                round(row["calls"]), row["usd"] or Decimal(0), int(row["input"] or 0), int(row["output"] or 0)
            )
            for row in rows
        }  # fmt: skip

"""One trace drawn as a tree, with a bar for where each span lies in the trace's time. Pure.

invoke_workflow support      ████████████████████████  84.1 ms
├─ refuse_secrets            ▏                          0.1 ms
└─ invoke_agent support_agent  ██████████████████████  83.5 ms
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

BAR_WIDTH: Final = 20


@dataclass(frozen=True, slots=True)
class Span:
    """A row of the view `spans`; `started_ms` since any moment that all spans share."""

    span_id: str
    parent_span_id: str
    name: str
    started_ms: float
    duration_ms: float
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: Decimal | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Span":
        """From a row in JSON, where long numbers and decimals may be texts."""
        cost, tokens_in, tokens_out = row["cost_usd"], row["input_tokens"], row["output_tokens"]
        return cls(
            str(row["span_id"]),
            str(row["parent_span_id"]),
            str(row["name"]),
            datetime.fromisoformat(row["started_at"]).replace(tzinfo=UTC).timestamp() * 1000,
            float(row["duration_ms"]),
            None if tokens_in is None else int(tokens_in),
            None if tokens_out is None else int(tokens_out),
            None if cost is None else Decimal(str(cost)),
        )


def draw(spans: Sequence[Span]) -> str:
    """The tree, one line a span in the order of their starts; a span whose parent is missing is a root."""
    if not spans:
        return ""
    begin_ms = min(span.started_ms for span in spans)
    whole_ms = max(span.started_ms + span.duration_ms for span in spans) - begin_ms
    named = list(_walk(spans))
    width = max(len(name) for name, _ in named)
    bars = (_bar(span.started_ms - begin_ms, span.duration_ms, whole_ms) for _, span in named)
    return "\n".join(
        f"{name:<{width}}  {bar}  {_facts(span)}".rstrip()
        for (name, span), bar in zip(named, bars, strict=True)
    )


def _walk(spans: Sequence[Span]) -> Iterator[tuple[str, Span]]:
    ordered = sorted(spans, key=lambda span: span.started_ms)
    known = {span.span_id for span in spans}
    below: dict[str, list[Span]] = {}
    for span in ordered:
        below.setdefault(span.parent_span_id if span.parent_span_id in known else "", []).append(span)
    for root in below.get("", []):
        yield root.name, root
        yield from _children(root, below, "")


def _children(parent: Span, below: Mapping[str, Sequence[Span]], indent: str) -> Iterator[tuple[str, Span]]:
    children = below.get(parent.span_id, [])
    for child in children:
        last = child is children[-1]
        yield f"{indent}{'└─' if last else '├─'} {child.name}", child
        yield from _children(child, below, indent + ("   " if last else "│  "))


def _bar(started_ms: float, duration_ms: float, whole_ms: float) -> str:
    """At least a sliver, however short the span."""
    scale = BAR_WIDTH / whole_ms if whole_ms else 0
    start = min(BAR_WIDTH - 1, round(started_ms * scale))
    length = min(BAR_WIDTH - start, round(duration_ms * scale))
    return (" " * start + ("█" * length or "▏")).ljust(BAR_WIDTH)


def _facts(span: Span) -> str:
    facts = f"{span.duration_ms:8.1f} ms"
    if span.input_tokens is not None or span.output_tokens is not None:
        facts += f"  {span.input_tokens or 0:>6,} in {span.output_tokens or 0:>5,} out"
    return facts if span.cost_usd is None else f"{facts}  {span.cost_usd:.6f} USD"

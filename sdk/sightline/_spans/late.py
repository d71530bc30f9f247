"""Things that are known only when a foreign span has already ended.

A stream that is dropped unread is finished by the garbage collector: its instrumentation ends the span as
failed, before we could add what we saw. Whoever watches such a span is asked for its findings when the span
ends. Held weakly: a watcher that is gone is forgotten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol
from weakref import WeakValueDictionary

from opentelemetry.trace import Span

if TYPE_CHECKING:
    from sightline._answer import Answer


@dataclass(frozen=True, slots=True)
class Findings:
    """What to add to a finished span, what to take away; `forgiven` takes a failure back that was none."""

    added: Mapping[str, Any] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    forgiven: bool = False


class Watcher(Protocol):
    """Somebody who watched a span's work from outside."""

    def findings(self) -> Findings | None:
        """Asked once, when the span has ended; None when it is right as it is."""
        ...


watchers: Final[WeakValueDictionary[int, Watcher]] = WeakValueDictionary()  # by span id


def watch(span: Span, answer: "Answer") -> None:
    """Have what an answer could only guess counted on the span's way out; somebody must hold on to it."""
    if answer.uncounted is not None:
        watchers[span.get_span_context().span_id] = answer

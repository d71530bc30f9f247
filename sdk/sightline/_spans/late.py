"""Things that are known only when a foreign span has already ended.

A stream that is dropped unread is finished by the garbage collector: its instrumentation ends the span as
failed, before we could add what we saw. Whoever watches such a span is asked for its findings when the span
ends. Held weakly: a watcher that is gone is forgotten. A span may have several: its stream's, its prompt's.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol
from weakref import ReferenceType, ref

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


class Watchers:
    """Who watches which running span."""

    def __init__(self) -> None:
        self._of: dict[int, list[ReferenceType[Watcher]]] = {}  # by span id, in the order in which they came

    def __bool__(self) -> bool:
        return bool(self._of)

    def add(self, span_id: int, watcher: Watcher) -> None:
        """Have this one asked, too; somebody must hold on to it."""

        def gone(reference: "ReferenceType[Watcher]") -> None:
            known = self._of.get(span_id, [])
            with suppress(ValueError):  # of a span that has ended, or was forgotten
                known.remove(reference)
                if not known:
                    self._of.pop(span_id, None)

        self._of.setdefault(span_id, []).append(ref(watcher, gone))

    def pop(self, span_id: int, default: None = None) -> Watcher | None:
        """Those who watched this span, as one; they are asked no more."""
        known = self._of.pop(span_id, ())
        there = [watcher for watcher in (reference() for reference in known) if watcher is not None]
        return _Together(there) if len(there) > 1 else there[0] if there else default

    def forget(self, span_ids: Iterable[int]) -> None:
        """These spans will not end any more."""
        for span_id in span_ids:
            self._of.pop(span_id, None)


@dataclass(frozen=True, slots=True)
class _Together:
    """Several watchers of one span: what a later one says stands beside, or instead of, an earlier one's."""

    watchers: Sequence[Watcher]

    def findings(self) -> Findings | None:
        said = [findings for watcher in self.watchers if (findings := watcher.findings()) is not None]
        if len(said) < 2:
            return said[0] if said else None
        return Findings(
            added={name: value for each in said for name, value in each.added.items()},
            removed=tuple(name for each in said for name in each.removed),
            forgiven=any(each.forgiven for each in said),
        )


watchers: Final = Watchers()


def watch(span: Span, answer: "Answer") -> None:
    """Have what an answer could only guess counted on the span's way out; somebody must hold on to it."""
    if answer.uncounted is not None:
        watchers.add(span.get_span_context().span_id, answer)

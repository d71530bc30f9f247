"""What this process's model calls have used so far: exact sums, by trace, session, user, feature and time.

    allowed ──► under way ──┐
    ended ──► priced ──► settled: paid once ──► + trace, session, user and feature of the day, process, ...

Paid once: a call that tells the usage of calls below it again is marked so (see `_spans.twins`) and costs
nothing itself; one that tells none is no call beside those below it. A call under way counts as a call until
it has ended, so that a cap of calls holds for threads that ask at the same moment.
"""

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Context as Arithmetic
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sightline import attributes
from sightline._call_price import call_price, in_our_words
from sightline._fork import reset_in_child
from sightline._spans.attributes import attributes_of
from sightline.budget._caps import Sum
from sightline.errors import BudgetExceeded
from sightline.usage import from_attributes, normalised

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

T = TypeVar("T")
Key = tuple[Sum, object]

# How many of each are remembered; of more, those not heard of for longest are forgotten, and counted so.
BOUNDS: Final[Mapping[Sum, int]] = {
    "trace": 10_000,
    "session": 10_000,
    "user_day": 10_000,
    "feature_day": 1_000,
    "process": 1,
    "day": 2,  # calls that began before midnight end after it
    "month": 2,
}
UNDER_WAY_MAX: Final = 10_000
_NS_PER_DAY: Final = 86_400 * 1_000_000_000
# Wide enough for any sum of prices, whatever the program has set for its own arithmetic.
_EXACT: Final = Arithmetic(prec=60)


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used; `unpriced` are calls whose tokens have no known price, the last to `unpriced_model`."""

    usd: Decimal = Decimal(0)
    tokens: int = 0
    calls: int = 0
    unpriced: int = 0
    unpriced_model: str = ""

    def __add__(self, more: "Spent") -> "Spent":
        return Spent(
            _EXACT.add(self.usd, more.usd),
            self.tokens + more.tokens,
            self.calls + more.calls,
            self.unpriced + more.unpriced,
            more.unpriced_model or self.unpriced_model,
        )


NOTHING: Final = Spent()
_NO_USAGE: Final = Spent(calls=1)


class Spending:
    """Sums of this process, of any thread. A forked child counts for itself, from zero."""

    def __init__(self) -> None:
        self._reset()
        reset_in_child(self._reset)

    def _reset(self) -> None:
        # Reentrant: the garbage collector may end a span in the middle of any line here. What it ends is
        # put down, and settled by whoever was at it.
        self._lock = threading.RLock()
        self._busy = False
        self._ended: deque[tuple[int, int, Spent | None, Sequence[Key]]] = deque()
        self._sums: dict[Sum, OrderedDict[object, Spent]] = {kind: OrderedDict() for kind in BOUNDS}
        self._under_way: OrderedDict[int, Sequence[Key]] = OrderedDict()  # by span id
        self._calls_under_way: Counter[Key] = Counter()
        self._paid_below: OrderedDict[int, None] = OrderedDict()  # span ids
        self.forgotten: Counter[str] = Counter()

    def ended(self, span: "ReadableSpan") -> None:
        """Take note of any span that has ended."""
        values = attributes_of(span)
        ids, parent = span.context, span.parent.span_id if span.parent and _tells_above(values) else 0
        used = _used(values, span.start_time or 0)
        if used is None and ids.span_id not in self._paid_below and ids.span_id not in self._under_way:
            return
        keys = keys_of(values, ids.trace_id, span.start_time or 0) if used else ()
        self._ended.append((ids.span_id, parent, used, keys))
        with self._lock:
            self._settle()

    def spent(self, keys: Sequence[Key]) -> dict[Sum, Spent]:
        """What was used under each key, calls under way among the calls."""
        with self._lock:
            self._settle()
            return {kind: self._sum(kind, name) for kind, name in keys}

    def admit(
        self, span_id: int, above: Sequence[int], keys: Sequence[Key], judge: Callable[[dict[Sum, Spent]], T]
    ) -> T:
        """Judge by what was used so far; the call of this span is under way from then on, unless that raises.

        A call that is one with spans `above`, which were allowed already, takes their place; one that is
        asked for again has its own.
        """
        with self._lock:
            self._settle()
            self._busy = True
            try:
                for one in (span_id, *above):
                    self._leave(one)
                found = judge({kind: self._sum(kind, name) for kind, name in keys})
                self._begin(span_id, keys)
                return found
            finally:
                self._busy = False

    def pass_on(self, place_id: int, span_id: int) -> None:
        """The call under way is that of this span from now on."""
        with self._lock:
            if (keys := self._under_way.get(place_id)) is not None:
                self._leave(place_id)
                self._begin(span_id, keys)

    def give_back(self, place_id: int) -> None:
        """What was admitted is no call after all."""
        with self._lock:
            self._leave(place_id)

    def _settle(self) -> None:
        """Add what has ended; not in the middle of a settling, or of a question, of the same thread."""
        if self._busy:
            return
        self._busy = True
        try:
            while self._ended:
                self._settle_one(*self._ended.popleft())
        finally:
            self._busy = False

    def _settle_one(self, span_id: int, parent_id: int, used: Spent | None, keys: Sequence[Key]) -> None:
        self._leave(span_id)
        below = span_id in self._paid_below
        self._paid_below.pop(span_id, None)
        if used is not None and not (below and used == _NO_USAGE):
            self._add(used, keys)
        if parent_id and (used is not None or below):
            self._paid_below[parent_id] = None
            if len(self._paid_below) > UNDER_WAY_MAX:
                self._paid_below.popitem(last=False)

    def _begin(self, span_id: int, keys: Sequence[Key]) -> None:
        if span_id in self._under_way:
            return
        self._under_way[span_id] = keys
        for key in keys:
            self._calls_under_way[key] += 1
        if len(self._under_way) > UNDER_WAY_MAX:
            self._leave(next(iter(self._under_way)))
            self.forgotten["under_way"] += 1

    def _add(self, used: Spent, keys: Sequence[Key]) -> None:
        for kind, name in keys:
            sums = self._sums[kind]
            sums[name] = sums.get(name, NOTHING) + used
            sums.move_to_end(name)
            if len(sums) > BOUNDS[kind]:
                sums.popitem(last=False)
                self.forgotten[kind] += 1

    def _leave(self, span_id: int) -> None:
        keys = self._under_way.pop(span_id, ())
        for key in keys:
            self._calls_under_way[key] -= 1
            if not self._calls_under_way[key]:
                del self._calls_under_way[key]

    def _sum(self, kind: Sum, name: object) -> Spent:
        known = self._sums[kind].get(name, NOTHING)
        waiting = self._calls_under_way.get((kind, name), 0)
        return known + Spent(calls=waiting) if waiting else known


def keys_of(values: Mapping[str, Any], trace_id: int, at_ns: int) -> tuple[Key, ...]:
    """What a call of this trace, session, user and feature at this moment (ns since 1970, UTC) counts for."""
    day = _date(at_ns // _NS_PER_DAY)
    keys: list[Key] = [("process", ""), ("day", day), ("month", day[:7])]
    if trace_id:
        keys.append(("trace", trace_id))
    if session := values.get(attributes.SESSION_ID):
        keys.append(("session", session))
    if user := values.get(attributes.USER_ID):
        keys.append(("user_day", (day, user)))
    if feature := values.get(attributes.FEATURE):
        keys.append(("feature_day", (day, feature)))
    return tuple(keys)


@lru_cache(maxsize=16)
def _date(day: int) -> str:
    """The date of a day since 1970, UTC."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def _tells_above(values: Mapping[str, Any]) -> bool:
    """Whether the calls of this span may be those of a model call above it; see `_spans.twins`."""
    from sightline._spans.twins import EMBEDDINGS, is_aside

    return not is_aside(values) and values.get(attributes.GEN_AI_OPERATION) != EMBEDDINGS


def _used(values: Mapping[str, Any], at_ns: int) -> Spent | None:
    """What a span's own call used; None when it is no call, was never sent, or sums up the calls below it."""
    values = in_our_words(values)
    if (
        values.get(attributes.GEN_AI_OPERATION) not in attributes.MODEL_OPERATIONS
        or values.get(attributes.BUDGET_DECISION) == "deny"
        or str(values.get(attributes.ERROR_TYPE)).endswith(BudgetExceeded.__name__)
        or values.get(attributes.USAGE_AGGREGATED)
    ):
        return None
    usage = normalised(from_attributes(values))
    tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    with localcontext(_EXACT):
        if (said := values.get(attributes.COST_USD)) is not None:
            return Spent(Decimal(str(said)), tokens, 1)
        price = call_price(values, at_ns - values.get(attributes.BACKDATE_NS, 0))
    if price is None or price.usd is None:
        model = values.get(attributes.RESPONSE_MODEL) or values.get(attributes.REQUEST_MODEL) or "no name"
        return Spent(Decimal(0), tokens, 1, 1, str(model)) if usage else Spent(tokens=tokens, calls=1)
    return Spent(price.usd, tokens, 1)

"""What a soak has shown, minute by minute, and which promises it broke. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from soak.load import BROKE, SPANS, Answers
from soak.stored import Stored

RETRYABLE = frozenset({429, 503})
RSS_BOUND_BYTES = (1500 + 256 + 256) << 20
"""The engine's bound, that of bodies in flight, and what Python and its libraries take."""
BACK_WITHIN_S = 20.0
"""From a fault's end until requests are taken at half the usual rate again: 5 s of a store's longest pause,
one insert of the largest segment, and what other programs on the machine take."""
WINDOW_S = 4.0
P99_BOUND_S = 5.0
"""In a minute without a fault. An exporter gives up after 10 s."""


@dataclass(frozen=True, slots=True)
class Happened:
    """A fault, from its beginning to its end; `why`: what the collector did then that it must not."""

    what: str
    begin_s: float
    end_s: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Minute:
    """What the load saw in a minute. Latencies are of answers of any status; goodput is spans a second."""

    number: int
    statuses: dict[int, int]
    p50_ms: float
    p99_ms: float
    goodput: tuple[float, ...]
    rss_most_mb: float
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was recorded."""

    began_s: float
    ended_s: float
    answers: Answers
    rss: Sequence[tuple[float, int]]
    faults: Sequence[Happened]
    acknowledged: frozenset[str]
    drained: bool = True


def minutes(seen: Seen) -> Iterator[Minute]:
    """A row a minute, goodput every 10 s within it."""
    for number in range(int((seen.ended_s - seen.began_s) // 60) + 1):
        begin = seen.began_s + 60 * number
        end = min(begin + 60, seen.ended_s)
        a = seen.answers
        mine = [i for i in range(len(a.at_s)) if begin <= a.at_s[i] < end]
        took = sorted(a.took_s[i] for i in mine if a.status[i] != BROKE)
        tens = Counter(int((a.at_s[i] - begin) // 10) for i in mine if a.status[i] == 200)
        yield Minute(
            number,
            dict(sorted(Counter(a.status[i] for i in mine).items())),
            quantile(took, 0.5) * 1e3,
            quantile(took, 0.99) * 1e3,
            tuple(tens[ten] * SPANS / 10 for ten in range(max(1, round((end - begin) / 10)))),
            max((size for at, size in seen.rss if begin <= at < end), default=0) / (1 << 20),
            tuple(fault.what for fault in seen.faults if fault.begin_s < end and fault.end_s > begin),
        )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Of sorted values; 0 when there are none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def broken(seen: Seen, stored: Stored) -> list[str]:
    """Each promise that was not kept, in a sentence."""
    found = [f"{fault.what}: {fault.why}" for fault in seen.faults if fault.why]
    if not seen.drained:
        found.append("what was acknowledged was not stored minutes after the load had ended")
    found += [*_of_answers(seen), *_of_the_store(seen, stored), *_of_time(seen)]
    most = max((size for _, size in seen.rss), default=0)
    if most > RSS_BOUND_BYTES:
        found.append(f"memory: {most >> 20} MB, beyond {RSS_BOUND_BYTES >> 20} MB")
    return found


def _of_answers(seen: Seen) -> Iterator[str]:
    a = seen.answers
    odd = Counter(status for status in a.status if status not in {200, BROKE, *RETRYABLE})
    if odd:
        yield f"refusals that no sender tries again: {dict(odd)}"
    silent = sum(
        1 for status, told in zip(a.status, a.told_when, strict=True) if status in RETRYABLE and not told
    )
    if silent:
        yield f"{silent} refusals do not say when to come back"


def _of_the_store(seen: Seen, stored: Stored) -> Iterator[str]:
    lost = seen.acknowledged - stored.spans.keys()
    if lost:
        yield f"{len(lost)} acknowledged requests are not stored, such as {min(lost)}"
    counts = Counter(n for trace, n in stored.spans.items() if n != SPANS and trace in seen.acknowledged)
    if counts:
        yield f"acknowledged requests with another number of spans than {SPANS}: {dict(counts)}"
    if not stored.roll_ups_agree:
        yield "the roll-ups say other than the rows"


def _of_time(seen: Seen) -> Iterator[str]:
    usual = usual_per_s(seen)
    for fault, after_s in recoveries(seen, usual):
        if after_s is None or after_s > BACK_WITHIN_S:
            yield f"after {fault.what} goodput was back after {after_s and round(after_s)} s"
    for minute in minutes(seen):
        if not minute.faults and minute.p99_ms > P99_BOUND_S * 1e3:
            yield f"minute {minute.number}, without a fault: p99 of answers {minute.p99_ms:.0f} ms"


def usual_per_s(seen: Seen) -> float:
    """Requests a second that are taken in the median second without a fault."""
    taken = _taken_by_second(seen)
    calm = [
        taken[second]
        for second in range(int(seen.ended_s - seen.began_s))
        if not any(f.begin_s - 1 <= seen.began_s + second <= f.end_s + 5 for f in seen.faults)
    ]
    return sum(calm) / len(calm) if calm else 0.0


def recoveries(seen: Seen, usual: float) -> Iterator[tuple[Happened, float | None]]:
    """Seconds from the end of each fault until half of the usual is taken again; None when the next fault,
    or the end, came before that could be seen."""
    taken = _taken_by_second(seen)
    ends = [*(f.begin_s for f in seen.faults[1:]), seen.ended_s]
    for fault, until_s in zip(seen.faults, ends, strict=False):
        first, last = (int(at - seen.began_s) + 1 for at in (fault.end_s, until_s - WINDOW_S))
        windows = range(first, max(first, last))
        back = (s for s in windows if sum(taken[s + n] for n in range(int(WINDOW_S))) >= usual * WINDOW_S / 2)
        second = next(back, None)
        if second is not None:
            yield fault, max(0.0, second - (fault.end_s - seen.began_s))
        elif last - first > BACK_WITHIN_S:
            yield fault, None


def _taken_by_second(seen: Seen) -> Counter[int]:
    a = seen.answers
    pairs = zip(a.at_s, a.status, strict=True)
    return Counter(int(at - seen.began_s) for at, status in pairs if status == 200 and at >= seen.began_s)


def longest_silence_s(seen: Seen) -> float:
    """The longest time in which nothing was acknowledged."""
    a = seen.answers
    times = sorted(at for at, status in zip(a.at_s, a.status, strict=True) if status == 200)
    return max((late - early for early, late in pairwise(times)), default=0.0)

"""Groups of traces that are judged together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

Trace = tuple[str, str]
"""Project and trace."""

Group = frozenset[Trace]
"""Traces that are judged together: they may tell of a common call, or one stands alone."""

Stretch = tuple[int, int]
"""When something began and ended, in Unix ns."""

Told = Sequence[tuple[int, Trace]]
"""Traces that tell of the same, each with the time at which it does, in Unix ns."""


def joined(groups: Iterable[Group]) -> list[Group]:
    """Groups that share a trace, as one."""
    home: dict[Trace, set[Trace]] = {}
    for group in groups:
        merged = set(group)
        for trace in group:
            merged |= home.get(trace, set())
        for trace in merged:
            home[trace] = merged
    unique = {id(group): group for group in home.values()}
    return [frozenset(group) for group in unique.values()]


def in_portions(groups: Sequence[Group], traces: int) -> Iterator[list[Group]]:
    """The groups, in lists of about so many traces each."""
    portion: list[Group] = []
    for group in groups:
        portion.append(group)
        if sum(map(len, portion)) >= traces:
            yield portion
            portion = []
    if portion:
        yield portion


def chained(told: Told, gap_ns: int) -> Iterator[Told]:
    """What is told, parted where more than a gap lies between; parts of one trace are left out."""
    part: list[tuple[int, Trace]] = []
    for at_ns, trace in sorted(told):
        if part and at_ns - part[-1][0] > gap_ns:
            yield from _of_several(part)
            part = []
        part.append((at_ns, trace))
    yield from _of_several(part)


def _of_several(part: Told) -> Iterator[Told]:
    if len({trace for _, trace in part}) > 1:
        yield part


def reached(groups: Iterable[Group], times: Mapping[Trace, Stretch]) -> Stretch:
    """From when to when some groups' traces run, as far as that is known of any."""
    known = [times[trace] for group in groups for trace in group if trace in times]
    return min(first for first, _ in known), max(last for _, last in known)

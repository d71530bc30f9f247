"""Units: claims that tell of one call. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sightline_collector.settle.claim import Claim, Key

Unit = list[Claim]
"""Claims that tell of one call."""


class Units:
    """Some claims, each of a call of its own until they are joined. `how`: by what each was joined, ''
    for one that others were joined to."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self._of: dict[Key, Unit] = {claim.key: [claim] for claim in claims}
        self.how: dict[Key, str] = dict.fromkeys(self._of, "")

    def __iter__(self) -> Iterator[Unit]:
        """Every unit once."""
        return iter({id(unit): unit for unit in self._of.values()}.values())

    def of(self, claim: Claim) -> Unit:
        """All that tell of the call of a claim."""
        return self._of[claim.key]

    def join(self, claims: Sequence[Claim], how: str) -> Unit:
        """Make the units of some claims one."""
        unit = self.of(claims[0])
        for claim in claims:
            other = self.of(claim)
            if other is not unit:
                unit += other
                self._of |= dict.fromkeys((each.key for each in other), unit)
                self.how |= {each.key: self.how[each.key] or how for each in other}
        return unit

"""Who is told what the log does, for the counters."""

from typing import Protocol

from sightline_collector.wal.segment import Damage, Signal


class Watcher(Protocol):
    """Who wants to know what the log does, for the counters."""

    def group_committed(self, signal: Signal, records: int, seconds: float) -> None:
        """A group of records became durable, `seconds` after its write began."""

    def damage_found(self, signal: Signal, damage: Damage) -> None:
        """Bytes of a left segment were no record and were cut out."""


class Quiet:
    """A watcher that looks away."""

    def group_committed(self, signal: Signal, records: int, seconds: float) -> None: ...

    def damage_found(self, signal: Signal, damage: Damage) -> None: ...

"""What a sender is told when the log is full: by the log itself, and by the doors that ask before it."""

from sightline_collector.errors import LogFull

RETRY_TURNS_S = 3
"""Refused senders are told 1, 2 and 3 seconds in turn, so that they do not come back at the same moment."""


class Turns:
    """Seconds to wait, another for each that asks."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told = 0

    def next_s(self) -> int:
        """1 to RETRY_TURNS_S."""
        told, self._told = self._told, self._told + 1
        return 1 + told % RETRY_TURNS_S


def log_full(message: str, retry_after_s: int) -> LogFull:
    """That, with what helps."""
    return LogFull(
        message,
        hint="Retry; the operator has to see whether the store keeps up, or allow the log more bytes",
        retry_after_s=retry_after_s,
    )

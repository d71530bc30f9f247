"""What one request, and all of them together, may take."""

from dataclasses import dataclass

from sightline_collector.wal.segment import BLOCK_ITEMS_MAX

SHARED_BYTES_MOST = 16 << 10
"""Attributes of a resource and its scope that are kept: sightline_capped in sql/functions."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the doors. Beyond the first five the sender is at fault, beyond the last two it may wait."""

    body_bytes: int = 64 << 20
    """Of one request, before and after inflating: the default that OTLP 1.11 recommends. Parsing takes up to
    30 bytes of memory for a byte of hostile content, one request at a time: lower it if that is too much."""

    items: int = BLOCK_ITEMS_MAX
    """Spans, log records, metrics or data points, and also resources and scopes, of one request."""

    shared_bytes: int = 128 << 20
    """Attributes of resources and scopes as rows have them: each of its items carries a copy."""

    inflate_ratio: int = 1000
    """Bytes inflated for a byte received. Telemetry shrinks five- to thirtyfold; an agent's batch, in which
    each call repeats the prompt, 600-fold by zstd. What memory it may take, `body_bytes` bounds."""

    body_wait_s: float = 30.0
    """From a request's head to the end of its body."""

    in_flight_bytes: int = 256 << 20
    """Bodies, as received and inflated, of all requests that are not answered yet."""

    on_their_way_bytes: int = 1 << 30
    """gRPC messages that are not whole yet, each counted as the largest: gRPC does not say its size."""

    @property
    def messages(self) -> int:
        """How many of them there may be."""
        return max(1, self.on_their_way_bytes // self.body_bytes)


DEFAULT = Limits()

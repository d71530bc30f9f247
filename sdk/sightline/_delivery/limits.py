"""How much waits to be sent, and how long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a queue, and when it is emptied."""

    # A burst of 10,000 spans fits twice: emptying at 512 a request of 50 ms lags far behind a tight loop.
    max_items: int = 20_000
    max_bytes: int = 128 * 1024 * 1024  # by `weigh`; fat prompts fill memory long before the count does
    batch_items: int = 512
    batch_bytes: int = 4 * 1024 * 1024  # collectors refuse requests of 16 or 64 MB; small ones retry cheaply
    delay_s: float = 1.0  # how old a lone item may get before it is sent

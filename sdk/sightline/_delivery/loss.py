"""The ledger of what was dropped: exact counts, kept until somebody has been told.

dropped ──► lost[signal, reason] ──take──► a `sightline.loss` record is sent ──► told
                    ▲                                   │ not delivered
                    └────────────── give back ◄─────────┘
"""

import threading
from collections import Counter
from collections.abc import Mapping

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource

from sightline import _clock, attributes
from sightline._fork import reset_in_child

Loss = tuple[str, str]  # signal (traces, logs), reason (queue_full, export_failed, ...)


class Ledger:
    """Counts by signal and reason: those still to be told, and all since the start."""

    def __init__(self) -> None:
        self._reset()
        reset_in_child(self._reset)

    def _reset(self) -> None:
        """Start at zero; also in a forked child, since its parent tells what was lost before."""
        self._lock = threading.Lock()
        self._untold: Counter[Loss] = Counter()
        self._total: Counter[Loss] = Counter()

    def add(self, signal: str, reason: str, items: int) -> None:
        with self._lock:
            self._untold[signal, reason] += items
            self._total[signal, reason] += items

    def take(self) -> dict[Loss, int]:
        """What is still to be told; whoever takes it must tell it or give it back."""
        with self._lock:
            taken = dict(self._untold)
            self._untold.clear()
            return taken

    def give_back(self, losses: Mapping[Loss, int]) -> None:
        with self._lock:
            self._untold.update(losses)

    def total(self) -> dict[Loss, int]:
        """All that was dropped since the start."""
        with self._lock:
            return dict(self._total)


def loss_record(signal: str, reason: str, items: int, resource: Resource) -> ReadableLogRecord:
    """The `sightline.loss` event of one signal and reason."""
    record = LogRecord(
        timestamp=_clock.now_ns(),
        observed_timestamp=_clock.now_ns(),
        severity_number=SeverityNumber.WARN,
        event_name=attributes.LOSS_EVENT,
        attributes={
            attributes.LOSS_ITEMS: items,
            attributes.LOSS_SIGNAL: signal,
            attributes.LOSS_REASON: reason,
            attributes.LOSS_WHERE: "sender",
        },
    )
    return ReadableLogRecord(record, resource)

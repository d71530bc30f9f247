"""From a finished span or log record to the collector's answer: queues, sender, spool, and what was lost.

spans ─► Shipper ─► steps, Guard ─► Sender ─► collector
logs  ─► Shipper ─────────► Guard ─► Sender ─► collector
            │ nobody there now, and a spool was chosen
            └─► Replay: folder ─► later ─► Sender ─► collector
what was dropped ─► Ledger ─► a log record ─► Sender ─► collector
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan

from sightline import _safety, attributes
from sightline._delivery.destination import Signal
from sightline._delivery.loss import Ledger, loss_record
from sightline._delivery.otlp import log_request, trace_request
from sightline._delivery.refusal import UNREACHABLE, Refusal
from sightline._delivery.replay import replays
from sightline._delivery.sender import Sender
from sightline._delivery.shipping import Shipper
from sightline._delivery.undelivered import lost
from sightline._outgoing import Step, prepare
from sightline._spans.attributes import attributes_of

if TYPE_CHECKING:
    from sightline._settings import Settings

# How long an exit may wait. A full queue takes 3 s; a dead collector would take for ever.
CLOSE_S: Final = 5.0
CLOSE_UNREACHABLE_S: Final = 1.0  # the latest attempt has failed already
_AWAY: Final = Refusal(UNREACHABLE, later=True)


class Delivery:
    """`spans` and `logs` take what is finished; nothing here waits for the network in the caller's thread."""

    def __init__(
        self,
        settings: "Settings",
        resource: Resource,
        steps: Sequence[Step],
        guarded: Callable[[ReadableLogRecord], ReadableLogRecord],
    ) -> None:
        self._resource, self._steps, self._guarded = resource, steps, guarded
        self.sender, self.ledger = Sender(settings.destination), Ledger()
        self.replays = replays(settings, self._send_again, self._lost)
        limits = settings.limits
        self.bounds = {"queued": limits.max_items, "queued_bytes": limits.max_bytes}
        if self.replays:
            self.bounds["spooled_bytes"] = settings.spool_max_bytes
        self.spans: Shipper[ReadableSpan] = Shipper(
            "spans",
            self._send_spans,
            weigh=span_bytes,
            lost=self._lost("traces"),
            limits=limits,
            keep=self._keep_spans if self.replays else None,
        )
        self.logs: Shipper[ReadableLogRecord] = Shipper(
            "logs",
            self._send_logs,
            weigh=log_bytes,
            lost=self._lost("logs"),
            limits=limits,
            keep=self._keep_logs if self.replays else None,
        )

    def start(self) -> None:
        """Begin with what an earlier process had to leave on disk."""
        for replay in self.replays.values():
            replay.start()

    def sent(self, signal: Signal) -> int:
        """Items that the collector took, those from disk included."""
        replay = self.replays.get(signal)
        return (self.spans if signal == "traces" else self.logs).sent + (replay.sent if replay else 0)

    def flush(self, timeout_s: float) -> bool:
        """Spans first: what they lose is told with the logs."""
        deadline_s = time.monotonic() + timeout_s
        flushed = self.spans.flush(timeout_s) & self.logs.flush(_left(deadline_s))
        for replay in self.replays.values():
            flushed &= replay.flush(_left(deadline_s))
        self._tell_losses(_left(deadline_s))
        return flushed

    def close(self, within_s: float = CLOSE_S + CLOSE_UNREACHABLE_S) -> None:
        """Send what can be sent soon; keep or count the rest."""
        patience_s = CLOSE_S if self.sender.reachable else CLOSE_UNREACHABLE_S
        patience_s = max(min(patience_s, within_s - CLOSE_UNREACHABLE_S), 0.0)
        deadline_s = time.monotonic() + patience_s
        self.spans.close(patience_s)
        self.logs.close(_left(deadline_s))
        for replay in self.replays.values():
            replay.flush(_left(deadline_s))
        self._tell_losses(_left(deadline_s))
        self.sender.close()
        self.spans.give_up(CLOSE_UNREACHABLE_S)
        self.logs.give_up(0.0)
        self._leave_losses()
        for replay in self.replays.values():
            replay.close()

    def _lost(self, signal: str) -> Callable[[str, int], None]:
        return lambda reason, items: self.ledger.add(signal, reason, items)

    def _send_spans(self, batch: Sequence[ReadableSpan]) -> Refusal | None:
        if self.replays and self.replays["traces"].away:
            return _AWAY
        refusal = self.sender.spans(prepare(batch, self._steps), len(batch))
        if refusal is None:
            self._tell_losses()
        return refusal

    def _send_logs(self, batch: Sequence[ReadableLogRecord]) -> Refusal | None:
        if self.replays and self.replays["logs"].away:
            return _AWAY
        return self.sender.logs(map(self._guarded, batch), len(batch))

    def _keep_spans(self, batch: Sequence[ReadableSpan]) -> str | None:
        return self.replays["traces"].keep(batch, lambda part: trace_request(prepare(part, self._steps)))

    def _keep_logs(self, batch: Sequence[ReadableLogRecord]) -> str | None:
        return self.replays["logs"].keep(batch, lambda part: log_request(map(self._guarded, part)))

    def _send_again(self, signal: Signal, body: bytes) -> Refusal | None:
        refusal = self.sender.request(signal, body)
        if refusal is None:
            self._tell_losses()
        return refusal

    @_safety.shielded
    def _tell_losses(self, within_s: float = math.inf) -> None:
        """In the thread of whoever calls: those who have no time leave it to the next."""
        if not self.sender.reachable or within_s <= 0:
            return
        losses = self.ledger.take()
        told = not losses
        try:
            records = [loss_record(*loss, items, self._resource) for loss, items in losses.items()]
            told = told or self.sender.logs(records, len(records), within_s) is None
        finally:
            if not told:
                self.ledger.give_back(losses)

    @_safety.shielded
    def _leave_losses(self) -> None:
        """What nobody could be told is told to the log, and to the next process, if it reads our spool."""
        losses = self.ledger.take()
        for (signal, reason), items in losses.items():
            address = self.sender.route("traces" if signal == "traces" else "logs").address
            _safety.log.warning("%s", lost(items, signal, reason, address))
        if losses and self.replays:
            records = [loss_record(*loss, items, self._resource) for loss, items in losses.items()]
            self.replays["logs"].keep(records, log_request, tells_losses=True)


def _left(deadline_s: float) -> float:
    return max(deadline_s - time.monotonic(), 0.0)


_FAT_ATTRIBUTES: Final = (
    attributes.INPUT_MESSAGES,
    attributes.OUTPUT_MESSAGES,
    attributes.INPUT,
    attributes.OUTPUT,
    attributes.TOOL_ARGUMENTS,
    attributes.TOOL_RESULT,
)
_SPAN_BYTES: Final = 2_000  # a span object with twenty small attributes


def span_bytes(span: ReadableSpan) -> int:
    """About what a span takes in memory: a fixed sum and its content, foreign ones' wherever it is."""
    values = attributes_of(span)
    if attributes.OPERATION not in values:
        return _SPAN_BYTES + _text_in(values) + sum(_text_in(event.attributes) for event in span.events)
    weight = _SPAN_BYTES
    for name in _FAT_ATTRIBUTES:
        if name in values and isinstance(text := values[name], str):
            weight += len(text)
    if attributes.UNCOUNTED in values:
        weight += values[attributes.UNCOUNTED].chars
    return weight


def log_bytes(record: ReadableLogRecord) -> int:
    """About what a log record takes in memory."""
    inner = record.log_record
    return _SPAN_BYTES + _text_in(inner.attributes) + (len(inner.body) if isinstance(inner.body, str) else 0)


def _text_in(values: Any) -> int:
    return sum(len(value) for value in values.values() if isinstance(value, str)) if values else 0

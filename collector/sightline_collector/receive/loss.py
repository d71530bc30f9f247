"""What the doors refused for good is told to those who query: as log records, through the log itself.

Only refusals that the sender must not retry are losses; one that may be retried is not, and what its sender
gives up in the end it reports itself. Where a refused body could not be counted, it counts as one item.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber

from sightline import attributes
from sightline_collector.errors import (
    AccessFault,
    Fault,
    SenderFault,
    UnknownPath,
    WaitingMayHelp,
    WrongMethod,
)
from sightline_collector.health import Health
from sightline_collector.wal.segment import DEFAULT_PROJECT, Signal

REPORT_EVERY_S = 10.0

Losses = Counter[tuple[Signal, str]]


class Appending(Protocol):
    """Where the reports go."""

    async def append(self, signal: Signal, body: bytes, items: int, project: str) -> None: ...


class LossReports:
    """Adds up losses and appends them as one request every ten seconds at most; idle when there are none.

    Lives on the event loop that makes it; losses may be noted from any thread.
    """

    def __init__(self, log: Appending, health: Health, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._log = log
        self._health = health
        self._clock_ns = clock_ns
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._losses: Losses = Counter()
        self._arrived = asyncio.Event()
        health.loss_unreported.set_function(self._unreported)

    def refused(self, signal: Signal, fault: Fault) -> None:
        """Takes note of a refusal, if it is one for good and of something that was sent."""
        if not isinstance(fault, WaitingMayHelp | WrongMethod | UnknownPath | AccessFault):
            items = fault.items if isinstance(fault, SenderFault) else 0
            self.lost(signal, fault.reason, max(1, items))

    def lost(self, signal: Signal, reason: str, items: int) -> None:
        """Takes note that `items` will never be stored."""
        self._health.lost(signal, reason, items)
        self._add(Counter({(signal, reason): items}))

    async def run(self, every_s: float = REPORT_EVERY_S) -> None:
        """Reports until cancelled."""
        while True:
            await self._arrived.wait()
            await asyncio.sleep(every_s)
            await self.flush()

    async def flush(self) -> None:
        """Appends what was noted so far; keeps it for the next time when the log refuses."""
        self._arrived.clear()
        with self._lock:
            losses, self._losses = self._losses, Counter()
        if not losses:
            return
        try:
            body = loss_request(losses, self._clock_ns())
            await self._log.append(Signal.LOGS, body, len(losses), DEFAULT_PROJECT)
        except WaitingMayHelp:
            self._add(losses)

    def _unreported(self) -> float:
        with self._lock:
            return float(self._losses.total())

    def _add(self, losses: Losses) -> None:
        with self._lock:
            self._losses.update(losses)
        self._loop.call_soon_threadsafe(self._arrived.set)


def loss_request(losses: Losses, now_ns: int) -> bytes:
    """The losses as one OTLP logs request: a record for each signal and reason. Pure."""
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    resource_logs.resource.attributes.append(_pair("service.name", "sightline-collector"))
    scope_logs = resource_logs.scope_logs.add()
    scope_logs.scope.name = "sightline_collector"
    for (signal, reason), items in sorted(losses.items()):
        scope_logs.log_records.append(_record(signal, reason, items, now_ns))
    encoded: bytes = request.SerializeToString()
    return encoded


def _record(signal: Signal, reason: str, items: int, now_ns: int) -> LogRecord:
    return LogRecord(
        time_unix_nano=now_ns,
        observed_time_unix_nano=now_ns,
        severity_number=SeverityNumber.SEVERITY_NUMBER_WARN,
        severity_text="WARN",
        event_name=attributes.LOSS_EVENT,
        body=AnyValue(string_value=f"The collector refused {items} items of {signal}: {reason}"),
        attributes=[
            KeyValue(key=attributes.LOSS_ITEMS, value=AnyValue(int_value=items)),
            _pair(attributes.LOSS_SIGNAL, signal),
            _pair(attributes.LOSS_REASON, reason),
            _pair(attributes.LOSS_WHERE, "collector"),
        ],
    )


def _pair(key: str, text: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=text))

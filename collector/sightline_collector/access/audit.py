"""Writes down who read content and what was changed: as log records, durable before the answer goes out.

They take the log's own way into the store, so that none is lost or twice, under a project that no key can be
made for, so that none is forged. Nothing is written down while nobody is asked for a key: there is no who.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from prometheus_client import CollectorRegistry, Counter

from sightline_collector.access.gate import Caller, Gate
from sightline_collector.access.key import ALL_PROJECTS, Key
from sightline_collector.errors import Fault
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

PROJECT = "_audit"
EVENT = "sightline.audit"
READ_CONTENT, ADMIN, KEY, FORGET = "read_content", "admin", "key", "forget"

log = structlog.get_logger(__name__)


class Appending(Protocol):
    """Returns when the record is durable."""

    async def append(self, signal: Signal, body: bytes, items: int, project: str) -> None: ...


class Audit:
    """Appends acts to the log. Lives on the log's event loop."""

    def __init__(
        self, wal: Appending, registry: CollectorRegistry, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._wal = wal
        self._clock_ns = clock_ns
        self._written = Counter("sightline_audit_acts", "Acts written down", ("act",), registry=registry)
        self._failed = Counter(
            "sightline_audit_failed", "Acts that could not be written down", ("act",), registry=registry
        )

    async def write(self, act: str, key: str, scope: str, what: str, outcome: str) -> None:
        """Returns when it is durable. Raises a Fault when the log refuses it."""
        body = request(self._clock_ns(), act=act, key=key, scope=scope, what=what, outcome=outcome)
        try:
            await self._wal.append(Signal.LOGS, body, 1, PROJECT)
        except Fault as e:
            self._failed.labels(act).inc()
            log.error(
                "an act is not written down", act=act, key=key, what=what, outcome=outcome, error=e.message
            )
            raise
        self._written.labels(act).inc()

    async def read_content(self, caller: Caller, what: str) -> None:
        """Before content is shown. Raises a Fault: then it must not be."""
        if caller.key:
            await self.write(READ_CONTENT, caller.key, caller.project or ALL_PROJECTS, what, "asked")

    async def acted(self, caller: Caller, method: str, path: str, status: int) -> None:
        """After an admin's act, before its answer. What the log refuses is in the collector's own log."""
        scope = caller.project or ALL_PROJECTS
        with suppress(Fault):
            await self.write(ADMIN, caller.key, scope, f"{method} {path[:200]}", str(status))

    async def keys_changed(self, keys: Sequence[Key], now_s: float) -> None:
        """Keys that are new in the file, or different. What the log refuses is in the collector's own log."""
        with suppress(Fault):
            for key in keys:
                what = f"{', '.join(sorted(key.scopes))}; made by {key.made_by or 'nobody known'}"
                await self.write(KEY, key.id, key.project, what, key.state(now_s))


async def watch_keys(gate: Gate, audit: Audit) -> None:
    """One look at the file of keys; what changed is written down."""
    await audit.keys_changed(await asyncio.to_thread(gate.refresh), time.time())


def untold(engine: Engine, gate: Gate, now_s: float) -> list[Key]:
    """Keys whose state the store's audit does not tell of: made or ended while no collector ran."""
    rows = engine.rows("select distinct key, outcome from audit_v1 where act = 'key'")
    told = {(row["key"], row["outcome"]) for row in rows}
    return [key for key in gate.keys if (key.id, key.state(now_s)) not in told]


def request(at_ns: int, **said: str) -> bytes:
    """One act as an OTLP logs request. Pure."""
    logs = ExportLogsServiceRequest()
    resource = logs.resource_logs.add()
    resource.resource.attributes.append(_pair("service.name", "sightline-collector"))
    record = resource.scope_logs.add().log_records.add(
        time_unix_nano=at_ns,
        observed_time_unix_nano=at_ns,
        severity_number=SeverityNumber.SEVERITY_NUMBER_INFO,
        severity_text="INFO",
        event_name=EVENT,
    )
    record.attributes.extend(_pair(f"{EVENT}.{name}", text) for name, text in said.items())
    encoded: bytes = logs.SerializeToString()
    return encoded


def _pair(key: str, text: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=text))

"""What both doors do with a request: unpack, check, make durable; and count what they refuse.

::

    raw body --unpack: inflate, JSON to protobuf--> protobuf body --take: check--> log --> acknowledged
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sightline_collector.access.allowance import Allowance
from sightline_collector.access.gate import Caller, Gate, Header
from sightline_collector.access.key import Scope
from sightline_collector.errors import Fault, Malformed, OwnFault
from sightline_collector.health import Health
from sightline_collector.receive.check import check
from sightline_collector.receive.fullness import Fullness
from sightline_collector.receive.inflate import inflate
from sightline_collector.receive.limits import DEFAULT, Limits
from sightline_collector.receive.loss import LossReports
from sightline_collector.receive.mend import WARNING, mended
from sightline_collector.receive.otlp_json import to_protobuf
from sightline_collector.wal.segment import DEFAULT_PROJECT, Signal

# Up to here unpacking takes well below a millisecond and is done at once; above, in the one thread that there
# is for it, so that a single large body inflates at a time and no other request waits for it.
_UNPACK_AT_ONCE_BYTES = 8 << 10

_log = logging.getLogger(__name__)


class Log(Protocol):
    """Returns when the record is durable."""

    async def append(self, signal: Signal, body: bytes, items: int, project: str) -> None: ...


class Room:
    """The bytes that one request holds; given back when it is answered."""

    __slots__ = ("_door", "held_bytes")

    def __init__(self, door: "Door") -> None:
        self._door = door
        self.held_bytes = 0

    def add(self, size_bytes: int) -> None:
        """Holds more. Raises Overloaded when all requests together would hold too much."""
        self._door.hold(size_bytes)
        self.held_bytes += size_bytes


class Door:
    """The one way in, for every protocol. Lives on one event loop."""

    def __init__(
        self,
        log: Log,
        health: Health,
        losses: LossReports | None = None,
        limits: Limits = DEFAULT,
        gate: Gate | None = None,
        fullness: Fullness | None = None,
    ) -> None:
        self.limits = limits
        self._gate = gate or Gate()
        self._log = log
        self._health = health
        self._losses = losses
        self._fullness = fullness or Fullness(health.registry, limits)
        self._unpacking = ThreadPoolExecutor(1, thread_name_prefix="unpack")
        health.in_flight_bytes.set_function(lambda: self._fullness.bodies_bytes)
        health.in_flight_limit_bytes.set(limits.in_flight_bytes)

    def sender(self, header: Header) -> Caller:
        """Who sends, before anything is read. Raises AccessFault, OverAllowance."""
        return self._gate.caller(header, Scope.INGEST)

    async def take(
        self,
        signal: Signal,
        body: bytes,
        project: str = DEFAULT_PROJECT,
        allowance: Allowance | None = None,
    ) -> str:
        """Returns when the protobuf request is durable, an empty one at once: what its sender should know of
        it, "" as a rule.

        Raises SenderFault when it can never be taken, WaitingMayHelp when it can later.
        """
        began_s = time.perf_counter()
        warning = ""
        try:
            items = check(signal, body, self.limits)
        except Malformed:
            found = await self._mended(signal, body)
            if found is None:
                raise
            body = found
            items, warning = check(signal, body, self.limits), WARNING
        if items:
            self._fullness.admit(len(body))
            await self._append(signal, body, items, project, allowance)
        self._health.accepted(signal, items, len(body), time.perf_counter() - began_s)
        return warning

    async def _append(
        self, signal: Signal, body: bytes, items: int, project: str, allowance: Allowance | None
    ) -> None:
        """What the log does not take costs its sender nothing."""
        day = allowance.spend(items, len(body)) if allowance else 0
        try:
            await self._log.append(signal, body, items, project)
        except Exception:  # not for a sender that hung up: the record may be on the disk by then
            if allowance:
                allowance.give_back(items, len(body), day)
            raise

    async def _mended(self, signal: Signal, body: bytes) -> bytes | None:
        """The request with text that is text; None when that does not help."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._unpacking, mended, signal, body)
        if found is not None:
            self._health.mended.labels(signal).inc()
        return found

    async def unpack(self, signal: Signal, raw: bytes, encoding: str, *, is_json: bool) -> bytes:
        """The protobuf body of what was received. Raises SenderFault."""
        if encoding in ("", "identity") and not is_json:
            return raw
        if len(raw) <= _UNPACK_AT_ONCE_BYTES:
            return _unpacked(signal, raw, encoding, is_json, self.limits)
        loop = asyncio.get_running_loop()
        with self._health.unpack_waiting.track_inprogress():
            return await loop.run_in_executor(
                self._unpacking, _unpacked, signal, raw, encoding, is_json, self.limits
            )

    def refused(self, signal: Signal | None, fault: Fault) -> None:
        """Counts a refusal, and notes it as a loss if it is for good."""
        self._health.refused(signal, fault)
        if signal and self._losses:
            self._losses.refused(signal, fault)

    def failed(self, signal: Signal | None) -> OwnFault:
        """Counts and logs an error that nobody foresaw, to be called where it is handled."""
        _log.exception("A request could not be answered")
        fault = OwnFault("The collector failed on this request", hint="Report it with the collector's log")
        self.refused(signal, fault)
        return fault

    @contextmanager
    def room(self) -> Iterator[Room]:
        """Room for one request's bytes, for as long as it is worked on."""
        room = Room(self)
        try:
            yield room
        finally:
            self._fullness.release(room.held_bytes)

    def message(self) -> AbstractContextManager[None]:
        """A place for a message that is on its way. Raises Overloaded when there is none."""
        return self._fullness.message()

    def hold(self, size_bytes: int) -> None:
        """Counts bytes as held. Raises Overloaded beyond the limit."""
        self._fullness.hold(size_bytes)

    def close(self) -> None:
        """Ends the unpacking thread."""
        self._unpacking.shutdown()


def _unpacked(signal: Signal, raw: bytes, encoding: str, is_json: bool, limits: Limits) -> bytes:
    plain = inflate(raw, encoding, limits)
    return to_protobuf(signal, plain) if is_json else plain

"""The way to the collector: drafts and records become bytes, and a transport carries them there.

A transport is built when the first batch is there: it imports an HTTP or gRPC stack (0.1 s and more), which
the user's `init()` must not wait for.
"""

import contextlib
import math
import threading
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from opentelemetry.sdk._logs import ReadableLogRecord

from sightline import _safety
from sightline._delivery.destination import Destination, Route, Signal
from sightline._delivery.otlp import log_request, trace_request
from sightline._delivery.protobuf import rejected_items
from sightline._delivery.refusal import NO_OTLP, REJECTED, TOO_LARGE, UNENCODABLE, UNREACHABLE, Refusal
from sightline._delivery.undelivered import refused, waiting
from sightline._fork import importing, reset_in_child
from sightline._outgoing import Draft

REQUEST_BYTES: Final = 4_000_000  # gRPC servers take 4 MiB unless told otherwise; HTTP ones 16 MB and more
COMPLAIN_EVERY_S: Final = 60.0


class Transport(Protocol):
    """Carries requests of one signal; gives the collector's answer, or why there is none."""

    def send(self, body: bytes, within_s: float = ...) -> bytes | Refusal: ...
    def close(self) -> None: ...


class Sender:
    """Sends batches; each method answers None when the collector took the batch, or why it did not.

    `reachable` is what the latest attempt found.
    """

    def __init__(self, to: Destination) -> None:
        self._to = to
        self.reachable = True
        self._reset()
        reset_in_child(self._reset)

    def _reset(self) -> None:
        """No connections yet; a forked child must not talk on its parent's."""
        self._transports: dict[Signal, Transport] = {}
        self._lock = threading.Lock()

    def spans(self, drafts: Iterable[Draft], count: int) -> Refusal | None:
        return self._send("traces", lambda: trace_request(drafts), count)

    def logs(
        self, records: Iterable[ReadableLogRecord], count: int, within_s: float = math.inf
    ) -> Refusal | None:
        return self._send("logs", lambda: log_request(records), count, within_s)

    def request(self, signal: Signal, body: bytes) -> Refusal | None:
        """Send what was written before, as it is."""
        return self._send(signal, lambda: body, 1)

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()

    def route(self, signal: Signal) -> Route:
        return self._to.traces if signal == "traces" else self._to.logs

    def _send(
        self, signal: Signal, write: Callable[[], bytes], count: int, within_s: float = math.inf
    ) -> Refusal | None:
        refusal = self._attempt(signal, write, count, within_s)
        if refusal and not (refusal.splits and count > 1):  # parts are tried alone, and are heard of then
            _complain(refusal, signal, self.route(signal))
        return refusal

    def _attempt(
        self, signal: Signal, write: Callable[[], bytes], count: int, within_s: float
    ) -> Refusal | None:
        try:
            body = write()
        except Exception:
            return Refusal(UNENCODABLE, splits=True)
        if len(body) > REQUEST_BYTES and count > 1:
            return Refusal(TOO_LARGE, splits=True)
        answer = self._answer(signal, body, within_s)
        refusal = answer if isinstance(answer, Refusal) else _rejected(answer)
        self.reachable = refusal is None or refusal.reason not in (UNREACHABLE, NO_OTLP)
        return refusal

    def _answer(self, signal: Signal, body: bytes, within_s: float) -> bytes | Refusal:
        """A fault of the way says nothing about the batch, which waits."""
        try:
            return self._transport(signal).send(body, within_s)
        except Exception as error:
            with contextlib.suppress(Exception):  # strict mode re-raises
                _safety.record_fault(f"send {signal}", error)
            return Refusal(UNREACHABLE, later=True, detail=type(error).__name__)

    def _transport(self, signal: Signal) -> Transport:
        with self._lock:
            if signal not in self._transports:
                with importing:
                    self._transports[signal] = _built(self._to, signal, self.route(signal))
            return self._transports[signal]


def _built(to: Destination, signal: Signal, route: Route) -> Transport:
    if to.protocol == "grpc":
        from sightline._delivery.grpc import GrpcTransport

        return GrpcTransport(route, signal)
    from sightline._delivery.http import HttpTransport

    return HttpTransport(route)


def _rejected(answer: bytes) -> Refusal | None:
    """A collector may take a request and reject some of its items; nearly all answers are empty."""
    try:
        items = rejected_items(answer) if answer else 0
    except ValueError:
        return None  # not ours to understand: it was taken
    return Refusal(REJECTED, items=items, detail=f"{items} of them") if items else None


def _complain(refusal: Refusal, signal: Signal, route: Route) -> None:
    say = waiting if refusal.later else refused
    message = say(signal, route.address, refusal)
    about = route.address if refusal.reason in (UNREACHABLE, NO_OTLP) else signal  # one outage is one line
    _safety.log_rarely(f"{refusal.reason} {about}", "%s", message, every_s=COMPLAIN_EVERY_S)

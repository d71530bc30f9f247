"""What is done to a running collector. Each returns when it is over."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from random import Random
from urllib.parse import urlsplit

from remembered_load import TRACE, request_template
from servers.faulty_proxy import UNAVAILABLE, Fault, error
from soak.load import OfferedLoad
from soak.system import System

Done = Callable[[System, OfferedLoad, Random], None]

SLOW_CLIENTS, READERS, FLAPS = 40, 50, 8
QUESTIONS = (
    b"select model, count(), quantile(0.95)(duration_ms), uniqExact(trace_id) from spans group by model",
    b"select length(groupArray(toString(number))) from numbers(20000000)",
)
"""One that reads all rows, and one that takes a GB: together they reach the engine's own bound of memory."""


def kill(system: System, load: OfferedLoad, _: Random) -> None:
    """kill -9, and a start."""
    system.collector.kill()
    system.collector.start()
    load.url = system.collector.otlp


def restart(system: System, load: OfferedLoad, _: Random) -> None:
    """SIGTERM under load, and a start."""
    assert system.collector.stop() == 0
    system.collector.start()
    load.url = system.collector.otlp


def freeze(system: System, _: OfferedLoad, chance: Random) -> None:
    """SIGSTOP, and after some seconds SIGCONT."""
    os.kill(system.collector.pid, signal.SIGSTOP)
    time.sleep(chance.uniform(1, 6))
    os.kill(system.collector.pid, signal.SIGCONT)


def poison(system: System, _: OfferedLoad, __: Random) -> None:
    """A request that the door takes and the engine never will."""
    body = request_template(time.time_ns(), 3).replace(TRACE, os.urandom(16)) + b"\x0b\x10\x01\x0c"
    with suppress(OSError):
        urllib.request.urlopen(_post(system, body), timeout=20).close()


def slow_clients(system: System, _: OfferedLoad, chance: Random) -> None:
    """Bodies that come a byte at a time, and some that never end."""
    address = urlsplit(system.collector.otlp)
    held = []
    head = b"POST /v1/traces HTTP/1.1\r\nHost: soak\r\nContent-Type: application/x-protobuf\r\n"
    head += b"Content-Length: 9999\r\n"
    for number in range(SLOW_CLIENTS):
        with suppress(OSError):
            one = socket.create_connection((address.hostname or "", address.port or 0), 5)
            one.sendall(head[: len(head) // 2] if number % 2 else head + b"\r\n")
            held.append(one)
    until_s = time.monotonic() + chance.uniform(3, 10)
    while time.monotonic() < until_s:
        time.sleep(0.5)
        for one in held:
            with suppress(OSError):
                one.sendall(b"x")
    for one in held:
        one.close()


def readers(system: System, _: OfferedLoad, chance: Random) -> None:
    """Fifty clients that ask for all rows, or for a GB of memory, again and again."""
    until_s = time.monotonic() + chance.uniform(5, 12)
    address = urlsplit(system.collector.http)

    def ask(question: bytes) -> None:
        while (left_s := until_s - time.monotonic()) > 0:
            connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=left_s)
            with suppress(OSError, http.client.HTTPException):
                connection.request("POST", "/", question)
                if connection.getresponse().status != 200:
                    time.sleep(0.2)
            connection.close()

    asked = (QUESTIONS[number % len(QUESTIONS)] for number in range(READERS))
    _together([threading.Thread(target=ask, args=(question,)) for question in asked])


def large(system: System, _: OfferedLoad, __: Random) -> None:
    """Requests of 30 MB at once."""
    body = request_template(time.time_ns(), 20_000).replace(TRACE, os.urandom(16))
    body += body[: len(body) // 2]  # the second half is cut: it does not parse, and is refused for good

    def send() -> None:
        with suppress(OSError):
            urllib.request.urlopen(_post(system, body), timeout=30).close()

    _together([threading.Thread(target=send) for _ in range(4)])


def store_down(system: System, _: OfferedLoad, chance: Random) -> None:
    """The server is away for a while."""
    assert system.proxy
    system.proxy.down()
    time.sleep(chance.uniform(5, 40))
    system.proxy.up()


def store_flaps(system: System, _: OfferedLoad, chance: Random) -> None:
    """The server comes and goes."""
    assert system.proxy
    for _number in range(FLAPS):
        system.proxy.down()
        time.sleep(chance.uniform(0.1, 1))
        system.proxy.up()
        time.sleep(chance.uniform(0.1, 1))


def store_slow(system: System, _: OfferedLoad, chance: Random) -> None:
    """Each insert takes seconds longer."""
    assert system.proxy
    system.proxy.delay_s = chance.uniform(1, 4)
    time.sleep(chance.uniform(10, 30))
    system.proxy.delay_s = 0.0


def store_breaks(system: System, _: OfferedLoad, chance: Random) -> None:
    """Inserts are cut, their answers lost, their clients cut off."""
    _broken(
        system, chance.choice([Fault.CUT, Fault.ANSWER_LOST, Fault.LEFT, Fault.RESET]), chance.uniform(5, 15)
    )


def store_silent(system: System, _: OfferedLoad, chance: Random) -> None:
    """The server takes connections and says nothing."""
    _broken(system, chance.choice([Fault.SILENT, Fault.ANSWER_NEVER]), chance.uniform(5, 20))


def store_refuses(system: System, _: OfferedLoad, chance: Random) -> None:
    """The server, or what stands before it, answers with errors."""
    assert system.proxy
    codes = [
        (243, "not enough space"),
        (241, "(total) memory limit exceeded"),
        (516, "no such user"),
        (60, "x"),
    ]
    code, words = chance.choice(codes)
    system.proxy.inject(
        Fault.SAYS, says=[error(code, words)] * 1000 if chance.random() < 0.8 else [UNAVAILABLE]
    )
    time.sleep(chance.uniform(5, 15))
    system.proxy.heal()


def _broken(system: System, fault: Fault, seconds: float) -> None:
    assert system.proxy
    system.proxy.inject(fault)
    time.sleep(seconds)
    system.proxy.heal()


def _post(system: System, body: bytes) -> urllib.request.Request:
    headers = {"Content-Type": "application/x-protobuf"}
    return urllib.request.Request(f"{system.collector.otlp}/v1/traces", data=body, headers=headers)


def _together(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


OF_THE_PROCESS: tuple[Done, ...] = (kill, restart, freeze, poison, slow_clients, readers, large)
OF_THE_STORE: tuple[Done, ...] = (
    store_down, store_flaps, store_slow, store_breaks, store_silent, store_refuses,
)  # fmt: skip

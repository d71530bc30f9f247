"""What statements may take: places, time, memory, and what happens when a client goes away."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

import pytest
from collector.gateway.serving import Port, serving, wait_until

from sightline_collector.gateway.limits import Limits
from sightline_collector.gateway.refusal import Refused
from sightline_collector.gateway.slots import Slots
from sightline_collector.store.engine import Engine

ENDLESS = "select sum(sipHash64(number)) from numbers(1000000000000)"
RUNNING = "select count() from system.processes where query not like '%system.processes%'"


@pytest.fixture(scope="module")
def narrow(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """A port with room for two statements and one that waits."""
    limits = Limits(at_once=2, waiting=1, wait_s=0.3, execution_s=3, delivery_s=6.0, memory_bytes=100 << 20)
    with serving(engine, tmp_path_factory.mktemp("narrow"), limits=limits) as opened:
        yield opened


def running(engine: Engine) -> int:
    """Statements that the engine works on, beside this one."""
    return int(engine.value(RUNNING))


def test_further_statements_wait_and_then_are_told_to_come_again(narrow: Port, engine: Engine) -> None:
    """Two run, one waits its time, the rest are refused with 429 and a Retry-After."""
    with ThreadPoolExecutor(8) as many:
        answers = [f.result() for f in [many.submit(narrow.ask, ENDLESS) for _ in range(8)]]
    statuses = sorted(a.status_code for a in answers)
    assert statuses.count(408) == 2
    assert statuses.count(429) == 6
    refused = next(a for a in answers if a.status_code == 429)
    assert "TOO_MANY_SIMULTANEOUS_QUERIES" in refused.text
    assert refused.headers["retry-after"] == "1"
    assert narrow.ask("select 1").text == "1\n"


def test_one_projects_statements_leave_a_place_to_others() -> None:
    """Neither all places nor the whole queue are for one reader, unless readers are not told apart."""
    slots = Slots(Limits(at_once=3, waiting=2, wait_s=0.05))

    async def held(*readers: str) -> list[int | str]:
        """What runs after each of them has asked; "429" for one that was sent away."""
        outcomes: list[int | str] = []
        async with AsyncExitStack() as places:
            for reader in readers:
                try:
                    await places.enter_async_context(slots.place(reader))
                    outcomes.append(slots.running)
                except Refused:
                    outcomes.append("429")
        return outcomes

    assert asyncio.run(held("shop", "shop", "shop", "till", "till")) == [1, 2, "429", 3, "429"]
    assert asyncio.run(held("", "", "", "")) == [1, 2, 3, "429"]
    assert (slots.running, slots.waiting) == (0, 0)


def test_waiting_statements_get_their_turn(port: Port) -> None:
    """Twelve clients that ask one short statement after the other all get their answers."""
    with ThreadPoolExecutor(12) as many:
        answers = [f.result() for f in [many.submit(port.ask, "select 1") for _ in range(60)]]
    assert all(a.text == "1\n" for a in answers)


def test_time_is_bounded(narrow: Port) -> None:
    """A statement that takes too long ends with TIMEOUT_EXCEEDED."""
    answer = narrow.ask(ENDLESS)
    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (408, "159")


def test_memory_is_bounded(narrow: Port) -> None:
    """A statement that wants too much memory ends with MEMORY_LIMIT_EXCEEDED."""
    answer = narrow.ask("select length(groupArray(repeat('x', 1000))) from numbers(10000000)")
    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (500, "241")


def test_a_statement_whose_client_went_away_is_stopped(port: Port, engine: Engine) -> None:
    """The engine stops working when nobody waits for the answer any more."""
    with socket.create_connection(("127.0.0.1", port.number)) as client:
        body = ENDLESS.encode()
        client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        wait_until(lambda: running(engine) == 1)
    wait_until(lambda: running(engine) == 0)
    assert port.ask("select 1").text == "1\n"


def test_a_client_that_stops_reading_is_cut_off(narrow: Port, engine: Engine) -> None:
    """A large answer that nobody takes frees its place when its time is over."""
    with socket.create_connection(("127.0.0.1", narrow.number)) as client:
        body = b"select number from numbers(9000000)"
        client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        wait_until(lambda: running(engine) == 1)
        wait_until(lambda: running(engine) == 0)
    assert narrow.ask("select 1").text == "1\n"


def test_large_answers_do_not_pile_up(port: Port) -> None:
    """A gigabyte is streamed while the process grows by far less."""
    with open("/proc/self/statm") as memory:
        before = int(memory.read().split()[1])
    size = 0
    peak = before
    sql = "select number, repeat('x', 100) from numbers(9000000) format JSONCompact"
    with port.client.stream("POST", "/", content=sql, headers={"Accept-Encoding": "identity"}) as answer:
        for chunk in answer.iter_raw():
            size += len(chunk)
            if size % 64 < 2:
                with open("/proc/self/statm") as memory:
                    peak = max(peak, int(memory.read().split()[1]))
    assert size > 900 << 20
    assert (peak - before) * 4096 < 200 << 20

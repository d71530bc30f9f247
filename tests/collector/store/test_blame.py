"""Who is to blame for a failed insert, and what becomes of the others when the blamed find no room."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from remembered_load import SPANS, request_template

from sightline_collector.errors import StoreRefused
from sightline_collector.health import Health
from sightline_collector.store.engine import Engine
from sightline_collector.store.insert import Inserter
from sightline_collector.store.verdict import Verdict, judge
from sightline_collector.wal.dead_letter import DeadLetters
from sightline_collector.wal.log import Log
from sightline_collector.wal.segment import Signal

POISON = b"\x0b\x10\x01\x0c"
"""At a request's end: the door takes it, the engine never will."""

PARTS = (
    "select groupArray(name) from system.parts"
    " where table = 'spans_v1' and database = currentDatabase() and active"
)


def test_a_store_that_takes_nothing_puts_no_request_aside(engine: Engine, tmp_path: Path) -> None:
    """An error that a request may have caused is the store's while a known request fails, too: it waits."""

    async def store_while_refusing() -> StoreRefused:
        log = await Log.open(tmp_path / "wal")
        await log.append(Signal.TRACES, request_template(time.time_ns()), SPANS)
        await log.drain()
        segment = await log.sealed(Signal.TRACES)
        with ThreadPoolExecutor(1) as threads:
            inserter = Inserter(Signal.TRACES, engine, log, letters, Health(), tmp_path, threads)
            engine.command("alter table spans_v1 add constraint nothing check 0")
            try:
                with pytest.raises(StoreRefused) as refused:
                    await asyncio.to_thread(inserter._store, segment, False)
            finally:
                engine.command("alter table spans_v1 drop constraint nothing")
            await asyncio.to_thread(inserter._store, segment, True)
        await log.close()
        return refused.value

    letters = DeadLetters(tmp_path / "dead-letter", Health())
    assert judge(asyncio.run(store_while_refusing())) is Verdict.BISECT
    assert letters.letters() == []
    assert engine.value("select count() from spans") == SPANS


def test_a_letter_that_finds_no_room_does_not_cost_the_others_a_second_insert(
    engine: Engine, tmp_path: Path
) -> None:
    """While the dead letters' disk refuses, the segment stays, and what is stored of it is left alone."""

    async def store_without_room() -> None:
        log = await Log.open(tmp_path / "wal")
        for end in (b"", POISON):
            await log.append(Signal.TRACES, request_template(time.time_ns()) + end, SPANS)
        await log.drain()
        segment = await log.sealed(Signal.TRACES)
        with ThreadPoolExecutor(1) as threads:
            inserter = Inserter(Signal.TRACES, engine, log, letters, Health(), tmp_path, threads)
            letters_folder.rmdir()
            with pytest.raises(OSError, match="No such file"):
                await asyncio.to_thread(inserter._store, segment, False)
            before = engine.value(PARTS)
            with pytest.raises(OSError, match="No such file"):
                await asyncio.to_thread(inserter._store, segment, True)
            assert engine.value(PARTS) == before
            letters_folder.mkdir()
            await asyncio.to_thread(inserter._store, segment, True)
        assert engine.value(PARTS) == before
        await log.close()

    engine.command("truncate table spans_v1")
    letters_folder = tmp_path / "dead-letter"
    letters = DeadLetters(letters_folder, Health())
    asyncio.run(store_without_room())
    assert [letter.items for letter in letters.letters()] == [SPANS]
    assert engine.value("select count() from spans") == SPANS

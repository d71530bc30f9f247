"""One collector at a time changes the tables of a store that several share.

    no table ──create──▶ held ──drop──▶ no table
                          │  ▲
                 too old  │  │ create
                          ▼  │
                        renamed away

The lock is a table: of two that create it at once the server refuses one. Who dies with it leaves it behind.
After a while it is renamed to a name that holds its own id, so that of two that find it too old one succeeds,
and neither takes away the lock that the other has made meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog

from sightline_collector.errors import Fault, StoreRefused
from sightline_collector.store.engine import Engine

LOCK = "schema_v1_lock"
CREATE = f"create table {LOCK} (held UInt8) engine = Memory"
ALREADY_THERE, NOT_THERE = 57, 60

AWAY_S = 180
"""Who has held it for so long is gone: what is done under it takes seconds, on a cluster tens of them."""

LOOK_S = 0.25

HELD = f"""
select toString(uuid) as id, dateDiff('second', metadata_modification_time, now()) as age_s
from system.tables where database = currentDatabase() and name = '{LOCK}'
"""  # noqa: S608 - a constant

log = structlog.get_logger(__name__)


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """Wait until no other collector changes the store's tables, and keep others waiting meanwhile.

    The embedded engine has one process, which holds its folder. Raises a Fault when the store fails.
    """
    if engine.embedded:
        yield
        return
    left = _take(engine)
    try:
        yield
    finally:
        with suppress(Fault):  # what failed above says it better; a lock that stays is taken when it is old
            for name in (*left, LOCK):
                engine.command(f"drop table if exists {name}")


def _take(engine: Engine) -> list[str]:
    """Create the lock. The names of those that were left behind."""
    left: list[str] = []
    told = False
    while not _created(engine):
        if not told:
            log.info("another collector changes the store's tables: waiting", table=LOCK, at_most_s=AWAY_S)
            told = True
        left += _put_away(engine)
        time.sleep(LOOK_S)
    return left


def _created(engine: Engine) -> bool:
    try:
        engine.command(CREATE)
    except StoreRefused as e:
        if e.code != ALREADY_THERE:
            raise
        return False
    return True


def _put_away(engine: Engine) -> Iterator[str]:
    """Rename a lock whose holder is gone; the new name."""
    for row in engine.rows(HELD):
        if row["age_s"] < AWAY_S:
            continue
        name = f"{LOCK}_{row['id'].replace('-', '')}"
        try:
            engine.command(f"rename table {LOCK} to {name}")
        except StoreRefused as e:
            if e.code not in (ALREADY_THERE, NOT_THERE):
                raise
        else:
            yield name

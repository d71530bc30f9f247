"""A server that is away when a collector starts: what comes is acknowledged, and stored when it is there.

    away ──────── opened, migrated, proven ────────▶ there
    ▲  │ no answer, or refused: after a while again
    └──┘

Nothing asks such a store before it is there: its tables may be of another version. The embedded engine is
never away. A server may be starting, overloaded, or about to get a new password. What no waiting mends at the
start, as a right that is lacking or a store that a newer version made, ends the start; later it is told and
waited for like the rest, for what was acknowledged must not be lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import structlog

from sightline_collector.errors import Fault, StoreRefused, StoreUnreachable
from sightline_collector.store.engine import Engine
from sightline_collector.store.url import StoreUrl

AGAIN_FIRST_S, AGAIN_MOST_S = 0.5, 5.0
"""How soon one that is away is asked again, and how late one that is there is seen."""

RIGHTS = "grant the store's user all rights on its database, CREATE FUNCTION, and SELECT on system.*"
DATABASE = "correct the database in the store's address"
CLUSTER = "correct ?cluster= in the store's address, or define that cluster on the servers"
TOO_OLD = "upgrade the server: this release was tested with ClickHouse 26.9"

STAYS = {
    # ACCESS_DENIED, READONLY, QUERY_IS_PROHIBITED
    497: RIGHTS, 164: RIGHTS, 392: RIGHTS,
    # UNKNOWN_DATABASE, CLUSTER_DOESNT_EXIST
    81: DATABASE, 701: CLUSTER,
    # Unknown to it: a function, a data type, a storage, an aggregate function, a format, a setting; or the
    # syntax, a feature that is not there, or not switched on.
    46: TOO_OLD, 50: TOO_OLD, 56: TOO_OLD, 63: TOO_OLD, 73: TOO_OLD, 115: TOO_OLD,
    62: TOO_OLD, 48: TOO_OLD, 344: TOO_OLD,
}  # fmt: skip
"""What a server says that somebody has to mend, and how."""

log = structlog.get_logger(__name__)


def opened_or_away(url: StoreUrl, begins: Path, bring: Callable[[], Engine]) -> Engine:
    """The store that `bring` opens, proven; a server that is away as one that is.

    Raises a Fault for what waiting does not mend.
    """
    try:
        return bring()
    except (StoreUnreachable, StoreRefused) as e:
        if url.path is not None:
            raise
        if isinstance(e, StoreRefused) and e.code in STAYS:
            raise StoreRefused(e.message, hint=STAYS[e.code], code=e.code) from None
        log.error("the store is away: what comes waits in the log", error=e.message, hint=e.hint)
        return Engine(url, away=e, begins=begins)


async def arrived(engine: Engine, bring: Callable[[], Engine]) -> None:
    """Returns when a store that was away is there, brought to this version, and open."""
    pause_s = AGAIN_FIRST_S
    while engine.away:
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, AGAIN_MOST_S)
        try:
            await _apart(lambda: _open(engine, bring))
        except Exception as e:
            why = e if isinstance(e, Fault) else StoreUnreachable(repr(e), hint="see the collector's log")
            if why.message != engine.away.message:
                log.error("the store is still away", error=why.message, hint=why.hint)
            engine.away = why
    log.info("the store is there", store=str(engine.url))


def _open(engine: Engine, bring: Callable[[], Engine]) -> None:
    bring().close()
    engine.open()


async def _apart(work: Callable[[], None]) -> None:
    """Do it in a thread that nobody waits for when the collector stops: a server may never answer."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: Exception | None) -> None:
        if done.done():
            return
        if error:
            done.set_exception(error)
        else:
            done.set_result(None)

    def run() -> None:
        error: Exception | None = None
        try:
            work()
        except Exception as e:
            error = e
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, error)

    Thread(target=run, name="arrival", daemon=True).start()
    await done

"""The message of one gRPC call: asked for when its sender is known, and waited for no longer than a body.

::

    head ─▶ key ─▶ message: there at once ───────────────────────────────▶ whole
                        └─ not yet: takes a place, or is told to come again ─▶ whole, or SlowBody

gRPC takes a message in as fast as it comes once it is asked for, and says nothing of it until it is whole. So
one that takes longer counts as the largest that there may be.
"""

from __future__ import annotations

import asyncio
from typing import Any

import grpc

from sightline_collector.errors import SlowBody
from sightline_collector.receive.door import Door

AT_ONCE_S = 0.5
"""Exporters send a message with its head: it is there within a round trip. What connections bring in that
time is all that can be held beyond the places."""


class NoMessage(Exception):  # noqa: N818 - nobody's fault: a call that was given up
    """The call ended before its message did."""


async def message_of(door: Door, context: Any) -> bytes:
    """The call's message, whole. Raises Overloaded, SlowBody and NoMessage."""
    reading = asyncio.ensure_future(context.read())
    try:
        await asyncio.wait({reading}, timeout=AT_ONCE_S)
        if not reading.done():
            with door.message():
                await asyncio.wait({reading}, timeout=door.limits.body_wait_s - AT_ONCE_S)
        if not reading.done():
            raise SlowBody(
                f"The message was not whole after {door.limits.body_wait_s} seconds",
                hint="Send smaller batches, or look at the network",
            )
    finally:
        reading.cancel()
    raw = reading.result()
    if raw is grpc.aio.EOF:
        raise NoMessage
    return bytes(raw)

"""A connection's transport that does not wait for its peer without end, and takes no harm from late writes.

::

    peer takes nothing ─▶ paused ── STALLED_S ──▶ aborted
    closed, with bytes unsent ───── CLOSING_S ──▶ aborted
"""

from __future__ import annotations

import asyncio
from typing import Any

STALLED_S = 60.0
"""That an answer waits for its peer to take more of it."""
TAKEN_BYTES_MIN = 16 << 10
"""What a slow peer takes of an answer in that time: below it, one answer would be held for hours."""
CLOSING_S = 10.0
"""That a closed connection waits for its peer to take what is still unsent."""


class BoundedTransport(asyncio.Transport):
    """asyncio's or uvloop's, with its waits bounded. Its protocol says when it is paused, resumed, lost."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._unsent_bytes = 0
        self._stalled: asyncio.TimerHandle | None = None
        self._closing: asyncio.TimerHandle | None = None

    # -- the protocol's side -----------------------------------------------------------------------

    def paused(self) -> None:
        """The peer does not read fast enough: it has to take some of what there is."""
        self.resumed()
        self._unsent_bytes = self.get_write_buffer_size()
        self._stalled = self._loop.call_later(STALLED_S, self._look)

    def resumed(self) -> None:
        """The peer has caught up."""
        if self._stalled:
            self._stalled.cancel()
            self._stalled = None

    def lost(self) -> None:
        """The connection is gone: there is nothing to wait for."""
        self.resumed()
        if self._closing:
            self._closing.cancel()
            self._closing = None

    def _look(self) -> None:
        if self._unsent_bytes - self.get_write_buffer_size() < TAKEN_BYTES_MIN:
            self.abort()
        else:
            self.paused()

    # -- a transport's -----------------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Nothing, once it closes: uvloop would raise, or warn, where the peer has only left."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Ends when the peer has taken what is unsent, or at the end of its time."""
        if self._closing is None:
            self._closing = self._loop.call_later(CLOSING_S, self.abort)
        self._transport.close()

    def abort(self) -> None:
        """Ends now; what is unsent is lost."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """True once it takes no more."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Leaves what comes to the kernel."""
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Takes what comes again."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def get_write_buffer_size(self) -> int:
        """Bytes that are unsent."""
        return self._transport.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """The socket, the addresses, the TLS of the connection."""
        return self._transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hands the connection on."""
        self._transport.set_protocol(protocol)

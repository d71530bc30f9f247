"""hyper-h2 as a server has it, with what it is told to bound and what it does not bound by itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import Event, RemoteSettingsChanged
from h2.exceptions import DenialOfServiceError, FrameTooLargeError
from h2.settings import SettingCodes, Settings
from hpack import Decoder, HeaderTuple, OversizedHeaderListError

if TYPE_CHECKING:
    from h2._typing import Buffer

STREAMS_MAX = 100
"""At once on a connection, and also requests that still run after their stream was reset. RFC 9113 advises
no fewer."""
WINDOW_BYTES = 1 << 20
"""That a peer may send before they are taken up: of a stream, and of all streams of a connection."""
FRAME_BYTES_MAX = 64 << 10
HEAD_BYTES_MAX = 64 << 10
"""Of a head: as it comes, also while it does not end, and as it is meant."""
FIELDS_MAX = 128
"""Of a head: one byte of HPACK is a field, which costs the time and the room of a hundred. Exporters send
some 10, browsers 30."""

_FRAME_HEAD_BYTES = 9
# Of our own headers that a peer may have us remember.
_TABLE_BYTES_MAX = 4096


class BoundedDecoder(Decoder):
    """HPACK, with a bound on what it is given and on how many fields it makes of it."""

    def decode(self, data: bytes, raw: bool = False) -> Iterable[HeaderTuple]:
        """The fields of a head. Raises OversizedHeaderListError."""
        if len(data) > HEAD_BYTES_MAX:
            raise OversizedHeaderListError(f"A head of {len(data)} bytes")
        fields = list(super().decode(data, raw))
        if len(fields) > FIELDS_MAX:
            raise OversizedHeaderListError(f"A head of {len(fields)} fields")
        return fields


class BoundedFrames(H2Connection):
    """The frames of one connection, as the server."""

    # Each costs some 100 bytes, and there may be thousands of connections.
    MAX_CLOSED_STREAMS = 1024

    def __init__(self) -> None:
        super().__init__(H2Configuration(client_side=False, header_encoding=None))
        allowed = {
            SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS_MAX,
            SettingCodes.MAX_HEADER_LIST_SIZE: HEAD_BYTES_MAX,
            SettingCodes.INITIAL_WINDOW_SIZE: WINDOW_BYTES,
            SettingCodes.MAX_FRAME_SIZE: FRAME_BYTES_MAX,
        }
        self.local_settings = Settings(client=False, initial_values=allowed)
        self.max_inbound_frame_size = FRAME_BYTES_MAX
        self.decoder = BoundedDecoder(HEAD_BYTES_MAX)

    def receive_data(self, data: Buffer) -> list[Event]:
        """Takes no more of a frame or a head than it may have: h2 would keep 16 MiB before it looks.

        Raises ProtocolError, with what is to be told ready to be sent.
        """
        events = super().receive_data(data)
        begun = self.incoming_buffer._data
        length = int.from_bytes(begun[:3], "big") if len(begun) >= _FRAME_HEAD_BYTES else 0
        if length > self.max_inbound_frame_size:
            self.close_connection(ErrorCodes.FRAME_SIZE_ERROR)
            raise FrameTooLargeError(f"A frame of {length} bytes")
        head_bytes = sum(len(frame.data) for frame in self.incoming_buffer._headers_buffer)
        if head_bytes > HEAD_BYTES_MAX:
            self.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
            raise DenialOfServiceError(f"A head of more than {head_bytes} bytes")
        if any(isinstance(event, RemoteSettingsChanged) for event in events):
            self.encoder.header_table_size = min(self.encoder.header_table_size, _TABLE_BYTES_MAX)
        return events

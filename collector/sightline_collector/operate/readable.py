"""An OTLP request as OTLP/JSON that people read: ids in hex, where protobuf's own JSON has base64."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from sightline_collector.errors import Malformed
from sightline_collector.receive.check import REQUESTS
from sightline_collector.wal.segment import Signal

_IDS = frozenset({"traceId", "spanId", "parentSpanId"})


def as_json(signal: Signal, body: bytes) -> str:
    """The request, indented. Raises Malformed when it is none."""
    try:
        request = REQUESTS[signal].FromString(body)
    except DecodeError as e:
        raise Malformed(
            f"it does not parse as a request of {signal} ({e})", hint="see it with --raw"
        ) from None
    fields = MessageToDict(request, use_integers_for_enums=True)
    return json.dumps(_hex(fields), indent=2, ensure_ascii=False)


def _hex(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _id(one) if key in _IDS else _hex(one) for key, one in value.items()}
    return [_hex(one) for one in value] if isinstance(value, list) else value


def _id(encoded: Any) -> Any:
    return base64.b64decode(encoded).hex() if isinstance(encoded, str) else encoded

"""The law of the way into the store: what a door lets in is stored, row for row, or is a dead letter.

What is neither would be tried again for ever, and nothing behind it would be stored.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fuzz.readers import FULL, LIMITS, NOW_NS, PROTOBUF, SIGNALS, WRITER
from fuzz.target import Target
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from sightline_collector.conformance import payload
from sightline_collector.errors import SenderFault, StoreRefused
from sightline_collector.receive.check import check
from sightline_collector.store.batch import Batch, CountDiffers
from sightline_collector.store.engine import Engine
from sightline_collector.store.migrate import migrate
from sightline_collector.store.url import StoreUrl
from sightline_collector.store.verdict import Verdict, judge
from sightline_collector.wal.segment import Entry, Signal, frame

TEXTS = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.usage.input_tokens": "12",
    "gen_ai.usage.output_tokens": "1e400",
    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]',
    "llm.input_messages.0.message.content": "hi",
    "llm.token_count.prompt": "-1",
    "gen_ai.usage.cost": "99999999999999999999999999999999999999",
    "langfuse.observation.usage_details": '{"input": "x", "output": 5}',
    "ai.usage": "{'input_tokens': 3}",
}


@contextmanager
def segments() -> Iterator[Target]:
    """One request a segment, all the way into a store of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = Engine(StoreUrl(folder / "store", "", 0, "", "", "default", secure=False))
        migrate(engine)
        numbers = iter(range(1, 1 << 40))

        def hold(data: bytes) -> None:
            signal, body = SIGNALS[data[0] % len(SIGNALS)] if data else Signal.TRACES, data[1:]
            try:
                items = check(signal, body, LIMITS)
            except SenderFault:
                return
            if items:
                batch = Batch(engine, signal, next(numbers), WRITER)
                length, trailer = frame(Entry(body, items, "default", NOW_NS), batch.number, WRITER)
                file = folder / "segment"
                file.write_bytes(length + body + trailer)
                try:
                    batch.insert(file, items)
                except CountDiffers:
                    return  # looked into by the inserter, which finds out whose fault it is
                except StoreRefused as fault:
                    if judge(fault) is Verdict.WAIT:
                        raise

        yield Target("store", hold, _seeds(), [text.encode() for pair in TEXTS.items() for text in pair])
        engine.close()


def _seeds() -> list[bytes]:
    told = [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in TEXTS.items()]
    spans = [
        FULL,
        payload.traces(attributes=told),
        payload.traces(attributes=[*told, *payload.every_value()]),
    ]
    others = [bytes([number]) + body for number, body in ((1, PROTOBUF[2]), (2, PROTOBUF[1]))]
    traces = bytes([SIGNALS.index(Signal.TRACES)])
    return [traces + body for body in spans for _ in range(3)] + others

"""A request with text that is not UTF-8 is mended, not lost: U+FFFD stands for what is no character. Pure.

Protobuf refuses a whole request for one such string, so that one span would cost all that came with it. The
request is parsed once more with every string declared as bytes, which is rare and slow: larger ones than
MENDED_BYTES_MAX are refused as before.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message import DecodeError, Message

from sightline_collector.receive.check import REQUESTS
from sightline_collector.wal.segment import Signal

MENDED_BYTES_MAX = 4 << 20
"""Mending takes some 100 ns a byte."""
WARNING = "Some text was not UTF-8: it is stored with U+FFFD in place of what is no character"


def mended(signal: Signal, body: bytes) -> bytes | None:
    """The request with only UTF-8 in it; None when nothing can be mended, or it is too large for that."""
    if len(body) > MENDED_BYTES_MAX:
        return None
    lenient, texts = _lenient(signal)
    request = lenient()
    try:
        request.MergeFromString(body)
    except DecodeError:
        return None
    if not _mend(request, texts):
        return None
    whole: bytes = request.SerializeToString()
    return whole


def _mend(message: Any, texts: frozenset[str]) -> int:
    """Mends in place; how many texts."""
    count = 0
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            count += sum(_mend(one, texts) for one in (value if field.is_repeated else (value,)))
        elif field.full_name in texts:
            whole = [_as_text(one) for one in (value if field.is_repeated else (value,))]
            if whole != (list(value) if field.is_repeated else [value]):
                count += 1
                if field.is_repeated:
                    value[:] = whole
                else:
                    setattr(message, field.name, whole[0])
    return count


def _as_text(said: bytes) -> bytes:
    return said if said.isascii() else said.decode(errors="replace").encode()


@lru_cache(maxsize=len(Signal))
def _lenient(signal: Signal) -> tuple[type[Message], frozenset[str]]:
    """The signal's request with bytes for strings, and the full names of the fields that were strings."""
    pool = descriptor_pool.DescriptorPool()
    texts: set[str] = set()
    asked = REQUESTS[signal].DESCRIPTOR
    for file in _with_dependencies(asked.file, set()):
        copy = FileDescriptorProto()
        file.CopyToProto(copy)
        for message in copy.message_type:
            texts.update(_without_strings(message, copy.package))
        pool.AddSerializedFile(copy.SerializeToString())
    made = message_factory.GetMessageClass(pool.FindMessageTypeByName(asked.full_name))
    return made, frozenset(texts)


def _with_dependencies(file: FileDescriptor, seen: set[str]) -> Iterator[FileDescriptor]:
    """What a file needs before the file, each once."""
    for needed in file.dependencies:
        if needed.name not in seen:
            seen.add(needed.name)
            yield from _with_dependencies(needed, seen)
    yield file


def _without_strings(message: DescriptorProto, within: str) -> Iterator[str]:
    name = f"{within}.{message.name}"
    for field in message.field:
        if field.type == FieldDescriptorProto.TYPE_STRING:
            field.type = FieldDescriptorProto.TYPE_BYTES
            yield f"{name}.{field.name}"
    for nested in message.nested_type:
        yield from _without_strings(nested, name)

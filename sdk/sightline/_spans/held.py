"""Calls that return a stream which nobody has read yet are over when the stream is.

function ─► returns ─► a generator          handed out behind one that tells of each step
                       a client's stream    stays itself, and tells of each step
                       a stream's manager   as a stream; so does what it is entered for
     read to its end │ closed │ left │ dropped │ failed ──► the calls end, the innermost first
"""

from functools import partial
from types import AsyncGeneratorType, GeneratorType
from typing import Any, Final

from sightline._safety import shielded
from sightline._spans.held_classes import hold, is_stream, reading_of
from sightline._spans.reading import Call, Reading

# What most functions return: not looked at any further.
_VALUES: Final = frozenset({type(None), str, int, float, bool, bytes, list, tuple, set, frozenset})
_BEDROCK: Final = "ResponseMetadata"  # Bedrock's answer is a dict with a stream in it


def is_value(result: object) -> bool:
    """Whether a call that returned this is over."""
    return type(result) in _VALUES


@shielded
def held(result: Any, call: Call) -> Any:
    """What to hand out instead of a stream, whose end is now the call's; None for what is no stream."""
    kind = type(result)
    if kind in _GENERATORS:
        return _held_generator(result, call)
    if kind is dict and _BEDROCK not in result:
        return None
    streams = result.values() if kind is dict else (result,)
    found = any(is_stream(type(each), of_model=call.asks_model) and _takes(each, call) for each in streams)
    return result if found else None


def _takes(stream: object, call: Call) -> bool:
    reading = reading_of(stream)
    return hold(stream, Reading(call)) if reading is None else reading.also(call)


def _held_generator(stream: Any, call: Call) -> Any:
    if isinstance(getattr(stream, "_reading", None), Reading) and stream._reading.also(call):
        return stream
    made = HeldGenerator if isinstance(stream, GeneratorType) else HeldAsyncGenerator
    return made(stream, Reading(call))


class _Behind:
    """Stands before a generator, and is one to all who ask. Dropping it leaves a generator alone that
    somebody else holds, too.
    """

    __slots__ = ("__weakref__", "_reading", "_stream")

    def __init__(self, stream: Any, reading: Reading) -> None:
        self._stream, self._reading = stream, reading

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __repr__(self) -> str:
        return repr(self._stream)

    def __del__(self) -> None:
        del self._stream  # first: what ends with it was part of the call
        self._reading.left()


class HeldGenerator(_Behind):
    __slots__ = ()

    @property  # type: ignore[misc]  # it can only be read
    def __class__(self) -> type:
        return GeneratorType

    def __iter__(self) -> "HeldGenerator":
        return self

    def __next__(self) -> Any:
        return self._reading.read(self._stream.__next__)

    def send(self, value: Any) -> Any:
        return self._reading.read(partial(self._stream.send, value))

    def throw(self, *error: Any) -> Any:
        return self._reading.read(partial(self._stream.throw, *error))

    def close(self) -> None:
        self._reading.close(self._stream.close)


class HeldAsyncGenerator(_Behind):
    __slots__ = ()

    @property  # type: ignore[misc]  # it can only be read
    def __class__(self) -> type:
        return AsyncGeneratorType

    def __aiter__(self) -> "HeldAsyncGenerator":
        return self

    def __anext__(self) -> Any:
        return self._reading.aread(self._stream.__anext__)

    def asend(self, value: Any) -> Any:
        return self._reading.aread(partial(self._stream.asend, value))

    def athrow(self, *error: Any) -> Any:
        return self._reading.aread(partial(self._stream.athrow, *error))

    def aclose(self) -> Any:
        return self._reading.close(self._stream.aclose)


_GENERATORS: Final = frozenset({GeneratorType, AsyncGeneratorType, HeldGenerator, HeldAsyncGenerator})

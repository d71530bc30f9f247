"""Clients' streams, held: the same objects, of a subclass of their own class that tells of each step.

A client reads its own stream, too, for `text_stream` or `get_final_message()`; a proxy would miss that. What
takes no other class is left alone.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, Final

from sightline._spans.reading import Reading

MAX_CLASSES: Final = 1_000  # a program that makes a class for each stream is not followed for ever

_TELLS: Final = "_self_sightline_tells"
_READING: Final = "_self_sightline_reading"  # wrapt's proxies keep what is named so for themselves
_CLIENTS: Final = ("anthropic", "botocore.eventstream", "aiobotocore.eventstream", "cohere", "google.genai")
_MORE_CLIENTS: Final = ("groq", "huggingface_hub", "litellm", "mistralai", "ollama", "openai", "together")
_OBSERVERS: Final = ("openinference.instrumentation", "opentelemetry", "sightline")
_PACKAGES: Final = tuple(f"{name}." for name in (*_CLIENTS, *_MORE_CLIENTS, *_OBSERVERS))

_held: dict[type, type] = {}


def is_stream(kind: type, *, of_model: bool) -> bool:
    """Whether objects of this class are read once: a client's streams, their managers; of a model call all
    that iterates.
    """
    iterates = hasattr(kind, "__next__") or hasattr(kind, "__anext__")
    if iterates and of_model:
        return True
    if not f"{kind.__module__}.".startswith(_PACKAGES):
        return False
    closes = hasattr(kind, "close") and (hasattr(kind, "__iter__") or hasattr(kind, "__aiter__"))
    return iterates or closes or "StreamManager" in kind.__name__


def reading_of(stream: object) -> Reading | None:
    """Who hears of this stream's steps already."""
    return getattr(stream, _READING, None) if hasattr(type(stream), _TELLS) else None


def hold(stream: Any, reading: Reading) -> bool:
    """Have the stream tell of its steps; False where that cannot be done."""
    kind = type(stream)
    try:
        held = _held.get(kind) or _made(kind)
        setattr(stream, _READING, reading)
        # A proxy by wrapt would pass it on to what it stands for.
        object.__dict__["__class__"].__set__(stream, held)
    except Exception:  # whatever a class of somebody else's has against it
        return False
    reading.owner = id(stream)
    return True


def _made(kind: type) -> type:
    if len(_held) >= MAX_CLASSES:
        raise TypeError("too many classes")
    body: dict[str, Any] = {
        name: method(getattr(kind, name)) for name, method in _METHODS.items() if hasattr(kind, name)
    }
    body |= {"__slots__": (), "__module__": kind.__module__, "__qualname__": kind.__qualname__, _TELLS: True}
    body["__del__"] = _del(getattr(kind, "__del__", None))
    _held[kind] = type(kind)(kind.__name__, (kind,), body)
    return _held[kind]


def _of(stream: Any) -> Reading:
    reading: Reading = getattr(stream, _READING)
    return reading


def _next(inherited: Callable[..., Any]) -> Callable[..., Any]:
    def next_(self: Any) -> Any:
        return _of(self).read(partial(inherited, self))

    return next_


def _anext(inherited: Callable[..., Any]) -> Callable[..., Any]:
    async def anext_(self: Any) -> Any:
        return await _of(self).aread(partial(inherited, self))

    return anext_


def _iter(inherited: Callable[..., Any]) -> Callable[..., Any]:
    def iter_(self: Any) -> Any:
        items = inherited(self)
        return items if items is self else _steps(items, _of(self))

    return iter_


def _steps(items: Iterator[Any], reading: Reading) -> Iterator[Any]:
    """Dropping it is no end: the stream may be iterated over again, from where it is."""
    while True:
        try:
            item = reading.read(items.__next__)
        except StopIteration:
            return
        yield item


def _aiter(inherited: Callable[..., Any]) -> Callable[..., Any]:
    def aiter_(self: Any) -> Any:
        items = inherited(self)
        return items if items is self else _asteps(items, _of(self))

    return aiter_


async def _asteps(items: AsyncIterator[Any], reading: Reading) -> AsyncIterator[Any]:
    while True:
        try:
            item = await reading.aread(items.__anext__)
        except StopAsyncIteration:
            return
        yield item


def _enter(inherited: Callable[..., Any]) -> Callable[..., Any]:
    def enter_(self: Any) -> Any:
        return _entered(self, _of(self).enter(partial(inherited, self)))

    return enter_


def _aenter(inherited: Callable[..., Any]) -> Callable[..., Any]:
    async def aenter_(self: Any) -> Any:
        return _entered(self, await _of(self).aenter(partial(inherited, self)))

    return aenter_


def _entered(manager: object, stream: object) -> object:
    if stream is not manager:
        hold(stream, _of(manager))
    return stream


def _close(inherited: Callable[..., Any]) -> Callable[..., Any]:
    def close(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _of(self).close(partial(inherited, self, *args, **kwargs))

    return close


def _del(inherited: Callable[..., Any] | None) -> Callable[..., Any]:
    def del_(self: Any) -> None:
        reading = _of(self)
        try:
            if inherited is not None:
                inherited(self)
        finally:
            if reading.owner == id(self):
                reading.left()

    return del_


_METHODS: Final[dict[str, Callable[..., Any]]] = {
    "__next__": _next,
    "__anext__": _anext,
    "__iter__": _iter,
    "__aiter__": _aiter,
    "__enter__": _enter,
    "__aenter__": _aenter,
    "__exit__": _close,
    "__aexit__": _close,
    "close": _close,
    "aclose": _close,
}

"""Private parts of libraries that make their own spans: taken by name, left alone where they are gone."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from sightline._safety import log
from sightline.instrument import Undo


def found(module: str, name: str) -> Any | None:
    """The part, or None where this version of the library has none."""
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError):
        log.info("There is no %s.%s: Sightline leaves that as it is", module, name)
        return None


def replaced(module: str, name: str, make: Callable[[Any], Any]) -> Undo:
    """Put what `make` makes of the part in its place; returns the way back."""
    before = found(module, name)
    if before is None:
        return nothing
    owner = import_module(module)
    setattr(owner, name, make(before))
    return lambda: setattr(owner, name, before)


def nothing() -> None:
    """There was nothing to do, and is nothing to undo."""

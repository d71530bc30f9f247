"""What one question, and all of them together, may take; and which settings a client may choose. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sightline_collector.gateway.readable import READABLE
from sightline_collector.gateway.refusal import Refused, not_read_only


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the SQL port. A client can only lower them."""

    at_once: int = 4
    """Statements that run at a time: more would starve the inserts on two cores."""
    waiting: int = 32
    """Statements that may wait for their turn; further ones are told to come again."""
    wait_s: float = 10.0
    execution_s: int = 30
    delivery_s: float = 120.0
    """From a question's start to its last byte: a client that reads slower than this is cut off."""
    query_bytes: int = 1 << 20
    memory_bytes: int = 256 << 20
    """Of one statement: four at once, and the inserts, stay within the engine's own bound."""
    result_rows: int = 10_000_000
    result_bytes: int = 2 << 30
    threads: int = 2

    @property
    def settings(self) -> dict[str, int]:
        """The bounds that the engine watches, in its names."""
        return {
            "max_execution_time": self.execution_s,
            # The engine's spelling of a statement may be longer than what was sent.
            "max_query_size": 2 * self.query_bytes,
            "max_memory_usage": self.memory_bytes,
            "max_result_rows": self.result_rows,
            "max_result_bytes": self.result_bytes,
            "max_threads": self.threads,
        }


DEFAULT = Limits()

_OUTPUT_FORMAT = re.compile(r"output_format_(?!.*schema)\w+", re.ASCII)
_VALUE = re.compile(r"[\w+\-./:,;|\t ]{0,64}", re.ASCII)
_NUMBER = re.compile(r"\d{1,18}(\.\d{1,6})?", re.ASCII)


def allowed(asked: Mapping[str, str], limits: Limits = DEFAULT) -> dict[str, str]:
    """The engine's settings for a question: the bounds, lowered as asked, and what may be chosen freely.

    Raises Refused for a setting that is not a reader's to choose, or a value that cannot be meant.
    """
    bounds = limits.settings
    chosen: dict[str, str] = {}
    for name, value in asked.items():
        if name in bounds:
            bounds[name] = _lower(name, value, bounds[name])
        elif name in READABLE.lowered_settings:
            chosen[name] = str(_number(name, value))
        elif name == "readonly":
            _stay_readonly(value)
        elif name in READABLE.chosen_settings or _OUTPUT_FORMAT.fullmatch(name):
            chosen[name] = _plain(name, value)
        elif name not in READABLE.transport_settings:
            raise _not_yours(name)
    return chosen | {name: str(value) for name, value in bounds.items()}


def _lower(name: str, value: str, bound: int) -> int:
    """Zero means no bound to ClickHouse, so ours stays; a fraction of a second is rounded up."""
    asked = _number(name, value)
    return min(asked, bound) if asked else bound


def _number(name: str, value: str) -> int:
    if not _NUMBER.fullmatch(value):
        raise Refused(72, "CANNOT_PARSE_NUMBER", f"The setting {name} takes a number, not {value[:40]!r}")
    return -int(-float(value) // 1)


def _plain(name: str, value: str) -> str:
    if not _VALUE.fullmatch(value):
        raise Refused(36, "BAD_ARGUMENTS", f"The setting {name} cannot be {value[:40]!r}", status=400)
    return value


def _stay_readonly(value: str) -> None:
    if value not in ("1", "2"):
        raise not_read_only("Cannot modify 'readonly' setting in readonly mode")


def _not_yours(name: str) -> Refused:
    return not_read_only(
        f"The setting {name[:60]!r} cannot be changed here",
        "Bounds such as max_execution_time can be lowered, output_format_* chosen; leave out the rest",
    )

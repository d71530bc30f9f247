"""What `init()` was asked for, checked, with the environment's word taken in.

Reads the environment for all of `init()`, but `_delivery.destination` reads the collector's address.
"""

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from sightline.errors import ConfigurationError

if TYPE_CHECKING:
    from sightline._delivery.destination import Destination
    from sightline._delivery.limits import Limits
    from sightline._sampling import Sampling
    from sightline.budget._caps import Budget
    from sightline.privacy import Privacy

# OpenTelemetry keeps 128 and drops the oldest: model and usage, which are set first.
SPAN_ATTRIBUTES: Final = 1_024

SPOOL_MAX_BYTES: Final = 256 * 1024 * 1024  # some 150,000 fat spans
SPOOL_MIN_BYTES: Final = 1_000_000  # a request has up to 4 MB, most have some 100 KB

Instrument = Literal["auto", False] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the SDK's parts are made with; equal settings make equal parts."""

    service_name: str | None
    destination: "Destination"
    content: "Privacy"
    instrument: "Literal['auto'] | tuple[str, ...]"
    limits: "Limits"
    span_attributes: int | None
    stream_usage: bool
    budget: "Budget | None" = None
    sampling: "Sampling | None" = None
    spool: Path | None = None
    spool_max_bytes: int = SPOOL_MAX_BYTES
    logs: int | None = None


def disabled() -> bool:
    """Whether OpenTelemetry's own switch is off."""
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def read(
    service_name: str | None,
    endpoint: str | None,
    content: object,
    instrument: object,
    headers: Mapping[str, str],
    stream_usage: bool,
    budget: object = None,
    sampling: "float | Sampling" = 1.0,
    spool: object = None,
    spool_max_bytes: int = SPOOL_MAX_BYTES,
    logs: object = False,
) -> Settings:
    """The arguments win over the environment, the environment over our defaults."""
    from sightline._delivery.destination import destination
    from sightline._delivery.limits import Limits

    limits = Limits()
    return Settings(
        service_name=service_name,
        destination=destination(endpoint, headers),
        content=_content(content),
        instrument=_instrument(instrument),
        limits=Limits(
            max_items=_number("OTEL_BSP_MAX_QUEUE_SIZE", limits.max_items),
            batch_items=_number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", limits.batch_items),
            delay_s=_number("OTEL_BSP_SCHEDULE_DELAY", round(limits.delay_s * 1000)) / 1000,
        ),
        span_attributes=_span_attributes(),
        stream_usage=stream_usage,
        budget=_budget(budget),
        sampling=_sampling(sampling),
        spool=_spool(spool),
        spool_max_bytes=_spool_bytes(spool_max_bytes),
        logs=log_level(logs),
    )


def _content(content: Any) -> "Privacy":
    from sightline.privacy import Privacy

    return content if isinstance(content, Privacy) else Privacy(content)


def log_level(logs: object) -> int | None:
    """The level from which on the program's own log records are sent; None: none are."""
    if logs is True:
        return logging.INFO
    level = logging.getLevelNamesMapping().get(logs, logs) if isinstance(logs, str) else logs
    if level is False or level is None:
        return None
    if isinstance(level, int) and level >= 0:
        return level
    raise ConfigurationError(f"logs is {logs!r}; it may be True, False, or a level as logging has them")


def _instrument(instrument: object) -> "Literal['auto'] | tuple[str, ...]":
    from sightline.instrument import KNOWN

    if instrument is False:
        return ()
    if instrument == "auto":
        return "auto"
    names = tuple(instrument) if isinstance(instrument, list | tuple | set | frozenset) else (instrument,)
    unknown = sorted(str(name) for name in names if name not in KNOWN)
    if unknown:
        raise ConfigurationError(
            f'instrument names {", ".join(unknown)}; it may be "auto", False, or a list of {", ".join(KNOWN)}'
        )
    return names


def _spool(spool: object) -> Path | None:
    if spool is None:
        return None
    if not isinstance(spool, str | PathLike) or not str(spool):
        raise ConfigurationError(f"spool is {spool!r}; it may be None, or the path of a folder")
    if sys.platform == "win32":
        raise ConfigurationError("spool needs file locks that Windows has not; leave it out there")
    return Path(spool).expanduser().absolute()


def _spool_bytes(most: object) -> int:
    if not isinstance(most, int) or most < SPOOL_MIN_BYTES:
        raise ConfigurationError(f"spool_max_bytes is {most!r}; it must be {SPOOL_MIN_BYTES:,} or more")
    return most


def _budget(budget: object) -> "Budget | None":
    from sightline.budget._caps import Budget

    if budget is None or isinstance(budget, Budget):
        return budget
    raise ConfigurationError(
        f"budget is {budget!r}; it may be a sightline.Budget, such as Budget(per_trace=0.5)"
    )


def _sampling(sampling: "float | Sampling") -> "Sampling | None":
    """None where nothing is to be left out."""
    from sightline._sampling import Sampling

    said = sampling if isinstance(sampling, Sampling) else Sampling(sampling)
    return said if said.leaves_out else None


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise ConfigurationError(f"{variable} is {text!r}; it must be a whole number above 0")
    return int(text)


def _span_attributes() -> int | None:
    """The most attributes that a span keeps; None leaves it to OpenTelemetry and its variables."""
    named = ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT")
    said = [variable for variable in named if os.environ.get(variable, "").strip()]
    for variable in said:
        text = os.environ[variable].strip()
        if not (text.isascii() and text.isdigit()):
            raise ConfigurationError(f"{variable} is {text!r}; it must be a whole number")
    return None if said else SPAN_ATTRIBUTES

"""What `init()` was asked for, checked, with the environment's word taken in.

Reads the environment, as does `_destination` for the collector's address; nothing else in the SDK does.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sightline._runtime import CONTENT_MODES, Content
from sightline.errors import ConfigurationError

if TYPE_CHECKING:
    from sightline._caps import Budget
    from sightline._destination import Destination
    from sightline._shipping import Limits

# OpenTelemetry keeps 128 and drops the oldest: model and usage, which are set first.
SPAN_ATTRIBUTES: Final = 1_024

Instrument = Literal["auto", False] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the SDK's parts are made with; equal settings make equal parts."""

    service_name: str | None
    destination: "Destination"
    content: Content
    instrument: "Literal['auto'] | tuple[str, ...]"
    limits: "Limits"
    span_attributes: int | None
    stream_usage: bool
    budget: "Budget | None" = None


def disabled() -> bool:
    """Whether OpenTelemetry's own switch is off."""
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def read(
    service_name: str | None,
    endpoint: str | None,
    content: str,
    instrument: object,
    headers: Mapping[str, str],
    stream_usage: bool,
    budget: object = None,
) -> Settings:
    """The arguments win over the environment, the environment over our defaults."""
    from sightline._destination import destination
    from sightline._shipping import Limits

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
    )


def _content(content: str) -> Content:
    if content not in CONTENT_MODES:
        raise ConfigurationError(f"content is {content!r}; it may be one of {', '.join(CONTENT_MODES)}")
    return content


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


def _budget(budget: object) -> "Budget | None":
    from sightline._caps import Budget

    if budget is None or isinstance(budget, Budget):
        return budget
    raise ConfigurationError(
        f"budget is {budget!r}; it may be a sightline.Budget, such as Budget(per_trace=0.5)"
    )


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    if not text.isdigit() or int(text) == 0:
        raise ConfigurationError(f"{variable} is {text!r}; it must be a whole number above 0")
    return int(text)


def _span_attributes() -> int | None:
    """The most attributes that a span keeps; None leaves it to OpenTelemetry and its variables."""
    named = ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT")
    return None if any(os.environ.get(variable) for variable in named) else SPAN_ATTRIBUTES

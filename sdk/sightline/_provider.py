"""Whose TracerProvider we work with: the program's, if it has one that can be joined, or one of our own.

    nobody's yet                  a new one, made global
    OpenTelemetry's SDK           joined: its spans are sent as ours are, and its exporters go on
    a wrapper around it           joined likewise (Logfire's)
    another implementation        left alone; a new one of our own, for our spans only (Datadog's)

No provider of others is ever replaced. All spans of a joined one are taken, also those that have nothing to
do with models: a trace without its requests and queries says little of why it was slow.
"""

from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider

from sightline import _safety

if TYPE_CHECKING:
    from sightline._settings import Settings

_ATTRIBUTES_FEW: Final = 128  # OpenTelemetry's default: a long chat in a flattened dialect has more


def provider_for(settings: "Settings") -> TracerProvider:
    """The program's provider, or a new one."""
    existing = trace.get_tracer_provider()
    # A wrapper hands processors on to what it wraps, which is theirs to exchange; we stay with this one.
    joined = existing if isinstance(existing, TracerProvider) else getattr(existing, "provider", None)
    if isinstance(joined, TracerProvider):
        _say_what_is_cut(joined)
        return joined
    resource = Resource.create({"service.name": settings.service_name} if settings.service_name else {})
    limits = SpanLimits(max_span_attributes=settings.span_attributes)
    provider = TracerProvider(resource=resource, span_limits=limits, shutdown_on_exit=False)
    if isinstance(existing, trace.ProxyTracerProvider):
        trace.set_tracer_provider(provider)
    else:
        _safety.log.warning(
            "%s.%s is not OpenTelemetry's SDK: only Sightline's spans are seen",
            type(existing).__module__.partition(".")[0],
            type(existing).__name__,
        )
    return provider


def _say_what_is_cut(provider: TracerProvider) -> None:
    """Our own spans keep model and usage under any limit; what others write is theirs to save."""
    most = getattr(getattr(provider, "_span_limits", None), "max_span_attributes", None)
    if most is not None and most < _ATTRIBUTES_FEW:
        _safety.log.warning(
            "The TracerProvider of this program keeps %d attributes a span and drops the oldest: other"
            " instrumentations' models and tokens may be lost. Raise OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
            most,
        )

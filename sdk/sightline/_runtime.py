"""What the rest of the SDK works with once it runs: whose tracer, whose logger, is content wanted.

`init()` and `testing.capture()` put a runtime in; before that there is the default one, which follows
whatever OpenTelemetry the program has set up, and records no content, since nobody has said where it goes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from opentelemetry import trace
from opentelemetry.context import Context

if TYPE_CHECKING:
    from opentelemetry._logs import Logger

SCOPE: Final = "sightline"

# What may leave the process; `privacy` says what each means.
Content = Literal["full", "masked", "hashed", "off"]
CONTENT_MODES: Final[tuple[Content, ...]] = get_args(Content)


Start = Callable[[str, Context | None, trace.SpanKind, Mapping[str, Any]], trace.Span]


def plainly(tracer: trace.Tracer) -> Start:
    """Spans started as anybody would."""

    def start(
        name: str, parent: Context | None, kind: trace.SpanKind, values: Mapping[str, Any]
    ) -> trace.Span:
        return tracer.start_span(name, parent, kind, values, record_exception=False)

    return start


@dataclass(frozen=True, slots=True)
class Runtime:
    """`start` opens a span of `tracer` under a context (None: the current one), of a kind, with its first
    attributes. `logger` is None until something can send its records; `captures` says whether content is
    wanted.
    """

    tracer: trace.Tracer
    start: Start
    logger: "Logger | None" = None
    captures: bool = False


_default: Final = trace.get_tracer(SCOPE)
current = Runtime(_default, plainly(_default))


def use(runtime: Runtime) -> Runtime:
    """Put another runtime in; returns the one that was there."""
    global current
    previous, current = current, runtime
    return previous

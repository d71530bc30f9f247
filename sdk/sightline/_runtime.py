"""What the rest of the SDK works with once it runs: whose tracer, whose logger, is content wanted.

`init()` and `testing.capture()` put a runtime in; before that there is the default one, which follows
whatever OpenTelemetry the program has set up, and records no content, since nobody has said where it goes.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from opentelemetry import trace

if TYPE_CHECKING:
    from opentelemetry._logs import Logger

SCOPE: Final = "sightline"

# What may leave the process; `masking` says what each means.
Content = Literal["full", "masked", "off"]
CONTENT_MODES: Final[tuple[Content, ...]] = get_args(Content)


@dataclass(frozen=True, slots=True)
class Runtime:
    """`logger` is None until something can send its records; `captures` says whether content is wanted."""

    tracer: trace.Tracer
    logger: "Logger | None" = None
    captures: bool = False


current = Runtime(trace.get_tracer(SCOPE))


def use(runtime: Runtime) -> Runtime:
    """Put another runtime in; returns the one that was there."""
    global current
    previous, current = current, runtime
    return previous

"""Everything Sightline raises on purpose.

    SightlineError
    ├── ConfigurationError    init() was given something it cannot use: fix the call or the variable
    └── GuardrailTripped      raised by your guardrail to stop the work; recorded as a block, not as an error

Nothing else leaves Sightline: a fault of its own is swallowed at the edge and counted, see `health()`.
"""


class SightlineError(Exception):
    """The root: catches every error that Sightline raises on purpose."""


class ConfigurationError(SightlineError):
    """A setting is wrong; the message names it, what it may be, and where it came from."""


class GuardrailTripped(SightlineError):  # noqa: N818  # an outcome, named as guardrails name it
    """Raise this in a guardrail to block: the span says `sightline.guardrail.blocked`, the caller decides."""

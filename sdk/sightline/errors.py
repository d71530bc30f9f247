"""Everything Sightline raises on purpose.

    SightlineError
    ├── ConfigurationError    init() was given something it cannot use: fix the call or the variable
    ├── BudgetExceeded        a model was not called, since a budget of yours is used up
    └── GuardrailTripped      raised by your guardrail to stop the work; recorded as a block, not as an error

Nothing else leaves Sightline: a fault of its own is swallowed at the edge and counted, see `health()`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sightline.budget._caps import Decision


class SightlineError(Exception):
    """The root: catches every error that Sightline raises on purpose."""


class ConfigurationError(SightlineError):
    """A setting is wrong; the message names it, what it may be, and where it came from."""


class BudgetExceeded(SightlineError):  # noqa: N818  # an outcome: nothing went wrong
    """A model was not called; the message says what was spent, which limit holds, and what to do.

    `decision` is the same as values.
    """

    def __init__(self, decision: "Decision") -> None:
        super().__init__(decision)
        self.decision = decision

    def __str__(self) -> str:
        return self.decision.reason


class GuardrailTripped(SightlineError):  # noqa: N818  # an outcome, named as guardrails name it
    """Raise this in a guardrail to block: the span says `sightline.guardrail.blocked`, the caller decides."""

"""Guardrails: a block is a fact, not an error."""

import pytest

import sightline
from sightline.testing import Captured


@pytest.mark.parametrize(("verdict", "blocked"), [(True, False), (None, False), (False, True)])
def test_a_guardrail_blocks_by_returning_false(seen: Captured, verdict: bool | None, blocked: bool) -> None:
    """Only False blocks; the result is recorded as a fact about the span, not as an error."""

    @sightline.guardrail
    def check(text: str) -> bool | None:
        return verdict

    assert check("hi") is verdict
    span = seen.span("check")
    assert (span.attributes["sightline.guardrail.blocked"], span.status) == (blocked, "unset")


def test_a_guardrail_blocks_by_raising(seen: Captured) -> None:
    """GuardrailTripped reaches the caller and is a block, not an error, of the guardrail."""

    @sightline.guardrail
    def check(text: str) -> None:
        raise sightline.GuardrailTripped("no medical advice")

    with pytest.raises(sightline.GuardrailTripped):
        check("hi")
    span = seen.span("check")
    assert (span.attributes["sightline.guardrail.blocked"], span.status, span.events) == (True, "unset", [])


def test_a_guardrail_that_fails_has_not_said_anything(seen: Captured) -> None:
    """A check that crashed is an error, neither a pass nor a block."""

    @sightline.guardrail
    def check(text: str) -> bool:
        raise RuntimeError("model not loaded")

    with pytest.raises(RuntimeError):
        check("hi")
    span = seen.span("check")
    assert (span.status, "sightline.guardrail.blocked" in span.attributes) == ("error", False)

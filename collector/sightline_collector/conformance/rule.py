"""What a rule is, and what came out of putting it to an endpoint. Pure.

::

    @rule("full-success-1", Level.MUST)
    def status(endpoint: Endpoint) -> str:
        "A request that is accepted is answered 200 and nothing else."
        ...                      returns what was seen, raises Broken or NotApplicable

    its id: full-success-1/status      its place: SPECIFICATION#full-success-1
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sightline_collector.conformance.endpoint import Endpoint

SPECIFICATION = "https://opentelemetry.io/docs/specs/otlp/"
OUTSIDE = {
    "rfc9110": "https://www.rfc-editor.org/rfc/rfc9110",
    "rfc9112": "https://www.rfc-editor.org/rfc/rfc9112",
    "rfc9113": "https://www.rfc-editor.org/rfc/rfc9113",
    "fetch": "https://fetch.spec.whatwg.org/#http-cors-protocol",
    "proto3-json": "https://protobuf.dev/programming-guides/json/",
    "proto-files": "https://github.com/open-telemetry/opentelemetry-proto/tree/v1.11.0/opentelemetry/proto",
    "grpc": "https://github.com/grpc/grpc/tree/master/doc",
}
"""Sections that are no part of the OTLP specification, and where they are written."""


class Level(StrEnum):
    """How binding a rule is: OTLP's own words, and what clients expect beyond them."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"
    GOOD = "good"


class Verdict(StrEnum):
    """What came out."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    NOT_APPLICABLE = "n/a"


class Broken(Exception):  # noqa: N818 - says what was seen instead
    """The endpoint does not keep the rule."""


class NotApplicable(Exception):  # noqa: N818 - says why
    """The endpoint does not offer what the rule is about, or showed no case of it."""


Check = Callable[[Endpoint], str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `says` is its sentence; `check` returns what was seen, raises Broken or NotApplicable."""

    section: str
    name: str
    level: Level
    says: str
    check: Check

    @property
    def id(self) -> str:
        """Stable, and the same for every endpoint."""
        return f"{self.section}/{self.name}"

    @property
    def where(self) -> str:
        """The address of what the rule rests on."""
        return OUTSIDE.get(self.section) or f"{SPECIFICATION}#{self.section}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule, what came out, and what was seen."""

    rule: Rule
    verdict: Verdict
    seen: str


def rule(section: str, level: Level) -> Callable[[Check], Rule]:
    """Makes a rule of its check: the function's name is the rule's, its docstring the sentence."""

    def ruled(check: Check) -> Rule:
        says = " ".join((check.__doc__ or "").split())
        return Rule(section, check.__name__.replace("_", "-"), level, says, check)

    return ruled


def rules_of(names: Mapping[str, Any]) -> tuple[Rule, ...]:
    """The rules among a module's names, in the order they are written."""
    return tuple(value for value in names.values() if isinstance(value, Rule))


def kept(findings: Iterable[Finding]) -> bool:
    """True when nothing failed."""
    return all(finding.verdict is not Verdict.FAIL for finding in findings)

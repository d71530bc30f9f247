"""Every rule, and putting them to an endpoint one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sightline_collector.conformance import (
    grpc_failures,
    grpc_success,
    http_2,
    http_connection,
    http_failures,
    http_json,
    http_limits,
    http_success,
)
from sightline_collector.conformance.endpoint import Endpoint, Unanswered
from sightline_collector.conformance.rule import Broken, Finding, NotApplicable, Rule, Verdict

HTTP_RULES: tuple[Rule, ...] = (
    *http_success.RULES,
    *http_failures.RULES,
    *http_limits.RULES,
    *http_json.RULES,
    *http_connection.RULES,
    *http_2.RULES,
)
GRPC_RULES: tuple[Rule, ...] = (*grpc_success.RULES, *grpc_failures.RULES)
RULES = HTTP_RULES + GRPC_RULES

NO_GRPC = "no gRPC address was given"


def run(endpoint: Endpoint, rules: Iterable[Rule] = RULES) -> Iterator[Finding]:
    """What comes out of each rule, in order, as soon as it is known."""
    for rule in rules:
        if rule in GRPC_RULES and not endpoint.grpc_target:
            yield Finding(rule, Verdict.NOT_APPLICABLE, NO_GRPC)
        else:
            yield put(endpoint, rule)


def put(endpoint: Endpoint, rule: Rule) -> Finding:
    """What comes out of one rule. A connection that breaks is a failure."""
    try:
        return Finding(rule, Verdict.PASS, rule.check(endpoint))
    except Broken as seen:
        return Finding(rule, Verdict.FAIL, str(seen))
    except Unanswered as broke:
        return Finding(rule, Verdict.FAIL, f"no answer ({broke})")
    except NotApplicable as why:
        return Finding(rule, Verdict.NOT_APPLICABLE, str(why))

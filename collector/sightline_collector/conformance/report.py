"""Findings as people and programs read them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sightline_collector.conformance.rule import Finding, Verdict

COLUMNS = [("rule_id", "String"), ("level", "String"), ("verdict", "String"), ("seen", "String")]
"""Of the table, with the types that say how they are printed."""


def cells(findings: Iterable[Finding]) -> list[list[object]]:
    """The table's rows."""
    return [[one.rule.id, str(one.rule.level), str(one.verdict), one.seen] for one in findings]


def records(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """As JSON has them, with the rule's sentence and where it is written."""
    return [
        {
            "rule": one.rule.id,
            "level": one.rule.level,
            "says": one.rule.says,
            "where": one.rule.where,
            "verdict": one.verdict,
            "seen": one.seen,
        }
        for one in findings
    ]


def broken(findings: Iterable[Finding]) -> list[str]:
    """The sentences of the rules that failed, each below its id."""
    lines = []
    for one in findings:
        if one.verdict is Verdict.FAIL:
            lines += [
                f"{one.rule.id}  ({one.rule.where})",
                f"    rule  {one.rule.says}",
                f"    seen  {one.seen}",
            ]
    return lines


def footer(findings: Iterable[Finding]) -> str:
    """How many of each."""
    counts = Counter(one.verdict for one in findings)
    return " · ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)

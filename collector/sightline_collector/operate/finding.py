"""What a doctor says: one line for each thing looked at, with its state and what to do next. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How it is: fine, soon to be looked at, or broken now."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `next_step` is "" when there is nothing to do."""

    check: str
    state: State
    says: str
    next_step: str = ""


def ok(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check, State.OK, says)


def warn(check: str, says: str, next_step: str) -> Finding:
    """Nothing is lost yet."""
    return Finding(check, State.WARN, says, next_step)


def fail(check: str, says: str, next_step: str) -> Finding:
    """Something is not taken, not stored or not told."""
    return Finding(check, State.FAIL, says, next_step)


def graded(check: str, value: float, warn_at: float, fail_at: float, says: str, next_step: str) -> Finding:
    """By how high a value is; where low is bad, both bounds and the value are given negative."""
    if value >= fail_at:
        return fail(check, says, next_step)
    return warn(check, says, next_step) if value >= warn_at else ok(check, says)


def healthy(findings: Iterable[Finding]) -> bool:
    """True when nothing fails."""
    return all(finding.state is not State.FAIL for finding in findings)


def as_rows(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """As JSON has them."""
    return [asdict(finding) for finding in findings]


def as_lines(findings: Iterable[Finding]) -> list[str]:
    """As people read them, the next step below what needs one."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.state:<5} {finding.check:<14} {finding.says}")
        if finding.next_step:
            lines.append(f"{'':<5} {'':<14} → {finding.next_step}")
    return lines


def duration(seconds: float) -> str:
    """A span of time, rounded to where it is read."""
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def size(size_bytes: float) -> str:
    """Bytes in the unit that leaves few digits."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes:.0f} bytes"

"""What to do after a failed insert: wait, or look for the request that the engine will never take.

The one place that decides it. Waiting loses nothing and is right for every fault of the store (disk full,
no connection, missing table, wrong password, too many parts); it would be wrong only for faults that are in
the data. Those are listed; an unlisted code waits, loudly, and never throws anything away.
"""

from __future__ import annotations

import re
from enum import Enum

from sightline_collector.errors import StoreRefused

ENGINE_SAYS = re.compile(r"Code: (\d+)\. DB::")
"""An answer of the engine's own, and its code: a proxy's page may speak of codes, too."""

MEMORY = 241
"""Said both of one query that needs too much and, with "(total)", of all that run: the latter passes."""

SLOW = 159
"""Said of one request that takes long, and of any while the store is busy with something else."""

UNKNOWN = 444
"""Said of groups, which protobuf gave up long ago, wherever a sender puts one."""

IN_THE_DATA = {
    6: "cannot parse text",
    27: "cannot parse input",
    32: "a message ends too early",
    33: "cannot read all data",
    36: "a value out of its domain",
    41: "cannot parse a time",
    53: "a value of the wrong type",
    69: "an argument out of bounds",
    70: "cannot convert a value",
    72: "cannot parse a number",
    117: "incorrect data",
    128: "too large an array",
    131: "too large a string",
    SLOW: "takes longer than an insert may",
    190: "arrays of different sizes",
    MEMORY: "needs more memory than an insert may have",
    321: "a value is out of range",
    349: "an absent value where one must be",
    395: "refused by a check",
    407: "a number beyond its decimals",
    436: "a field that does not fit its column",
    UNKNOWN: "not the protobuf of its schema",
    469: "refused by a constraint",
}
"""ClickHouse error codes that a request's own content causes, with a name for each."""


class Verdict(Enum):
    """What may help."""

    WAIT = "wait"
    BISECT = "bisect"


def judge(error: Exception) -> Verdict:
    """Whether the same bytes may be taken later."""
    if not isinstance(error, StoreRefused) or error.code not in IN_THE_DATA:
        return Verdict.WAIT
    of_all_queries = error.code == MEMORY and "(total)" in error.message
    return Verdict.WAIT if of_all_queries else Verdict.BISECT


def is_slow(error: Exception) -> bool:
    """Whether it took longer than it may, for whatever reason."""
    return isinstance(error, StoreRefused) and error.code == SLOW


def is_too_much(error: Exception) -> bool:
    """Whether less of the same at once may be taken."""
    return isinstance(error, StoreRefused) and error.code in (MEMORY, SLOW)


def reason(error: Exception) -> str:
    """A short, stable name of the failure, fit for a metric's label."""
    if isinstance(error, StoreRefused):
        return f"engine_{error.code}"
    return type(error).__name__

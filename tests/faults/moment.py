"""A moment in a collector's life, named by the call that it is about to make, or has just made.

    KIND:WHEN:NTH:PATTERN    rename:before:1:/tmp_insert_    the pattern is searched for in the paths

`python tests/faults/moment.py MOMENT FILE PROGRAM ...` runs a program that is killed, with -9, at the first
such moment after the file is there.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.ptrace import Call, Then, run_traced
from faults.syscalls import names, stop_filter
from faults.touched import files


@dataclass(frozen=True, slots=True)
class Moment:
    """The `nth` call, counted from 1, of a kind that is about a path in which `pattern` is found."""

    kind: str
    when: str
    pattern: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.kind}:{self.when}:{self.nth}:{self.pattern}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """From its text."""
        kind, when, nth, pattern = text.split(":", 3)
        return cls(kind, when, pattern, int(nth))


class Killer:
    """Watches for a moment, once a file is there, and kills at it."""

    def __init__(self, moment: Moment, armed: Path) -> None:
        self._moment = moment
        self._armed = armed
        self._names = names({moment.kind})
        self._pattern = re.compile(moment.pattern)
        self._seen = 0

    def __call__(self, call: Call) -> Then:
        if call.result is not None:
            return Then.KILL
        paths = "\n".join(files(call, self._names[call.number]))
        if not self._pattern.search(paths) or not self._armed.exists():
            return Then.GO_ON
        self._seen += 1
        if self._seen < self._moment.nth:
            return Then.GO_ON
        return Then.KILL if self._moment.when == "before" else Then.TELL_THE_END


def main(arguments: list[str]) -> None:
    """Become the program."""
    moment, armed = Moment.parse(arguments[0]), Path(arguments[1])
    run_traced(arguments[2:], stop_filter(names({moment.kind})), lambda: Killer(moment, armed))


def killed_at(moment: Moment, armed: Path) -> tuple[str, ...]:
    """What a program has to run under for it."""
    return (sys.executable, __file__, str(moment), str(armed))


if __name__ == "__main__":
    main(sys.argv[1:])

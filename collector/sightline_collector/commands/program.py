"""The program as the user can call it again: what hints say must work when it is typed."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

NAME = "sightline"


def program(arguments: Sequence[str] | None = None) -> str:
    """`sightline` where the shell finds this very program under that name, else the path to type.

    `arguments` are those of the process, unless given.
    """
    called = Path((sys.argv if arguments is None else arguments)[0])
    if called.name != NAME:
        # Called as `python -m ...`: the command that was installed beside that interpreter.
        called = Path(sys.executable).with_name(NAME)
    found = shutil.which(NAME)
    if not called.exists() or (found is not None and Path(found).samefile(called)):
        return NAME
    return os.path.relpath(called) if called.absolute().is_relative_to(Path.cwd()) else str(called)


def as_called(text: str) -> str:
    """Text for a person, with every command of ours in it (`sightline up`) as this user would type it."""
    return re.sub(rf"`{NAME}(?= )", f"`{program()}", text)


def complain(message: str, hint: str) -> None:
    """Say on standard error what went wrong, and below it what to do next."""
    with suppress(OSError):  # where nobody reads it, the exit code says it
        print(f"{NAME}: {message}", file=sys.stderr)
        if hint:
            print(f"  → {as_called(hint)}", file=sys.stderr)

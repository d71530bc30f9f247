"""A terminal that a command prints to."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress


def on_a_terminal(arguments: list[str], columns: int) -> str:
    """What the command prints to a terminal of that width."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "sightline_collector.cli", *arguments]
    said = b""
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=environment) as started:
        os.close(theirs)
        # A terminal holds little: it is read while the command prints, until nobody prints any more.
        with suppress(OSError):
            while piece := os.read(ours, 65536):
                said += piece
        os.close(ours)
        assert started.wait(60) == 0
    return said.decode()

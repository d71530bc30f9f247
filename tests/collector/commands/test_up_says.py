"""What `sightline up` tells to type works when it is typed, and it needs nobody who reads it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sightline_collector.commands.up import EXAMPLE, example

SAY = """
from pathlib import Path
from types import SimpleNamespace
from sightline_collector.commands.program import complain
from sightline_collector.commands.up import _say
port = SimpleNamespace(scheme="http", host="127.0.0.1", port=4319)
_say(SimpleNamespace(grpc=port, otlp=port, http=port, store="", folder=Path(), away=None))
complain("as if it could not start", "")
"""


@pytest.mark.parametrize(
    ("scheme", "host", "port", "address"),
    [
        ("http", "127.0.0.1", 4319, ""),
        ("http", "127.0.0.1", 25319, " --url http://127.0.0.1:25319"),
        ("https", "0.0.0.0", 4319, " --url https://127.0.0.1:4319"),
    ],
)
def test_the_question_names_another_port(scheme: str, host: str, port: int, address: str) -> None:
    """The address is said where it is not the one that is asked by itself."""
    assert example(scheme, host, port) == EXAMPLE + address


def test_output_that_nobody_takes_ends_no_collector() -> None:
    """A reader that went away, or a full disk below the log, stops nothing and hides no exit code."""
    with open("/dev/full", "wb") as full:
        ended = subprocess.run([sys.executable, "-c", SAY], stdout=full, stderr=full, check=False)
    assert ended.returncode == 0

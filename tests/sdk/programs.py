"""Programs of users, run to their end, and what they are run with."""

import os
import socket
import subprocess
import sys

import sightline


def run(program: str, **environment: str) -> str:
    """Run a program of a user's, to its normal end."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def unused_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@sightline.step
def work(label: str = "") -> str:
    return label

"""The demo, stopped by Ctrl-C, or told to end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

LONGEST_S = 60


def heed_interrupts() -> None:
    """A shell that runs the tests in its background lets its children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(
    ("stage", "told", "code", "drains"),
    [
        ("folder", signal.SIGINT, 130, False),
        ("history", signal.SIGINT, 130, True),
        ("history", signal.SIGTERM, 143, True),
    ],
)
def test_an_interrupted_demo_says_so_and_no_more(
    tmp_path: Path, stage: str, told: signal.Signals, code: int, drains: bool
) -> None:
    """One line says that the data is incomplete; nothing is lost on the way out, and nothing stays behind."""
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "sightline_collector.cli", "demo", "--folder", str(folder)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENAI_")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True,
        preexec_fn=heed_interrupts,
    ) as demo:  # fmt: skip
        assert demo.stdout
        while not next(demo.stdout).startswith(f"  {stage}"):
            pass
        demo.send_signal(told)
        *before, last = demo.stdout
        assert demo.wait(LONGEST_S) == code
    assert last == "Stopped; the data is incomplete.\n"
    assert not [line for line in before if "could not send" in line or "Traceback" in line]
    log = folder / "collector.log"
    assert (log.exists() and '"drained": true' in log.read_text()) is drains

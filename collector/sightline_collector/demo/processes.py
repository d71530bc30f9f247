"""Other processes that the demo starts, waits for and ends: the collector and the stand-in."""

import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sightline_collector.commands.termination import SIGNALS

START_S: Final = 60.0  # a cold engine on a slow disk; 3 s are usual
STOP_S: Final = 40.0  # a collector drains for 20 s at most
LOOK_EVERY_S: Final = 0.05
COLLECTOR_LOG: Final = "collector.log"


class DemoFailed(Exception):  # noqa: N818  # an outcome, not a bug
    """A stage of the demo did not come to its end; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the demo's collector listens: base URLs."""

    otlp: str
    http: str


@contextmanager
def collector(folder: Path, environment: Mapping[str, str]) -> Iterator[Callable[[], Addresses]]:
    """`sightline up` on free ports with its data in the folder; drained and stopped at the end.

    It begins at once, and what is given waits until it is ready.
    """
    log = folder / COLLECTOR_LOG
    command = [sys.executable, "-m", "sightline_collector.cli", "up", "--store", f"chdb:{folder}"]
    ports = ["--otlp-grpc-port", "0", "--otlp-http-port", "0", "--http-port", "0"]
    with _process([*command, *ports], log, environment) as process:

        def ready() -> Addresses:
            otlp = _said(process, log, r"OTLP/HTTP\s+(http://\S+)", "the collector")
            http = _said(process, log, r"SQL\s+(http://\S+)", "the collector")
            _wait_ready(process, f"{http}/readyz", log)
            return Addresses(otlp, http)

        yield ready


@contextmanager
def model_server(folder: Path, environment: Mapping[str, str], arguments: Sequence[str]) -> Iterator[str]:
    """The stand-in model server; gives the base URL for the `openai` client."""
    log = folder / "model_server.log"
    command = [sys.executable, "-m", "sightline_collector.demo.model_server", *arguments]
    with _process(command, log, environment) as process:
        yield _said(process, log, r"(http://\S+/v1)", "the stand-in model server")


def sightline_command(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run `sightline` with these arguments; gives what it printed, raises DemoFailed when it fails."""
    command = [sys.executable, "-m", "sightline_collector.cli", *arguments]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, timeout=START_S)
    if done.returncode:
        raise DemoFailed(
            f"`sightline {' '.join(arguments[:2])}` failed: {done.stderr.strip() or done.stdout}"
        )
    return done.stdout


@contextmanager
def _process(
    command: Sequence[str], log: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = "name another with --folder"
        raise DemoFailed(f"the folder {log.parent} cannot be made ({error.strerror}); {hint}") from None
    process = None
    try:
        with _later(), log.open("wb") as written:
            process = subprocess.Popen(
                command,
                stdout=written,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )
        yield process
    finally:
        if process:
            _end(process)


@contextmanager
def _later() -> Iterator[None]:
    """Signals that would end us wait until a process is ours to end: one that came in between would leave it
    running. They are not blocked, as the process would begin with them blocked, too."""
    came: list[int] = []
    heeded = [n for n in (signal.SIGINT, *SIGNALS) if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for each in came:
            signal.raise_signal(each)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _said(process: "subprocess.Popen[bytes]", log: Path, pattern: str, who: str) -> str:
    """What a process printed that fits the pattern's group."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        found = re.search(pattern, log.read_text(encoding="utf8", errors="replace"))
        if found:
            return found.group(1)
        if process.poll() is not None:
            break
        time.sleep(LOOK_EVERY_S)
    raise DemoFailed(f"{who} did not start. Read {log}; its last words:\n{_tail(log)}")


def _wait_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310  # our own address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(LOOK_EVERY_S)
    raise DemoFailed(f"the collector did not become ready. Read {log}; its last words:\n{_tail(log)}")


def _tail(log: Path, lines: int = 5) -> str:
    return "\n".join(log.read_text(encoding="utf8", errors="replace").splitlines()[-lines:])

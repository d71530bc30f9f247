"""The demo with a provider of the user's own: here the stand-in plays one, behind OPENAI_BASE_URL.

All of them run at once: most of a demo with few visits is waiting.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sightline_collector.demo.processes import model_server

DEMO = [sys.executable, "-m", "sightline_collector.cli", "demo", "--folder", "data"]
NOBODY = "http://127.0.0.1:9/v1"
WHOLE_S = 200

pytestmark = pytest.mark.timeout(WHOLE_S + 30)


@dataclass(frozen=True, slots=True)
class Runs:
    """Demos under way, and the address of the provider that those have which have one."""

    url: str
    priced: "subprocess.Popen[str]"
    unpriced: "subprocess.Popen[str]"
    unanswered: "subprocess.Popen[str]"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Three demos, begun together."""
    folder = tmp_path_factory.mktemp("demos")
    with ExitStack() as running:
        url = running.enter_context(model_server(folder / "provider", os.environ, ["--speed", "1000"]))
        yield Runs(
            url,
            running.enter_context(demo(folder / "priced", url, "--model", "gpt-4o")),
            running.enter_context(demo(folder / "unpriced", url, "--model", "my-own-model")),
            running.enter_context(demo(folder / "unanswered", NOBODY)),
        )


@contextmanager
def demo(folder: Path, base_url: str, *flags: str) -> Iterator["subprocess.Popen[str]"]:
    """The demo's command with a provider in its environment; never left behind, whatever a test found."""
    folder.mkdir()
    environment = dict(os.environ) | {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": "none"}
    with subprocess.Popen(
        [*DEMO, *flags],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()


def test_a_provider_in_the_environment_is_asked_instead_and_sparingly(runs: Runs) -> None:
    """The screen says who answers, and every call is of the one model that was named."""
    shown, _ = runs.priced.communicate(timeout=WHOLE_S)
    assert runs.priced.returncode == 0, shown
    assert f"gpt-4o at {runs.url}/: real calls, so only a few of them" in shown
    assert "no model is behind it" not in shown
    section = shown.partition("\ncost_by_model")[2].partition("\n\n")[0]
    rows = section.rpartition("──\n")[2].splitlines()
    assert [row.split()[0] for row in rows] == ["gpt-4o"]
    assert int(rows[0].split()[1]) < 100


def test_a_model_without_a_price_crosses_no_budget_and_that_is_said(runs: Runs) -> None:
    """No alert is no failure when there is nothing to add up."""
    shown, _ = runs.unpriced.communicate(timeout=WHOLE_S)
    assert runs.unpriced.returncode == 0, shown
    assert "none came: my-own-model cost too little, or has no known price" in shown


def test_a_provider_that_does_not_answer_ends_the_demo_with_what_to_check(runs: Runs) -> None:
    """The exit code is 1 and the message names the address."""
    shown, _ = runs.unanswered.communicate(timeout=WHOLE_S)
    assert runs.unanswered.returncode == 1
    assert f"no visit was answered. Does {NOBODY}/ serve gpt-4o-mini?" in shown

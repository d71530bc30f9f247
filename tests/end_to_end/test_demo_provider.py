"""The demo with a provider of the user's own: here the stand-in plays one, behind OPENAI_BASE_URL."""

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from sightline_collector.demo.processes import model_server

DEMO = [sys.executable, "-m", "sightline_collector.cli", "demo", "--folder", "data"]
WHOLE_S = 200

pytestmark = pytest.mark.timeout(WHOLE_S + 30)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demo printed, and the address of its provider."""

    text: str
    url: str


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """The demo's command with a provider in its environment, and a model that has no price."""
    folder = tmp_path_factory.mktemp("demo")
    with model_server(folder / "provider", os.environ, ["--speed", "1000"]) as url:
        environment = dict(os.environ) | {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none"}
        done = subprocess.run(
            [*DEMO, "--model", "my-own-model"],
            cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=WHOLE_S, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return Shown(done.stdout, url)


def test_a_provider_in_the_environment_is_asked_instead_and_sparingly(shown: Shown) -> None:
    """The screen says who answers, and every call is of the one model that was named."""
    assert f"my-own-model at {shown.url}/: real calls, so only a few of them" in shown.text
    assert "no model is behind it" not in shown.text
    section = shown.text.partition("\ncost_by_model")[2].partition("\n\n")[0]
    rows = section.rpartition("──\n")[2].splitlines()
    assert [row.split()[0] for row in rows] == ["my-own-model"]
    assert int(rows[0].split()[1]) < 100


def test_a_model_without_a_price_crosses_no_budget_and_that_is_said(shown: Shown) -> None:
    """No alert is no failure when there is nothing to add up."""
    assert "none came: my-own-model cost too little, or has no known price" in shown.text

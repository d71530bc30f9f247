"""The demo with a provider of the user's own: here the stand-in plays one, behind OPENAI_BASE_URL."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sightline_collector.demo.processes import model_server

DEMO = [sys.executable, "-m", "sightline_collector.cli", "demo", "--folder", "data"]
WHOLE_S = 200

pytestmark = pytest.mark.timeout(WHOLE_S + 30)


def run(folder: Path, base_url: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """The demo's command with a provider in its environment."""
    environment = dict(os.environ) | {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": "none"}
    return subprocess.run(
        [*DEMO, *flags],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=WHOLE_S, check=False,
    )  # fmt: skip


def test_a_provider_in_the_environment_is_asked_instead_and_sparingly(tmp_path: Path) -> None:
    """The screen says who answers, and every call is of the one model that was named."""
    with model_server(tmp_path / "provider", os.environ, ["--speed", "1000"]) as url:
        done = run(tmp_path, url, "--model", "gpt-4o")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"gpt-4o at {url}/: real calls, so only a few of them" in done.stdout
    assert "no model is behind it" not in done.stdout
    section = done.stdout.partition("\ncost_by_model")[2].partition("\n\n")[0]
    rows = section.rpartition("──\n")[2].splitlines()
    assert [row.split()[0] for row in rows] == ["gpt-4o"]
    assert int(rows[0].split()[1]) < 100


def test_a_model_without_a_price_crosses_no_budget_and_that_is_said(tmp_path: Path) -> None:
    """No alert is no failure when there is nothing to add up."""
    with model_server(tmp_path / "provider", os.environ, ["--speed", "1000"]) as url:
        done = run(tmp_path, url, "--model", "my-own-model")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "none came: my-own-model cost too little, or has no known price" in done.stdout


def test_a_provider_that_does_not_answer_ends_the_demo_with_what_to_check(tmp_path: Path) -> None:
    """The exit code is 1 and the message names the address."""
    done = run(tmp_path, "http://127.0.0.1:9/v1")
    assert done.returncode == 1
    assert "no visit was answered. Does http://127.0.0.1:9/v1/ serve gpt-4o-mini?" in done.stdout

"""The demonstration, run whole as a user runs it: one command, every stage, every table."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from collector_process import CollectorProcess

SIGHTLINE = [sys.executable, "-m", "sightline_collector.cli"]
WHOLE_S = 400
TITLES = (
    "cost_by_model",
    "cost_by_feature",
    "latency_by_model",
    "latency_breakdown_by_feature",
    "error_rates",
    "feedback_summary",
    "drift_alerts",
    "budget_status",
    "unpriced_calls",
    "span_loss",
)

pytestmark = pytest.mark.timeout(WHOLE_S + 60)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demo printed, and where it left its data."""

    text: str
    folder: Path

    def section(self, title: str) -> str:
        """From the view's name at the beginning of a line to the next empty line."""
        found = re.search(rf"^{title}\b.*\n(?:.+\n)+", self.text, re.M)
        assert found, f"{title} is not shown:\n{self.text}"
        return found.group()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """The demo's output on a screen of 100 columns, without a key in the environment."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENAI_")} | {"COLUMNS": "100"}
    done = subprocess.run(
        [*SIGHTLINE, "demo"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=WHOLE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return Shown(done.stdout, folder / "sightline-demo")


def test_it_says_that_the_model_is_a_stand_in(shown: Shown) -> None:
    """Nobody takes the stand-in's answers for a model's."""
    assert "no model is behind it" in shown.text


def test_each_day_has_its_line_while_it_runs(shown: Shown) -> None:
    """A week that ends today, told day by day: nobody waits before a still screen."""
    days = re.findall(r"^ +(\d{4}-\d\d-\d\d)  [\d,]+ answered, [\d,]+ blocked, ", shown.text, re.M)
    first = date.fromisoformat(days[0])
    assert days == [str(first + timedelta(days=number)) for number in range(7)]


def test_every_span_and_thumb_that_was_sent_can_be_asked_for(shown: Shown) -> None:
    """The demo counts what it sent against what the store has, and finds no difference."""
    (*_, stored) = re.finditer(r"stored\s+([\d,]+) spans and ([\d,]+) thumbs, which is all", shown.text)
    assert int(stored[1].replace(",", "")) > 12_000
    assert int(stored[2].replace(",", "")) > 400


@pytest.mark.parametrize("title", TITLES)
def test_every_view_is_shown(shown: Shown, title: str) -> None:
    """Each view's rows are on the screen, under its name."""
    assert shown.section(title)


def test_drift_is_shown_for_the_model_that_changed_and_for_no_other(shown: Shown) -> None:
    """gpt-4o-mini changes on the last two days, the others do not; and too little is not judged."""
    rows = re.findall(r"^model=(\S+) +(\d+) +(\d+) +(\d+) *$", shown.section("drift_alerts"), re.M)
    days = {model: tuple(map(int, counts)) for model, *counts in rows}
    assert {model for model, (alert, _, _) in days.items() if alert > 1} == {"gpt-4o-mini"}
    assert {model for model, (_, ok, _) in days.items() if ok > 0} == {"gpt-4o", "gpt-5-mini", "gpt-4o-mini"}
    assert {model for model, (_, ok, _) in days.items() if ok > 1} == {"gpt-4o", "gpt-5-mini"}
    pilot = dict.fromkeys(["gpt-4o", "gpt-5-mini", "gpt-4o-mini"], 3)
    assert {model: few for model, (_, _, few) in days.items()} == pilot | {"house-llama-70b": 6}


def test_what_changed_is_named_with_the_day_and_what_it_did(shown: Shown) -> None:
    """Every signal of the change drifts on its first day, and nothing else does."""
    (changed,) = re.findall(r"gpt-4o-mini writes more.*\n +(\S+) ", shown.text)
    causes = shown.text.partition("What changed, on the first day of it")[2].partition("\n\n")[0]
    rows = re.findall(r"^model=(\S+) +(\w+) +(\S+) +[\d.]+ ", causes, re.M)
    assert rows == [
        ("gpt-4o-mini", signal, changed) for signal in ("finish_reason", "output_tokens", "refused")
    ]


def test_the_budget_is_crossed_and_its_alert_arrives(shown: Shown) -> None:
    """The last alert is shown as its receiver got it: threshold, spend, limit, drivers, next step."""
    assert "exceeded" in shown.section("budget_status")
    assert re.search(r"\d came to the webhook; the last is shown below", shown.text)
    assert re.search(r"budget day:feature=support: 1\d\d % of 0\.50 USD spent, past 100 %", shown.text)
    assert "Most of it: support / gpt-4o" in shown.text
    assert "Next: " in shown.text


def test_one_trace_is_shown_with_the_statement_that_finds_it(shown: Shown) -> None:
    """A tree of spans stands below the trace's own id, to be asked for again."""
    section = shown.section("spans")
    assert re.search(r"where trace_id = '[0-9a-f]{32}'", section)
    assert "└─ invoke_agent" in section


def test_a_model_of_ones_own_is_unpriced_and_not_free(shown: Shown) -> None:
    """The self-hosted model's calls are counted, with the reason why they have no cost."""
    assert "house-llama-70b" in shown.section("unpriced_calls")


def test_no_span_was_lost_and_the_screen_says_so(shown: Shown) -> None:
    """An empty view is no empty table."""
    assert "none" in shown.section("span_loss").lower()


def test_everything_fits_100_columns(shown: Shown) -> None:
    """Tables read well on a usual terminal."""
    assert [line for line in shown.text.splitlines() if len(line) > 100] == []


def test_the_readme_shows_this_output(shown: Shown) -> None:
    """Every title and every row of column names in the README's excerpt is on the screen."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf8")
    excerpt = readme.partition("<!-- demo -->")[2].partition("<!-- /demo -->")[0].splitlines()
    lines = {" ".join(line.split()) for line in shown.text.splitlines()}
    heads = [line for at, line in enumerate(excerpt[2:], 1) if excerpt[at] in ("", "```text")]
    names = [line for at, line in enumerate(excerpt[:-1]) if excerpt[at + 1].startswith("───")]
    assert (len(heads), len(names)) == (6, 4)
    assert {" ".join(line.split()) for line in heads + names} <= lines


def test_what_it_names_as_next_steps_works_on_what_it_left(shown: Shown) -> None:
    """The data stays, and a collector started on it answers."""
    assert "make up STORE=chdb:sightline-demo" in shown.text
    process = CollectorProcess(shown.folder, "--store", f"chdb:{shown.folder}")
    process.start()
    try:
        done = subprocess.run(
            [*SIGHTLINE, "sql", "--url", process.http, "select model, calls from cost_by_model"],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    finally:
        process.stop()
    assert "gpt-4o-mini" in done.stdout

"""The README keeps its word: every snippet in it runs here, or in the test that is named for it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector_process import CollectorProcess

from sightline_collector.config import Config
from sightline_collector.demo.processes import model_server
from sightline_collector.sql.catalog import Catalog

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.M | re.S)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
ELSEWHERE = {  # commands too heavy to run twice, and the test that runs them
    "make demo": "tests/end_to_end/test_demo.py",
    "make test": "tests/test_readme.py",  # itself: the command runs this suite
    "make up": "tests/faults/test_stop.py",
}
HERE = [line for line in COMMANDS if line not in ELSEWHERE]


def block(kind: str) -> str:
    """The only block of its kind."""
    (found,) = [text for each, text in BLOCKS if each == kind]
    return str(found)


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """A collector with one trace in it: that of the README's own program."""
    folder = tmp_path_factory.mktemp("readme")
    process = CollectorProcess(folder / "data")
    process.start()
    try:
        with model_server(folder, os.environ, ["--speed", "1000"]) as url:
            told = {
                "OPENAI_BASE_URL": url,
                "OPENAI_API_KEY": "none",
                "OTEL_EXPORTER_OTLP_ENDPOINT": process.otlp,
            }
            program = [sys.executable, "-c", block("python")]
            subprocess.run(program, env=os.environ | told, check=True, timeout=60)
        process.flush()
        yield process
    finally:
        process.stop()


def test_the_ten_lines_can_be_asked_for_in_the_sql_beside_them(collector: CollectorProcess) -> None:
    """The program's call is found with its feature, its model, its tokens and its cost."""
    (row,) = collector.ask(block("sql"))
    assert (row["feature"], row["model"], row["calls"]) == ("support", "gpt-4o-mini", 1)
    assert row["input_tokens"] > 0
    assert float(row["cost_usd"]) > 0


@pytest.mark.parametrize("line", HERE)
def test_every_command_runs(collector: CollectorProcess, line: str) -> None:
    """Commands end well and print something, against a collector on other ports."""
    words = shlex.split(line.replace(f"http://127.0.0.1:{Config().http_port}", collector.http))
    if words[0].endswith("sightline"):
        words[:1] = [sys.executable, "-m", "sightline_collector.cli"]
        words += ["--url", collector.http]
    elif not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not installed here")
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize(("line", "test"), ELSEWHERE.items())
def test_a_command_that_runs_elsewhere_is_in_the_readme_and_so_is_its_test(line: str, test: str) -> None:
    """No command is excused by a test that is gone."""
    assert line in COMMANDS
    assert (ROOT / test).is_file()


@pytest.mark.parametrize(
    ("target", "does"),
    [
        ("demo", ".venv/bin/sightline demo"),
        ("up", ".venv/bin/sightline up --store chdb:./sightline-data"),
        ("test", ".venv/bin/python -m pytest"),
        ("bench", ".venv/bin/python -m"),
    ],
)
def test_every_make_target_does_what_it_is_called(target: str, does: str) -> None:
    """What make would run, without running it."""
    planned = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert does in planned.stdout


def test_every_view_it_names_exists() -> None:
    """The list of views is the program's."""
    views = {relation.name for relation in Catalog("sightline").relations("views")}
    named = set(re.findall(r"`(\w+)`", README[README.index("SQL is the interface") :].split("\n\n")[0]))
    assert len(named) > 8
    assert named <= views


def test_every_file_it_links_to_exists() -> None:
    """Links lead somewhere."""
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_continuous_integration_runs_what_the_readme_says() -> None:
    """.ci/run is `make test` and nothing else."""
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert lines[-1] == "exec make test"
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_every_test_that_a_promise_names_is_there() -> None:
    """What the collector's README says of a fault can be looked up, and run."""
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "collector" / "README.md").read_text(encoding="utf8")))
    written = "\n".join(file.read_text(encoding="utf8") for file in (ROOT / "tests").rglob("test_*.py"))
    assert named
    assert {name for name in named if f"def {name}(" not in written} == set()

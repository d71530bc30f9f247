"""`sightline prices`: what is charged is explained, overridden and imported while a collector runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from collector.gateway.serving import Port, serving

from sightline_collector.cli import main
from sightline_collector.settle import hours
from sightline_collector.store.engine import Engine

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def port(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """The gateway of a store with the installed prices."""
    with serving(engine, tmp_path_factory.mktemp("gateway")) as opened:
        yield opened


@pytest.fixture
def prices(port: Port, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs an action of the subcommand: exit code, output, errors."""
    monkeypatch.setattr(sys, "argv", ["/nowhere/sightline"])

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["prices", *arguments, "--url", port.url])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


def test_an_override_is_set_seen_explained_and_ended(prices: Command) -> None:
    """From the command on, calls are charged what it says; its end is said, and it stays listed."""
    asked = ("explain", "gpt-4o", "--provider", "openai", "--tokens", "input=1000000,output=0")
    assert prices(*asked)[1].startswith("2.5 USD, priced\n")
    code, said, _ = prices(
        "override", "--provider", "openai", "--model", "gpt-4o*", "--discount", "20", "--from", "2026-01-01"
    )
    assert (code, said.splitlines()[0]) == (
        0,
        "Override openai/gpt-4o*@2026-01-01 is set: 20 % off the published price.",
    )
    code, said, _ = prices(*asked, "--at", "2026-02-01")
    assert said.startswith("2 USD, priced\n")
    assert "override openai/gpt-4o*@2026-01-01 of genai-prices" in said
    assert prices(*asked, "--at", "2025-12-31T23:59")[1].startswith("2.5 USD, priced\n")
    code, said, _ = prices("end", "openai/gpt-4o*@2026-01-01", "--on", "2026-03-01")
    assert (code, "holds until 2026-03-01" in said) == (0, True)
    assert "openai/gpt-4o*@2026-01-01" in prices("overrides")[1]
    assert prices("overrides", "--all")[1].count("openai/gpt-4o*@2026-01-01") == 2


def test_an_override_says_what_it_does_not_reach(prices: Command) -> None:
    """A name whose dated variants answer calls is warned about; with a * at its end it is not."""
    asked = (
        "override",
        "--provider",
        "openai",
        "--discount",
        "20",
        "--from",
        "2020-01-01",
        "--until",
        "2020-01-02",
    )
    said = prices(*asked, "--model", "gpt-4o-mini")[1]
    assert "It does not reach gpt-4o-mini-2024-07-18: answers often name such a variant." in said
    assert "--model 'gpt-4o-mini-*'" in said
    assert "does not reach" not in prices(*asked, "--model", "gpt-4o-mini*")[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("override", "--model", "m", "--discount", "20"), "sightline: a discount is one seller's"),
        (
            ("override", "--provider", "openai", "--model", "gpt-4o", "--discount", "120"),
            "discount_pct: must be at most 100\n  → nothing was changed: say it anew",
        ),
        (("override", "--model", "m", "--price", "words=1"), "no unit is called 'words'"),
        (("override", "--provider", "openai", "--model", "nope", "--discount", "1"), "publishes no price"),
        (("end", "nothing"), "there is no override 'nothing'"),
        (("override", "--model", "m", "--price", "requests=1", "--price", "requests=2"), "a unit twice"),
        (("explain", "gpt-4o", "--tokens", "words=1"), "no unit is called 'words'"),
        (("explain", "gpt-4o", "--context", "flex"), "'flex' says nothing: write it as service_tier=flex"),
        (("explain", "gpt-4o", "--at", "9999-01-01"), "no call is of the year 9999"),
        (("import", "nowhere.json"), "nowhere.json cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said(prices: Command, arguments: tuple[str, ...], says: str) -> None:
    """A line says what is wrong; nothing is changed; exit code 1."""
    code, said, errors = prices(*arguments)
    assert (code, said) == (1, "")
    assert says in errors


@pytest.mark.parametrize("text", ["not json", "{}", '[{"id": "a"}]', "[]"])
def test_a_bad_file_changes_nothing(prices: Command, engine: Engine, tmp_path: Path, text: str) -> None:
    """It is refused with the file to take instead; the prices in force stay."""
    file = tmp_path / "data.json"
    file.write_text(text)
    before = engine.value("select max(export) from price_exports_v1")
    code, _, errors = prices("import", str(file))
    assert code == 1
    assert "prices/new_data/v2/data.json" in errors
    assert engine.value("select max(export) from price_exports_v1") == before


def test_the_installed_library_is_imported(prices: Command) -> None:
    """A release that was installed while the collector runs is charged by without a restart."""
    code, said, _ = prices("import", "--library")
    assert (code, said.startswith("Calls are charged by genai-prices ")) == (0, True)
    assert prices("explain", "gpt-4o", "--provider", "openai")[1].startswith("0.0125 USD, priced\n")


def test_what_came_is_charged_anew(
    prices: Command,
    port: Port,
    engine: Engine,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A dry run shows by model what would change and writes nothing; then it is written, once. What takes
    longer than an answer may is asked for in steps."""
    monkeypatch.setattr(hours, "WORK_S", -1.0)
    row = {
        "trace_id": "a" * 32, "span_id": "b" * 16, "started_at": "2026-06-10 12:00:00", "project": "default",
        "received_at": "2026-06-10 12:00:05", "operation": "llm", "provider": "openai", "model": "gpt-4o",
        "input_tokens": 10**6, "output_tokens": 0, "cost_usd": 4, "cost_status": "priced",
    }  # fmt: skip
    engine.insert("spans_v1", [row, row | {"trace_id": "c" * 32, "started_at": "2026-06-11 12:00:00"}])
    asked = ["reprice", "--since", "2026-06-09", "--until", "2026-06-12", "--url", port.url]
    for more, says in (
        (["--dry-run"], "-3 USD in all; nothing was written"),
        ([], "-3 USD in all; 2 corrections were written"),
        ([], "Every call is charged by the prices in force already."),
    ):
        assert main([*asked, *more]) == 0
        said = capfd.readouterr()
        assert says in said.out
        assert said.err == "… done up to 2026-06-11 12:00 UTC\n"
    assert engine.value("select sum(cost_usd) from spans_v1") == 5
    assert main([*asked, "--until", "2026-06-01"]) == 1
    assert "no time from 2026-06-09 00:00 to 2026-06-01 00:00 UTC" in capfd.readouterr().err


def test_a_name_without_a_price_is_explained(prices: Command) -> None:
    """The next step is named; exit code 1, as there is no amount."""
    code, said, _ = prices("explain", "unheard-of")
    assert code == 1
    assert said.startswith("No amount: unpriced_model\n")

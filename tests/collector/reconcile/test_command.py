"""`sightline reconcile` against a store that really priced the calls."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from collector.gateway.serving import Port, serving
from collector.reconcile.exports import FOLDER
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import attributes, insert

from sightline_collector.cli import main
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

Command = Callable[..., tuple[int, str, str]]
MORNING_NS = int(datetime(2026, 9, 1, 8, tzinfo=UTC).timestamp()) * 10**9
HOUR_NS = 3600 * 10**9


def call(
    provider: str, model: str, used: tuple[int, int, int, int], hours: float = 0, **more: Any
) -> dict[str, Any]:
    """A chat that used input, output, cache read and cache write tokens, some hours after eight."""
    names = ("input_tokens", "output_tokens", "cache_read.input_tokens", "cache_creation.input_tokens")
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        **{f"gen_ai.usage.{name}": tokens for name, tokens in zip(names, used, strict=True) if tokens},
        **more,
    }
    return {"at": MORNING_NS + int(hours * HOUR_NS), "attributes": said}


EMBEDDING = {"gen_ai.operation.name": "embeddings"}
SEARCHES = {"gen_ai.usage.details.web_search_requests": 3}
CALLS = [
    *(call("openai", "gpt-4o", (100_000, 10_000, 20_000, 0), n / 10) for n in range(10)),
    call("openai", "gpt-4o-mini", (40_000, 4_000, 0, 0)),
    call("openai", "ours-only", (10, 1, 0, 0)),
    call("openai", "text-embedding-3-small", (99_000, 0, 0, 0), 0, **EMBEDDING),
    *(call("anthropic", "claude-sonnet-4-5-20250929", (100_000, 5_000, 40_000, 10_000)) for _ in range(5)),
    *(call("anthropic", "claude-sonnet-4-5", (100_000, 5_000, 40_000, 10_000), 2) for _ in range(4)),
    call("anthropic", "claude-sonnet-4-5", (100_000, 5_000, 40_000, 10_000), 2, **SEARCHES),
    call("gcp.gemini", "gemini-2.5-flash", (1_000_000, 100_000, 0, 0)),
    call("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", (1_000, 100, 0, 0)),
]


def request(calls: list[dict[str, Any]]) -> ExportTraceServiceRequest:
    """The calls, each a trace of its own."""
    made = ExportTraceServiceRequest()
    spans = made.resource_spans.add().scope_spans.add().spans
    for number, said in enumerate(calls, 1):
        span = spans.add(name="chat", start_time_unix_nano=said["at"], end_time_unix_nano=said["at"] + 10**9)
        span.trace_id, span.span_id = number.to_bytes(16, "big"), number.to_bytes(8, "big")
        span.attributes.extend(attributes(said["attributes"]))
    return made


@pytest.fixture(scope="module")
def port(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """The gateway of a store that holds the calls."""
    folder = tmp_path_factory.mktemp("reconcile")
    insert(engine, Signal.TRACES, [(request(CALLS), len(CALLS))], folder / "segment", batch=1)
    with serving(engine, folder / "gateway") as opened:
        yield opened


@pytest.fixture
def reconcile(port: Port, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the subcommand on exports: exit code, output, errors."""
    monkeypatch.setattr(sys, "argv", ["/nowhere/sightline"])

    def run(*arguments: str) -> tuple[int, str, str]:
        given = [str(FOLDER / a) if (FOLDER / a).is_file() else a for a in arguments]
        code = main(["reconcile", *given, "--url", port.url])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


def rows(said: str) -> list[Mapping[str, Any]]:
    """The objects of a JSON answer, with exact amounts."""
    found: list[Mapping[str, Any]] = json.loads(said, parse_float=Decimal)
    return found


def test_a_bill_that_agrees(reconcile: Command) -> None:
    """Costs by the cent and calls seen under two names of the model are one row, and the exit status is 0.
    Fees stand apart on both sides."""
    code, out, err = reconcile("anthropic_cost.json", "--format", "json")
    assert code == 0
    (row,) = rows(out)
    assert (row["day"], row["provider"], row["agrees"]) == ("2026-09-01", "anthropic", True)
    assert (row["billed_usd"], row["seen_usd"], row["difference_usd"]) == (Decimal("2.745"),) * 2 + (0,)
    assert "what is billed agrees with what was seen" in err
    assert "beside model usage, Web Search Usage: 0.03 USD in 1 line" in err
    assert "Web searches seen, 0.03 USD, are left out of what was seen" in err


def test_a_discount_is_found(reconcile: Command) -> None:
    """Of amounts below the file's own list price, all of the difference is a discount."""
    code, out, _ = reconcile("anthropic_cost.csv", "--format", "json")
    (row,) = rows(out)
    assert code == 1
    assert (row["reasons"], row["unexplained_usd"]) == (["discount"], 0)
    assert row["difference_usd"] == Decimal("2.47") - Decimal("2.745")
    assert "10.2 % below the file's own list price" in row["why"]


def test_usage_and_costs_of_one_provider(reconcile: Command) -> None:
    """Two files are one bill, of tokens and costs; a small gap is explained and leaves the whole agreed."""
    code, out, _ = reconcile("openai_usage.json", "openai_costs.json", "--format", "json")
    found = {row["model"]: row for row in rows(out)}
    assert code == 0
    assert found["gpt-4o"]["agrees"] is True
    assert (found["gpt-4o"]["billed_usd"], found["gpt-4o"]["seen_usd"]) == (Decimal("3.25"), Decimal("3.25"))
    assert found["gpt-4o"]["reasons"] == []
    assert (found["gpt-4o-mini"]["reasons"], found["gpt-4o-mini"]["unexplained_usd"]) == (["tier"], 0)
    assert "bills some of it as batch" in found["gpt-4o-mini"]["why"]
    assert found["ours-only"]["reasons"] == []


def test_a_bill_in_another_currency(reconcile: Command) -> None:
    """Google's own rate turns euros into USD; a model that was not seen here is named so, day by day."""
    code, out, err = reconcile("google_billing.json", "--format", "json")
    found = {(row["day"], row["model"]): row for row in rows(out)}
    assert code == 1
    assert found["2026-09-02", "gemini-2.5-pro"]["reasons"] == ["not_seen"]
    assert found["2026-09-01", "gemini-2.5-flash"]["reasons"] == ["tokens"]
    assert "Compute Engine: 11 USD in 1 line" in err
    assert "credits: -0.1 USD in 1 line" in err


def test_a_bill_by_usage_types(reconcile: Command) -> None:
    """Bedrock's usage types meet the model ids of its API; tokens that were not seen are counted."""
    code, out, _ = reconcile("aws_cur2.csv", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert code == 1
    assert row["model"] == "Claude4.5Sonnet"
    assert (row["billed_input_tokens"], row["seen_input_tokens"]) == ("600000", "1000")
    assert (row["agrees"], row["reasons"]) == ("false", "tokens")


def test_a_table_for_people(reconcile: Command) -> None:
    """A line a day and model, the sums below it, and what explains their difference."""
    code, out, err = reconcile("anthropic_cost.csv")
    lines = out.splitlines()
    assert (code, err) == (1, "")
    assert lines[0].split() == [
        "day", "model", "billed_usd", "seen_usd", "difference_usd", "difference_pct", "why",
    ]  # fmt: skip
    assert lines[2].startswith("2026-09-01  Claude Sonnet 4.5        2.47     2.745          -0.275 ")
    assert "Billed 2.47, seen 2.745: what is billed differs from what was seen (0.275 USD apart" in out
    assert "  discount: -0.275" in out


def test_a_file_of_tokens_alone(reconcile: Command) -> None:
    """Then tokens stand beside each other, and their sums below."""
    code, out, _ = reconcile("anthropic_usage.csv")
    assert code == 1
    assert out.split()[:3] == ["day", "model", "billed_input_tokens"]
    assert out.splitlines()[2].split()[2:6] == ["1,010,000", "1,000,000", "51,000", "50,000"]
    assert "Billed 1,061,000, seen 1,050,000: what is billed differs from what was seen (11,000 tokens" in out


def test_a_file_of_one_kind_of_calls(reconcile: Command) -> None:
    """Usage of other kinds, which the provider exports apart, is no gap; how it is compared is said."""
    code, out, _ = reconcile("openai_usage.json")
    assert code == 0
    assert "Billed 1,144,000, seen 1,144,011: what is billed agrees with what was seen" in out
    assert "openai embeddings seen, 99,000 tokens, are left out: the files speak of completions alone" in out
    assert "text-embedding" not in out
    assert "--time-zone" not in out


def test_lines_that_were_not_read(reconcile: Command, tmp_path: Path) -> None:
    """They are counted, the first are shown, and the others are compared; nothing agrees without them."""
    bad = tmp_path / "costs.csv"
    bad.write_text(
        (FOLDER / "anthropic_cost.csv")
        .read_text("utf8")
        .replace("0.11", "eleven cents")
        .replace("web_search", "web\x1b[2J")
    )
    code, out, _ = reconcile(str(bad), "--tolerance", "20")
    assert code == 1
    assert "without the 1 line that could not be read, what is billed agrees with what was seen" in out
    assert "1 line could not be read, so not counted\n  line 3: 'eleven cents' is no number\n" in out
    assert "Billed 2.36" in out
    assert "\x1b" not in out


def test_the_largest_amounts(reconcile: Command, tmp_path: Path) -> None:
    """Sums of them are told to the last digit that the store keeps, and larger ones are refused lines."""
    costs = tmp_path / "costs.csv"
    lines = ["2026-09-01,999999999999999.25,usd,o3"] * 20 + ["2026-09-01,1e16,usd,o3", "1960-02-05,1,usd,o3"]
    costs.write_text("\n".join(["start_time,amount_value,amount_currency,line_item", *lines]))
    code, out, err = reconcile(str(costs), "--format", "json")
    assert code == 1
    billed = {row["model"]: row["billed_usd"] for row in rows(out)}
    assert billed["o3"] == Decimal("19999999999999985")
    assert "line 22: '1e16' is no amount\n  line 23: '1960-02-05' is no day of a bill" in err
    assert "9,999,999,999,985" in reconcile(str(costs))[1]


def test_the_same_export_twice(reconcile: Command) -> None:
    """What two files say of the same days is added up, and said to be; tokens and costs of a day are not."""
    added = "Several files have amounts of anthropic for the same days: they are added up."
    assert added in reconcile("anthropic_cost.csv", "anthropic_cost.json")[1]
    assert "added up" not in reconcile("anthropic_cost.csv", "anthropic_usage.csv")[1]


def test_the_tolerance_decides(reconcile: Command) -> None:
    """The same file is within 12 percent and not within 5."""
    assert reconcile("anthropic_cost.csv", "--tolerance", "12")[0] == 0
    assert reconcile("anthropic_cost.csv", "--tolerance", "5%")[0] == 1


def test_one_project(reconcile: Command) -> None:
    """Calls of other projects are left out when one is named."""
    code, out, _ = reconcile("anthropic_cost.json", "--project", "other", "--format", "json")
    assert code == 1
    assert [row["reasons"] for row in rows(out)] == [["not_seen"]]


def test_a_file_that_cannot_be_read(reconcile: Command, tmp_path: Path) -> None:
    """It is named, with the reason and what to do; so is one that is no export."""
    code, out, err = reconcile("/nowhere/invoice.csv")
    assert (code, out) == (1, "")
    assert err.startswith("sightline: /nowhere/invoice.csv cannot be read (No such file")
    other = tmp_path / "prices.csv"
    other.write_text("name,price\nx,1\n")
    code, _, err = reconcile(str(other))
    assert code == 1
    assert err.startswith(f"sightline: {other}: the file is no usage or cost export that is known here")
    assert "OpenAI, with an admin key" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--rate", "EUR"], "is no rate: write a currency and its USD, such as EUR=1.08"),
        (["--rate", "EUR=-1"], "is no rate"),
        (["--rate", "EUR=1e9999999"], "is no number"),
        (["--tolerance", "1e9999999"], "is no number"),
        (["--time-zone", "inf"], "'inf' is no time zone"),
        (["--tolerance", "much"], "'much' is no number"),
        (["--tolerance", "100"], "must be from 0 to 100"),
        (["--time-zone", "Mars/Base"], "'Mars/Base' is no time zone"),
        (["--time-zone", "99"], "is no time zone"),
    ],
)
def test_what_is_asked_wrongly(
    reconcile: Command, capfd: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    """One line says what is wrong; exit code 2."""
    with pytest.raises(SystemExit) as left:
        reconcile("openai_costs.csv", *arguments)
    assert left.value.code == 2
    assert says in capfd.readouterr().err


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "-7", "UTC-7"])
def test_days_of_another_zone(reconcile: Command, zone: str) -> None:
    """A zone is named, or said as hours from UTC."""
    assert reconcile("anthropic_cost.json", "--time-zone", zone)[0] == 0


def test_what_is_seen_is_priced(engine: Engine, port: Port) -> None:
    """The store that the bills are held against priced each call but the one of an unknown model."""
    asked = "select model, cost_status from spans where cost_usd is null"
    assert engine.rows(asked) == [{"model": "ours-only", "cost_status": "unpriced_model"}]


def test_no_collector(capfd: pytest.CaptureFixture[str]) -> None:
    """The file is read first; then it is said that none answers."""
    arguments = ["reconcile", str(FOLDER / "openai_costs.csv"), "--url", "http://127.0.0.1:1"]
    assert main(arguments) == 1
    assert "no collector answers at http://127.0.0.1:1" in capfd.readouterr().err

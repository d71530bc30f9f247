"""The exports of providers, as their documentation shows them: what is read of each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from collector.reconcile.exports import FIRST, FOLDER, SECOND, read, read_text
from hypothesis import given
from hypothesis import strategies as st

from sightline_collector.reconcile.line import BadLine, Line, Rates, Statement, Unreadable, utc_day

SONNET = "claude-sonnet-4-5-20250929"
FLASH = "gemini-2.5-flash"

LINES: dict[str, list[Line]] = {
    "openai_usage.json": [
        Line(FIRST, "gpt-4o-2024-08-06", None, None, 1_000_000, 100_000, 200_000, None, 50),
        Line(FIRST, "gpt-4o-mini-2024-07-18", None, None, 40_000, 4_000, 0, None, 4, "batch"),
    ],
    "openai_usage.csv": [Line(FIRST, "gpt-4o-2024-08-06", None, None, 1_000_000, 100_000, 200_000, None, 50)],
    "openai_costs.json": [
        Line(FIRST, "gpt-4o-2024-08-06", Decimal(2)),
        Line(FIRST, "gpt-4o-2024-08-06", Decimal("0.25")),
        Line(FIRST, "gpt-4o-2024-08-06", Decimal(1)),
        Line(FIRST, "gpt-4o-mini-2024-07-18", Decimal("0.0042"), tier="batch"),
    ],
    "openai_costs.csv": [Line(FIRST, "", Decimal("3.25"))],
    "anthropic_usage.json": [
        Line(FIRST, SONNET, None, None, 1_000_000, 50_000, 400_000, 100_000),
        Line(FIRST, SONNET, None, None, 10_000, 1_000, 0, 0, tier="batch"),
    ],
    "anthropic_usage.csv": [
        Line(FIRST, SONNET, None, None, 1_000_000, 50_000, 400_000, 100_000),
        Line(FIRST, SONNET, None, None, 10_000, 1_000, 0, 0, tier="batch"),
    ],
    "anthropic_cost.json": [Line(FIRST, SONNET, Decimal(usd)) for usd in ("1.5", "0.12", "0.375", "0.75")],
    "anthropic_cost.csv": [
        Line(FIRST, "Claude Sonnet 4.5", Decimal(usd), Decimal(listed))
        for usd, listed in (("1.35", "1.50"), ("0.11", "0.12"), ("0.34", "0.38"), ("0.67", "0.75"))
    ],
    "google_billing.json": [
        Line(FIRST, FLASH, Decimal("0.3"), Decimal("0.3"), input_tokens=1_000_000),
        Line(FIRST, FLASH, Decimal("0.25"), Decimal("0.25"), output_tokens=100_000),
        Line(FIRST, FLASH, Decimal("0.01"), None, input_tokens=333_333, cache_read_tokens=333_333),
        Line(SECOND, "gemini-2.5-pro", Decimal("0.5"), output_tokens=100_000, tier="batch"),
    ],
    "google_billing.csv": [
        Line(FIRST, FLASH, Decimal("0.3"), input_tokens=1_000_000),
        Line(FIRST, FLASH, Decimal("0.25"), output_tokens=100_000),
    ],
    "aws_cur.csv": [
        Line(FIRST, "Nova2.0Lite", Decimal("0.3"), Decimal("0.3"), input_tokens=1_000_000),
        Line(FIRST, "Nova2.0Lite", Decimal("0.125"), Decimal("0.125"), output_tokens=100_000, tier="batch"),
        Line(FIRST, "Claude Sonnet 4.5", Decimal("1.65"), Decimal("1.65"), input_tokens=500_000),
        Line(
            FIRST,
            "Claude Sonnet 4.5",
            Decimal("0.132"),
            Decimal("0.132"),
            input_tokens=400_000,
            cache_read_tokens=400_000,
        ),
    ],
    "aws_cur2.csv": [
        Line(FIRST, "Claude4.5Sonnet", Decimal("1.65"), input_tokens=500_000),
        Line(FIRST, "Claude4.5Sonnet", Decimal("0.4125"), input_tokens=100_000, cache_write_tokens=100_000),
        Line(FIRST, "Claude4.5Sonnet", Decimal("0.75"), output_tokens=50_000),
    ],
    "aws_cost_explorer.json": [
        Line(FIRST, "Nova2.0Lite", Decimal("0.3"), input_tokens=1_000_000),
        Line(FIRST, "Claude Sonnet 4.5", Decimal("0.75"), output_tokens=50_000),
    ],
}

BESIDE: dict[str, dict[str, tuple[int, Decimal]]] = {
    "openai_costs.json": {"Code interpreter sessions": (1, Decimal("0.1"))},
    "anthropic_cost.json": {"Web Search Usage": (1, Decimal("0.03"))},
    "anthropic_cost.csv": {"web_search": (1, Decimal("0.03"))},
    "google_billing.json": {
        "credits": (1, Decimal("-0.1")),
        "Compute Engine": (1, Decimal(11)),
        "tax": (1, Decimal(2)),
    },
    "google_billing.csv": {"credits": (1, Decimal("-0.1"))},
    "aws_cur.csv": {
        "other services": (1, Decimal("0.0104")),
        "Credit": (1, Decimal("-0.05")),
        "Bedrock: USE1-Guardrail-ContentPolicyUnitsConsumed": (1, Decimal("0.0015")),
    },
    "aws_cost_explorer.json": {"other services": (1, Decimal("0.02"))},
}


def test_every_export_is_read() -> None:
    """Each file that lies there has its expected lines here."""
    assert {file.name for file in FOLDER.iterdir()} == set(LINES)


@pytest.mark.parametrize("name", LINES)
def test_the_lines_of_an_export(name: str) -> None:
    """Tokens, cost, model, day and tier of each line are read as the provider documents them."""
    statement = read(name)
    assert statement.lines == LINES[name]
    assert statement.beside == BESIDE.get(name, {})
    assert statement.refused == []
    assert statement.provider == name.partition("_")[0]


@pytest.mark.parametrize(
    "name", ["openai_usage.json", "openai_usage.csv", "openai_costs.csv", "anthropic_cost.json"]
)
def test_days_without_usage_are_spoken_of(name: str) -> None:
    """A bucket without results says that nothing was used that day."""
    assert read(name).days == {FIRST, SECOND}


@pytest.mark.parametrize("name", LINES)
def test_the_kinds_of_calls_that_an_export_speaks_of(name: str) -> None:
    """OpenAI exports the usage of each kind apart, and bills all together; others do both together."""
    assert read(name).kinds == ({"completions"} if name.startswith("openai_usage") else set())


def test_the_kind_of_calls_is_told_by_the_object_or_the_columns() -> None:
    """Usage of embeddings is told as such, and counts no output; beside costs it is a part of all kinds."""
    usage = {"object": "organization.usage.embeddings.result", "model": "e", "input_tokens": 7}
    day = {"start_time": 1788220800, "results": [usage]}
    assert read_text(json.dumps(day)).kinds == {"embeddings"}
    assert read_text("start_time,num_model_requests,model,input_tokens\n1788220800,1,e,7").kinds == {
        "embeddings"
    }
    cost = {"start_time": 1788220800, "results": [{"amount": {"value": 1}, "line_item": "e-1, input"}]}
    assert read_text(json.dumps([day, cost])).kinds == set()


def test_a_page_that_another_follows() -> None:
    """Where the provider has more than the file, it is said."""
    assert "ask for it with its next_page" in read("openai_costs.json").notes[0]
    assert read("openai_usage.json").notes == []


def test_pages_one_after_another() -> None:
    """Several pages, in an array or one after another, are one file; only the last may lack the next."""
    page = json.loads((FOLDER / "openai_costs.json").read_text())
    last = page | {"has_more": False}
    indented = "\n".join(json.dumps(p, indent=1) for p in (page, last))
    for text in (json.dumps([page, last]), f"{json.dumps(page)}\n{json.dumps(last)}\n", indented):
        statement = read_text(text)
        assert len(statement.lines) == 8
        assert statement.notes == []


def test_an_amount_in_another_currency_needs_a_rate() -> None:
    """Without a rate the file is refused, with one its amounts are in USD."""
    text = (FOLDER / "openai_costs.csv").read_text().replace(",usd,", ",eur,")
    with pytest.raises(Unreadable) as refused:
        read_text(text)
    assert refused.value.message == "the file's amounts are in EUR"
    assert "--rate EUR=1.08" in refused.value.hint
    assert read_text(text, Rates({"EUR": Decimal(2)})).lines == [Line(FIRST, "", Decimal("6.5"))]


def test_a_given_rate_goes_before_that_of_the_file() -> None:
    """Google names a rate on each line; one that is given is what the invoice was paid at."""
    first = read("google_billing.json", Rates({"EUR": Decimal(2)})).lines[0]
    assert first.usd == Decimal("0.54")


@pytest.mark.parametrize(
    ("name", "good", "bad", "says"),
    [
        ("openai_costs.csv", "3.2500000000000000", "n/a", "'n/a' is no number"),
        ("openai_costs.csv", "3.2500000000000000", '"3,25"', "'3,25' is no number"),
        ("openai_costs.csv", "3.2500000000000000", "1e999999", "'1e999999' is no amount"),
        ("openai_costs.csv", "3.2500000000000000", "1e-999999", "'1e-999999' is no amount"),
        ("openai_costs.csv", "3.2500000000000000", "1e15", "'1e15' is no amount"),
        ("google_billing.json", '_rate": "0.9"', '_rate": "1e-30"', "another rate or unit is meant"),
        ("openai_usage.csv", "1000000.0", "-5", "'-5' is no number of tokens"),
        ("anthropic_cost.csv", "1.35", "NaN", "'NaN' is no amount"),
        ("anthropic_usage.csv", "2026-09-01", "soon", "'soon' is no day"),
        ("google_billing.json", '"0.27"', '"free"', "'free' is no number"),
        ("google_billing.json", '{"amount": "1000000"', '{"amount": [1]', "[1] is no number"),
        ("aws_cur.csv", "1000.0,USD,0.3", "1000.0,USD,", "'' is no number"),
        ("aws_cost_explorer.json", '"0.75"', '"?"', "'?' is no number"),
        ("anthropic_usage.json", '"cache_creation": {"ephemeral_1h', '"cache_creation": 7, "x": {"', "not"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read(name: str, good: str, bad: str, says: str) -> None:
    """It is counted with its reason and its place, and the others are read."""
    text = (FOLDER / name).read_text("utf8")
    assert good in text
    statement = read_text(text.replace(good, bad, 1))
    assert len(statement.refused) == 1
    assert says in statement.refused[0][1]
    assert len(statement.lines) == len(LINES[name]) - 1


@pytest.mark.parametrize(
    "moment",
    ["1788220800", "1788220800.0", "1.7882208E9", "1788220800000", "1788220800000000", "2026-09-01",
     "2026-09-01T00:00:00Z", "2026-09-01 00:00:00 UTC", "2026-08-31T17:00:00-07:00", "2026-09-01 23:59:59.9"],
)  # fmt: skip
def test_a_moment_has_a_utc_day(moment: str) -> None:
    """Seconds since 1970 or parts of them, days, and times with or without a zone are understood."""
    assert utc_day(moment) == FIRST


@pytest.mark.parametrize(
    "moment",
    ["", "soon", "0", "-1", "99999999999999999999", "2026-13-01", "1E99", "0001-01-01T00:00:00+05:00",
     "9999-12-31", "9999-12-31T23:00:00-05:00", "1960-02-05", "2107-01-01"],
)  # fmt: skip
def test_what_is_no_moment(moment: str) -> None:
    """It is refused, and does not become some day, nor one that the store would take for another."""
    with pytest.raises(BadLine):
        utc_day(moment)


@pytest.mark.parametrize(
    ("sku", "model"),
    [
        ("Gemini 2.5 Flash GA Image Input - Predictions", "gemini-2.5-flash"),
        ("Gemini 3.1 Flash Image Output", "gemini-3.1-flash-image"),
        ("Gemini 2.5 Flash Native Image Generation Image Input", "gemini-2.5-flash-native-image"),
        ("Gemini 2.5 Flash GA Image Output - Predictions", "gemini-2.5-flash-image"),
        ("Gemini 2.5 Flash Live API Audio Input", "gemini-2.5-flash-live"),
        ("Gemini 2.5 Pro Preview TTS output", "gemini-2.5-pro-preview-tts"),
        ("Gemini 2.5 Computer Use Text Input", "gemini-2.5-computer-use"),
        ("Gemini 1.5 Flash-8B Text Input", "gemini-1.5-flash-8b"),
        ("Llama 4 Maverick Input", "llama-4-maverick"),
        ("DeepSeek V3.1 input", "deepseek-v3.1"),
    ],
)
def test_the_model_of_a_sku(sku: str, model: str) -> None:
    """A variant for images, speech or live talk is no use of its base model, an image given to one is."""
    row = {"sku": {"description": sku}, "usage_start_time": "2026-09-01", "cost": "1", "currency": "USD"}
    assert [line.model for line in read_text(json.dumps([row])).lines] == [model]


@pytest.mark.parametrize(
    "text",
    [
        'start_time,amount_value,amount_currency,line_item\n2026-09-01,1,usd,"gpt-4.1, web search"\n',
        "sku.description,usage_start_time,cost\nGemini 2.5 Flash Grounding with Google Search,2026-09-01,1\n",
    ],
)
def test_fees_are_no_usage_of_the_model(text: str) -> None:
    """A search is charged by the call, whatever model the line names."""
    statement = read_text(text)
    assert (statement.lines, sum(usd for _, usd in statement.beside.values())) == ([], 1)


def test_a_product_in_a_map() -> None:
    """The second version of the cost report names a model sold by the marketplace in its column `product`."""
    product = '"{""product_name"": ""Claude Opus 4.5 (Amazon Bedrock Edition)""}"'
    names = "line_item_usage_type,line_item_usage_start_date,line_item_usage_amount,line_item_unblended_cost"
    text = f"{names},product\nUSE1-MP:USE1_OutputTokenCount-Units,2026-09-01 03:00:00.000,0.1,2.5,{product}\n"
    assert read_text(text).lines == [Line(FIRST, "Claude Opus 4.5", Decimal("2.5"), output_tokens=100_000)]


def test_months_are_refused() -> None:
    """Cost Explorer's months cannot be compared by day: what to ask for is said."""
    text = (
        (FOLDER / "aws_cost_explorer.json").read_text().replace('"End": "2026-09-02"', '"End": "2026-10-01"')
    )
    with pytest.raises(Unreadable) as refused:
        read_text(text)
    assert "--granularity DAILY" in refused.value.hint


def total(statement: Statement) -> Decimal:
    """All amounts of a statement."""
    amounts = [line.usd or Decimal(0) for line in statement.lines]
    return sum((usd for _, usd in statement.beside.values()), sum(amounts, Decimal(0)))


items = st.sampled_from(("gpt-4o, input", "gpt-4.1-mini-2025-04-14, output", "", "File search storage", "o3"))
amounts = st.decimals(min_value=-1000, max_value=10**6, places=10)
rows = st.lists(st.tuples(st.integers(0, 30), amounts, items), min_size=1, max_size=30)


@given(rows)
def test_nothing_of_the_openai_total_is_lost(drawn: Sequence[tuple[int, Decimal, str]]) -> None:
    """What is read of a costs export, usage and the rest together, is the file's total to the last digit."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(["start_time", "amount_value", "amount_currency", "line_item"])
    writer.writerows((1788220800 + day * 86400, f"{usd:f}", "usd", item) for day, usd, item in drawn)
    assert total(read_text(written.getvalue())) == sum((usd for _, usd, _ in drawn), Decimal(0))


skus = st.sampled_from(
    (
        "Gemini 2.5 Pro Text Input - Predictions",
        "E2 Core",
        "generate content output token count gemini 3 flash",
    )
)


@given(st.lists(st.tuples(amounts, amounts, skus), min_size=1, max_size=30))
def test_nothing_of_the_google_total_is_lost(drawn: Sequence[tuple[Decimal, Decimal, str]]) -> None:
    """Costs and credits of a billing export add up to the file's total to the last digit."""
    found = [
        {"sku": {"description": sku}, "usage_start_time": "2026-09-01 00:00:00 UTC", "cost": f"{usd:f}",
         "currency": "USD", "credits": [{"amount": f"{credit:f}"}], "usage": {"amount": 1, "unit": "count"}}
        for usd, credit, sku in drawn
    ]  # fmt: skip
    statement = read_text(json.dumps(found))
    assert total(statement) == sum((usd + credit for usd, credit, _ in drawn), Decimal(0))
    assert statement.days == {date(2026, 9, 1)}


kinds = st.sampled_from(("Usage", "Credit", "EdpDiscount", "Tax"))
usage_types = st.sampled_from(
    ("USE1-NovaLite-input-tokens", "BoxUsage", "EUC1-MP:EUC1_OutputTokenCount-Units")
)


@given(st.lists(st.tuples(kinds, usage_types, amounts), min_size=1, max_size=30))
def test_nothing_of_the_aws_total_is_lost(drawn: Sequence[tuple[str, str, Decimal]]) -> None:
    """Usage, discounts, taxes and other services add up to the report's total to the last digit."""
    names = (
        "lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UsageType,lineItem/UnblendedCost"
        ",lineItem/UsageAmount"
    )
    text = "\n".join(
        [names, *(f"{kind},2026-09-01T00:00:00Z,{usage},{usd:f},1" for kind, usage, usd in drawn)]
    )
    assert total(read_text(text)) == sum((usd for _, _, usd in drawn), Decimal(0))

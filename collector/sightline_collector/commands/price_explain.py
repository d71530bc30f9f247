"""`sightline prices explain`: why a call costs what it costs."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sightline_collector.commands.asking import Collector, add_url, told
from sightline_collector.commands.cells import visible
from sightline_collector.commands.program import as_called

UNIT_OF_SHORT_NAME = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "reasoning": "output_reasoning_tokens",
}
DEFAULT_TOKENS = "input=1000,output=1000"
WHY_NOT = {
    "unpriced_model": "No price list has it. `sightline prices list --model PART` shows names that are known;"
    " `sightline prices override` gives it a price.",
    "no_usage": "Nothing was counted that its price is for: name the units with --tokens.",
    "bad_usage": "A part is larger than its whole, or an overlap of parts is not said.",
    "too_large": "No call is that large.",
}


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the action."""
    parser = actions.add_parser(
        "explain",
        help="why a call costs what it costs",
        description="Say which rules find a model's price, whose and since when it is, and what each unit of"
        " a call costs.",
    )
    parser.add_argument("model", help="as the span names it")
    parser.add_argument("--provider", default="", help="as the span names it")
    parser.add_argument("--at", type=_moment, help="when the call started, in UTC (default now)")
    parser.add_argument(
        "--tokens",
        type=_counts,
        default=_counts(DEFAULT_TOKENS),
        metavar="UNIT=N,…",
        help=f"such as input=1000,cache_read=800, or any unit of the list (default {DEFAULT_TOKENS})",
    )
    parser.add_argument(
        "--context", action="append", default=[], metavar="KEY=VALUE", help="such as service_tier=flex"
    )
    add_url(parser)
    parser.set_defaults(run=told(explain))


def _moment(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write it as 2026-12-01T08:30") from None


def _counts(text: str) -> dict[str, int]:
    counts = {}
    for part in text.split(","):
        unit, _, count = part.strip().partition("=")
        if not count.isdigit():
            raise argparse.ArgumentTypeError(f"{part!r} is no count: write it as input=1000")
        if (named := UNIT_OF_SHORT_NAME.get(unit, unit)) in counts:
            raise argparse.ArgumentTypeError(f"{unit!r} is counted twice: give each unit one count")
        counts[named] = int(count)
    return counts


def explain(arguments: argparse.Namespace) -> int:
    """Ask and print. Raises NotAnswered. 1 when there is no amount."""
    body: dict[str, Any] = {
        "model": arguments.model,
        "provider": arguments.provider,
        "usage": arguments.tokens,
        "context": arguments.context,
    }
    if arguments.at:
        body["at"] = arguments.at
    said = Collector(arguments.url).call("POST", "/api/prices/explain", body)
    for line in lines(said):
        print(as_called(visible(line)))
    return 0 if said["cost_usd"] is not None else 1


def lines(said: Mapping[str, Any]) -> list[str]:
    """The explanation, as people read it."""
    amount = said["cost_usd"]
    if amount is None:
        told_lines = [f"No amount: {said['status']}", f"  {WHY_NOT.get(said['status'], '')}"]
    else:
        told_lines = [f"{_plain(amount)} USD, {said['status']}"]
    if said["rules"]:
        told_lines.append(f"Found {said['found']}, by")
        told_lines += [f"  {rule}" for rule in said["rules"]]
    if said["price_id"]:
        told_lines += _where(said)
        told_lines += [f"  {pair} has no price of its own there" for pair in said["unlisted"]]
    return told_lines


def _where(said: Mapping[str, Any]) -> list[str]:
    since = f"since {said['price_valid_from']}" if said["price_valid_from"] else "without a first day"
    context = f", {said['price_context']}" if said["price_context"] else ""
    above = said["price_above_input_tokens"]
    size = f", above {above:,} input tokens" if above else ""
    begins = int(said["price_from_second"])
    daily = f", from {begins // 3600:02}:{begins // 60 % 60:02} UTC each day" if begins else ""
    title = f"Price {said['price_id']}: {said['price_provider']} {said['price_model']}{context}{size}{daily}"
    return [
        title,
        f"  {said['price_source']}, {since}",
        *(_charge(charge) for charge in said["charges"] if charge["count"]),
    ]


def _charge(charge: Mapping[str, Any]) -> str:
    usd, amount = _plain(charge["usd"]), _plain(charge["amount_usd"])
    return f"  {charge['unit']:<26} {charge['count']:>12,} x {usd} / {charge['per']:,} = {amount}"


def _plain(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits

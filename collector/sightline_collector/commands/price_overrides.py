"""`sightline prices override`, `overrides` and `end`: discounts, prices of one's own, GPUs by the hour."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Sequence
from datetime import date
from typing import Any

from sightline_collector.commands.asking import Collector, NotAnswered, add_url, path_of, told
from sightline_collector.commands.program import as_called
from sightline_collector.commands.sql import show

LIST = """
select id, provider, model, charge, valid_from, valid_until, note, set_by, set_at, replaced_at
from price_overrides
where isNull(replaced_at) or {all:String} != ''
order by provider, model, valid_from, set_at
"""
NOTHING = "No price is overridden. `sightline prices override --help` says how."

DESCRIPTION = """\
Charge something else than the published price, for calls that started on a UTC day or later:

  a discount      --provider openai --model 'gpt-*' --discount 15
  own prices      --provider vllm --model llama-70b --price input_tokens=0.2 --price output_tokens=0.6
  GPUs            --model llama-70b --usd-per-gpu-hour 2.5 --gpus 4 --tokens-per-second 9000

Prices are in USD for as many units as `sightline prices list` says: a million tokens. GPUs are charged by
the token, read or written: calls share a GPU, so the time that each takes would be paid several times.
Of overrides that hold for a call the one with the longest name of a model counts. Calls that came before
are charged anew by `sightline reprice`.
"""


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the actions."""
    _add_override(actions)
    listed = actions.add_parser("overrides", help="what overrides published prices")
    listed.add_argument("--all", action="store_true", help="also settings that were replaced")
    add_url(listed)
    listed.set_defaults(run=told(list_overrides))
    ended = actions.add_parser("end", help="let an override end")
    ended.add_argument("override", help="its id, as `sightline prices overrides` shows it")
    ended.add_argument("--on", type=_day, help="the first UTC day without it (default today)")
    add_url(ended)
    ended.set_defaults(run=told(end_override))


def _add_override(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "override",
        help="charge a discount, prices of your own, or GPUs by the hour",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", required=True, help="a name; with * at its end all that begin with it")
    parser.add_argument("--provider", default="", help="default: calls whose provider sells no such model")
    parser.add_argument("--from", dest="valid_from", type=_day, help="first UTC day (default today)")
    parser.add_argument("--until", dest="valid_until", type=_day, help="first UTC day without it")
    parser.add_argument("--note", default="", help="why, for those who look at it later")
    charge = parser.add_mutually_exclusive_group(required=True)
    charge.add_argument("--discount", metavar="PERCENT", help="less than published; below 0 it is more")
    charge.add_argument("--price", metavar="UNIT=USD", type=_pair, action="append", help="may be repeated")
    charge.add_argument("--usd-per-gpu-hour", metavar="USD")
    parser.add_argument("--gpus", type=int, default=1, help="how many serve the model (default 1)")
    parser.add_argument(
        "--tokens-per-second", metavar="N", help="what all GPUs serve together, tokens read and written"
    )
    add_url(parser)
    parser.set_defaults(run=told(set_override))


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2026-12-01") from None


def _pair(text: str) -> tuple[str, str]:
    unit, equals, usd = text.partition("=")
    if not (unit and equals and usd):
        raise argparse.ArgumentTypeError(f"{text!r} is no price: write it as input_tokens=0.5")
    return unit, usd


def _prices(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    prices = dict(pairs)
    if len(prices) < len(pairs):
        raise NotAnswered("--price names a unit twice", "give each unit one price")
    return prices


def set_override(arguments: argparse.Namespace) -> int:
    """Set it; print its id, what it charges, and what it replaces. Raises NotAnswered."""
    said: dict[str, Any] = {
        "provider": arguments.provider,
        "model": arguments.model,
        "valid_from": arguments.valid_from,
        "valid_until": arguments.valid_until,
        "discount_pct": arguments.discount,
        "prices": _prices(arguments.price) if arguments.price else None,
        "usd_per_gpu_hour": arguments.usd_per_gpu_hour,
        "gpus": arguments.gpus,
        "tokens_per_second": arguments.tokens_per_second,
        "note": arguments.note,
        "set_by": getpass.getuser(),
    }
    body = {name: value for name, value in said.items() if value is not None}
    made = Collector(arguments.url).call("POST", "/api/prices/overrides", body)
    replaced = f", in place of {made['replaced']}" if made["replaced"] else ""
    print(f"Override {made['id']} is set: {made['charge']}{replaced}.")
    if made.get("unreached"):
        print(
            f"  It does not reach {made['unreached']}: answers often name such a variant. With"
            f" --model '{arguments.model}-*' another override does."
        )
    print(as_called("  Calls that came before are charged anew by `sightline reprice --since DAY`."))
    return 0


def list_overrides(arguments: argparse.Namespace) -> int:
    """Print them. Raises NotAnswered."""
    show(Collector(arguments.url), LIST, {"all": "all" if arguments.all else ""}, nothing=NOTHING)
    return 0


def end_override(arguments: argparse.Namespace) -> int:
    """End it. Raises NotAnswered, which lists the overrides there are."""
    body = {"on": arguments.on} if arguments.on else {}
    path = path_of("api", "prices", "overrides", arguments.override)
    ended = Collector(arguments.url).call("DELETE", path, body)
    print(f"Override {ended['id']} ({ended['charge']}) holds until {ended['on']}, without that day.")
    return 0

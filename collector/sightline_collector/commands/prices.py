"""`sightline prices`: what calls are charged, why, and what of one's own is charged instead."""

from __future__ import annotations

import argparse
import getpass
import hashlib
from pathlib import Path

from sightline_collector.commands import price_explain, price_overrides
from sightline_collector.commands.asking import Collector, NotAnswered, add_url, told
from sightline_collector.commands.sql import show

LIST = """
select
    provider, model, unit, usd, per, nullIf(above_input_tokens, 0) as above_input_tokens, valid_from, context
from prices
where positionCaseInsensitive(provider, {provider:String}) > 0
    and positionCaseInsensitive(model, {model:String}) > 0
order by provider, model, context, unit, valid_from
"""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand and its own."""
    parser = subparsers.add_parser("prices", help="what calls are charged, and why")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    _add_list(actions)
    price_explain.add(actions)
    _add_import(actions)
    price_overrides.add(actions)


def _add_list(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    listed = actions.add_parser(
        "list",
        help="the prices in force",
        description="List prices in USD for `per` units. A part of the input or output, such as cached"
        " tokens, is paid at its own price instead of its whole's.",
    )
    listed.add_argument("--provider", default="", help="only providers with this in their name")
    listed.add_argument("--model", default="", help="only models with this in their name")
    add_url(listed)
    listed.set_defaults(run=told(list_prices))


def _add_import(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    taken = actions.add_parser(
        "import",
        help="charge by a newer published price list",
        description="Charge by a newer published price list, without a restart. It holds until another"
        " release of genai-prices is installed. What was charged stays; `sightline reprice` charges anew.",
    )
    source = taken.add_mutually_exclusive_group(required=True)
    source.add_argument("file", nargs="?", type=Path, help="data.json (v2) of the genai-prices project")
    source.add_argument("--library", action="store_true", help="the genai-prices that is installed here")
    add_url(taken)
    taken.set_defaults(run=told(import_prices))


def list_prices(arguments: argparse.Namespace) -> int:
    """Print them. Raises NotAnswered."""
    asked = {"provider": arguments.provider, "model": arguments.model}
    named = " and ".join(f"{text!r} in its {name}'s name" for name, text in asked.items() if text)
    nothing = (
        named and f"There is no price with {named}. `sightline prices list` shows all: try a part of a name."
    )
    narrower = "narrow them with --provider and --model"
    show(Collector(arguments.url), LIST, asked, nothing=nothing, narrower=narrower)
    return 0


def import_prices(arguments: argparse.Namespace) -> int:
    """Send the list. Raises NotAnswered, which says what is wrong with it."""
    source, text = _library() if arguments.library else _file(arguments.file)
    body = {"source": source, "data": text, "set_by": getpass.getuser()}
    loaded = Collector(arguments.url).call("POST", "/api/prices/import", body)
    print(f"Calls are charged by {loaded['source']} from now on: {loaded['models']:,} models.")
    return 0


def _file(path: Path) -> tuple[str, str]:
    """What to call a file, and its text: the same content has the same name wherever it lies."""
    try:
        text = path.read_text("utf8")
    except OSError as e:
        raise NotAnswered(f"{path} cannot be read ({e.strerror})", "name the file") from None
    except UnicodeDecodeError:
        raise NotAnswered(f"{path} is not UTF-8", "take data.json as it was published") from None
    return f"genai-prices data.json {hashlib.sha256(text.encode()).hexdigest()[:12]}", text


def _library() -> tuple[str, str]:
    from sightline_collector.prices.published import as_text, installed

    published = installed()
    return published.source, as_text(published)

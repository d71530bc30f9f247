"""`sightline prices`: what calls are charged."""

from __future__ import annotations

import argparse

from sightline_collector.commands.asking import Collector, add_url, told
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
    parser = subparsers.add_parser("prices", help="what calls are charged")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
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


def list_prices(arguments: argparse.Namespace) -> int:
    """Print them. Raises NotAnswered."""
    asked = {"provider": arguments.provider, "model": arguments.model}
    named = " and ".join(f"{text!r} in its {name}'s name" for name, text in asked.items() if text)
    nothing = (
        named and f"There is no price with {named}. `sightline prices list` shows all: try a part of a name."
    )
    show(Collector(arguments.url), LIST, asked, nothing=nothing)
    return 0

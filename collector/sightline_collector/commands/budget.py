"""`sightline budget`: set, list and remove limits on what is spent."""

from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation

from sightline_collector.commands.asking import Collector, add_url, path_of, told
from sightline_collector.commands.program import as_called
from sightline_collector.commands.sql import show

DIGITS_MAX = 20
"""Of an amount, before or after the point: far beyond what a limit may be, and short enough to print."""
SCOPES = {
    "project": "of one project",
    "service": "of one service",
    "feature": "of one feature",
    "model": "on one model",
    "user": "for one user",
}
LIST = """
select
    budget, spend_usd, limit_usd, share_pct, forecast_usd, window_end as window_end_utc,
    arrayStringConcat(channels, ', ') as channels
from budget_status
"""
NO_BUDGET = "No budget is set. `sightline budget set --usd 50 --per day` sets one."


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand and its own."""
    parser = subparsers.add_parser("budget", help="limits on what is spent, and who is told")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    _add_set(actions)
    listed = actions.add_parser("list", help="the budgets, with what each has spent in its open window (UTC)")
    add_url(listed)
    listed.set_defaults(run=told(list_budgets))
    removed = actions.add_parser("remove", help="take a budget out of force")
    removed.add_argument("budget", help="its id, as `sightline budget list` shows it")
    add_url(removed)
    removed.set_defaults(run=told(remove_budget))


def _add_set(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "set",
        help="set a budget, or change the one of the same scope and window",
        description="Set a limit in USD for each hour, day, week or month (UTC). At 50, 80 and 100 % of it,"
        " once each, the channels are told what was spent, by what, and what to do next. Of a budget that is"
        " set already, thresholds and channels stay unless they are given.",
    )
    parser.add_argument("--usd", required=True, type=_amount, help="the limit, such as 50")
    parser.add_argument("--per", default="day", choices=("hour", "day", "week", "month"))
    for scope, what in SCOPES.items():
        parser.add_argument(f"--{scope}", help=f"only what is spent {what}")
    parser.add_argument(
        "--threshold",
        type=int,
        action="append",
        metavar="PERCENT",
        help="tell at this share (may be repeated)",
    )
    parser.add_argument(
        "--notify", action="append", metavar="URL", help="channel as apprise writes it (may be repeated)"
    )
    add_url(parser)
    parser.set_defaults(run=told(set_budget))


def _amount(text: str) -> str:
    """A number's digits. Raises what argparse turns into its error."""
    try:
        usd = Decimal(text)
    except InvalidOperation:
        usd = Decimal("nan")
    if not usd.is_finite() or abs(usd.adjusted()) > DIGITS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount: write digits, such as 50 or 0.25")
    if usd <= 0:
        raise argparse.ArgumentTypeError(f"must be more than 0, and is {text}")
    return f"{usd:f}"


def set_budget(arguments: argparse.Namespace) -> int:
    """Set it; print its id, the limit that it replaces, and who is told. Raises NotAnswered."""
    said = {
        "limit_usd": arguments.usd,
        "per": arguments.per,
        **{("user_id" if s == "user" else s): getattr(arguments, s) for s in SCOPES},
        "thresholds": arguments.threshold,
        "notify": arguments.notify,
    }
    body = {name: value for name, value in said.items() if value is not None}
    made = Collector(arguments.url).call("POST", "/api/budgets", body)
    before = made["replaced_limit_usd"]
    replaced = f", in place of {before} USD" if before else ""
    print(f"Budget {made['id']} is set: {arguments.usd} USD per UTC {arguments.per}{replaced}.")
    if made["channels"]:
        print(f"  Alerts go to {', '.join(made['channels'])}")
    else:
        print(as_called("  Nobody is told yet: add --notify URL, or watch `sightline alerts list`."))
    return 0


def list_budgets(arguments: argparse.Namespace) -> int:
    """Print the budgets in force. Raises NotAnswered."""
    show(Collector(arguments.url), LIST, nothing=NO_BUDGET)
    return 0


def remove_budget(arguments: argparse.Namespace) -> int:
    """Remove it. Raises NotAnswered, which lists the budgets there are."""
    Collector(arguments.url).call("DELETE", path_of("api", "budgets", arguments.budget), {})
    print(f"Budget {arguments.budget} is removed.")
    return 0

"""`sightline alerts`: what fires, and whether a channel works."""

from __future__ import annotations

import argparse

from sightline_collector.commands.asking import Collector, add_url, told
from sightline_collector.commands.sql import show

LIST = "select state, severity, title, since, value, threshold from alerts"


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand and its own."""
    parser = subparsers.add_parser("alerts", help="what fires now, and whether a channel works")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="what is pending or firing, the gravest first")
    add_url(listed)
    listed.set_defaults(run=told(list_alerts))
    tried = actions.add_parser("test", help="send a test message to a channel")
    tried.add_argument("channel", help="its address as apprise writes it, such as json://host/path")
    add_url(tried)
    tried.set_defaults(run=told(try_channel))


def list_alerts(arguments: argparse.Namespace) -> int:
    """Print them. Raises NotAnswered."""
    show(Collector(arguments.url), LIST, nothing="Nothing is pending or firing.")
    return 0


def try_channel(arguments: argparse.Namespace) -> int:
    """Send the message. Raises NotAnswered, which says why the channel did not take it."""
    sent = Collector(arguments.url).call("POST", "/api/alerts/test", {"url": arguments.channel})
    print(f"{sent['sent']} took the test message.")
    return 0

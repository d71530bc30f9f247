"""`sightline conformance URL`: which rules of OTLP an endpoint keeps, ours or another's."""

from __future__ import annotations

import argparse
import json
from urllib.parse import urlsplit

from sightline_collector.commands.asking import NotAnswered, told
from sightline_collector.commands.cells import visible
from sightline_collector.commands.sql import put_out

DEFAULT_LIMIT_MB = 64
LEVELS = ("must", "should", "may", "good")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "conformance",
        help="which rules of OTLP 1.11 an endpoint keeps",
        description="Put the rules of OTLP 1.11 to any endpoint, and say of each what was seen. It sends some"
        " hundreds of spans named otlp-conformance, a few requests as large as the limit, and bombs. The exit"
        " code is 1 when any rule fails.",
    )
    parser.add_argument("endpoint", metavar="URL", help="OTLP over HTTP, such as http://127.0.0.1:4318")
    parser.add_argument("--grpc", default="", metavar="HOST:PORT", help="OTLP over gRPC; not tested without")
    parser.add_argument(
        "--header", action="append", default=[], metavar="NAME=VALUE", help="sent with each (may be repeated)"
    )
    parser.add_argument(
        "--limit-mb",
        type=int,
        default=DEFAULT_LIMIT_MB,
        help=f"MiB that the endpoint takes in a request (default {DEFAULT_LIMIT_MB}, as recommended)",
    )
    parser.add_argument(
        "--level", default=LEVELS[-1], choices=LEVELS, help="rules that are as binding as this or more"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="rules whose id contains this")
    parser.add_argument("--format", default="table", choices=("table", "json"), help="default table")
    parser.set_defaults(run=told(run))


def run(arguments: argparse.Namespace) -> int:
    """Print what came out of each rule; 1 when any fails. Raises NotAnswered."""
    from sightline_collector.conformance import report, suite
    from sightline_collector.conformance.endpoint import Endpoint, Unanswered
    from sightline_collector.conformance.rule import kept

    _check(arguments)
    endpoint = Endpoint(
        arguments.endpoint.rstrip("/"), arguments.grpc, _headers(arguments.header), arguments.limit_mb << 20
    )
    try:
        with endpoint.bare():
            pass
    except Unanswered as e:
        raise NotAnswered(
            f"nothing answers at {arguments.endpoint} ({e})", "name where OTLP/HTTP is served"
        ) from None
    asked = LEVELS[: LEVELS.index(arguments.level) + 1]
    rules = [rule for rule in suite.RULES if rule.level in asked and arguments.only in rule.id]
    findings = list(suite.run(endpoint, rules))
    if arguments.format == "json":
        print(json.dumps(report.records(findings), indent=2))
    else:
        put_out(report.COLUMNS, report.cells(findings), report.footer(findings))
        for line in report.broken(findings):
            print(visible(line))
    return 0 if kept(findings) else 1


def _check(arguments: argparse.Namespace) -> None:
    parts = urlsplit(arguments.endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotAnswered(f"{arguments.endpoint!r} is no address", "it looks like http://127.0.0.1:4318")
    if arguments.limit_mb < 1:
        raise NotAnswered("--limit-mb is 1 or more", "name what the endpoint is set to, in MiB")


def _headers(given: list[str]) -> dict[str, str]:
    headers = dict(one.split("=", 1) for one in given if "=" in one)
    if len(headers) != len(given):
        raise NotAnswered("a header is NAME=VALUE, each name once", "such as --header x-api-key=…")
    return headers

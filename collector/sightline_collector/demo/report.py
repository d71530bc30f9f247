"""What the demo shows in the end: rows of the views, the alert as it arrived, one trace, what is next.

Below each title stands the statement that was asked: typed again, it shows the same columns.
"""

import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Final

from rich.console import Console

from sightline_collector.commands.program import program
from sightline_collector.commands.table import draw
from sightline_collector.demo import trace_tree
from sightline_collector.demo.alert_receiver import Alert
from sightline_collector.demo.asking import Asking, query

COLUMNS: Final = 100
SHOWN: Final = (  # a view, and the query of it; see report/
    ("cost_by_model", "cost_by_model"),
    ("cost_by_feature", "cost_by_feature"),
    ("latency_by_model", "latency_by_model"),
    ("latency_breakdown_by_feature", "latency_breakdown_by_feature"),
    ("error_rates", "error_rates"),
    ("feedback_summary", "feedback_summary"),
    ("drift_alerts", "drift_by_model"),
    ("drift_alerts", "drift_causes"),
    ("unpriced_calls", "unpriced_calls"),
    ("span_loss", "span_loss"),
    ("budget_status", "budget_status"),
)
NEXT: Final = """
Done in {seconds:.0f} s. The data stays in {folder}. Where to look next:
  make up STORE=chdb:{folder}
      keeps a collector running on it; then, in another terminal,
  {sightline} sql "select name, cost_usd from recent_traces limit 5"
      asks it, as `curl` and any client of ClickHouse can: it listens on http://127.0.0.1:4319
  make up
      starts a collector for programs of your own: README.md shows the ten lines they need
"""


def show(asking: Asking, alerts: Sequence[Alert], console: Console) -> None:
    """All of it: drawn for 100 columns, and readable on fewer."""
    for view, name in SHOWN:
        sql = query(name)
        _title(view, sql, console)
        answer = asking.ask(sql)
        console.print(draw(answer.columns, answer.rows, console.width) if answer.rows else "  none")
    if alerts:
        _alert(alerts, console)
    for row in asking.ask(query("trace_with_a_tool")).records():
        _trace(asking, str(row["trace_id"]), console)


def say(console: Console, stage: str, *lines: str) -> None:
    """Lines of a stage while it runs, its name before the first."""
    for name, line in zip_longest((stage,), lines, fillvalue=""):
        console.print(f"  [bold]{name:<10}[/bold] ", end="", highlight=False)
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def next_steps(folder: Path, seconds: float, console: Console) -> None:
    """Commands that go on from here."""
    _plain(NEXT.format(seconds=seconds, folder=folder, sightline=program()).rstrip(), console)


def _title(view: str, sql: str, console: Console) -> None:
    says, _, statement = sql.partition("\n")
    console.print(f"\n[bold]{view}[/bold]  {says.removeprefix('-- ')}", highlight=False, soft_wrap=True)
    shown = textwrap.indent(statement.rstrip(), "  ")
    console.print(shown, style="dim", markup=False, highlight=False, soft_wrap=True)


def _trace(asking: Asking, trace_id: str, console: Console) -> None:
    sql = query("one_trace", trace_id=trace_id)
    _title("spans", sql, console)
    _plain(trace_tree.draw([trace_tree.Span.of(row) for row in asking.ask(sql).records()]), console)


def _alert(alerts: Sequence[Alert], console: Console) -> None:
    alert = alerts[-1]
    console.print("\n[bold]the alert[/bold]  As the webhook got it", highlight=False)
    earlier = [f"Before it came {len(alerts) - 1} more"] if len(alerts) > 1 else []
    for line in (str(alert["title"]), *str(alert["message"]).splitlines(), *earlier):
        width = min(COLUMNS, console.width)
        _plain(textwrap.fill(line, width, initial_indent="  ", subsequent_indent="    "), console)


def _plain(text: str, console: Console) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)

"""A running collector pays once what several spans tell of, also when it was killed in between."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from collector.settle.telling import CLAUDE, CLAUDE_USD, Told, request
from collector_process import CollectorProcess, wait_until

from sightline_collector.cli import main

ANSWERED = CLAUDE | {"gen_ai.response.id": "msg_01XFDUDYJgAACzvnptvVoYEL"}
OUTER = Told(1, 0, ANSWERED, "opentelemetry.instrumentation.anthropic", seconds=3)
NATIVE = Told(2, 0, ANSWERED, "com.anthropic.sdk.python", start=0.5, seconds=2, trace=2)


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[CollectorProcess]:
    """A running collector that settles often."""
    soon = ("--segment-age-s", "0.2", "--settle-interval-s", "0.3")
    with CollectorProcess(tmp_path / "data", *soon) as running:
        running.start()
        yield running
        assert running.stop() == 0


def send(collector: CollectorProcess, *told: Told) -> None:
    """Spans in a request of their own, stored when this returns."""
    body, _ = request(told)
    answer = requests.post(
        f"{collector.otlp}/v1/traces", body.SerializeToString(), timeout=30,
        headers={"Content-Type": "application/x-protobuf"},
    )  # fmt: skip
    assert answer.status_code == 200
    collector.flush()


def paid(collector: CollectorProcess) -> list[tuple[int, Decimal]]:
    """Calls and USD of each model."""
    rows = collector.ask("select calls, toString(cost_usd) as usd from cost_by_model")
    return [(int(row["calls"]), Decimal(row["usd"])) for row in rows]


def test_a_call_told_twice_is_paid_once(
    collector: CollectorProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two instrumentations, two traces, two deliveries, a kill between: one call, and the ledger says why."""
    send(collector, OUTER)
    assert paid(collector) == [(1, CLAUDE_USD)]
    collector.kill()
    collector.start()
    send(collector, NATIVE)
    wait_until(lambda: paid(collector) == [(1, CLAUDE_USD)])
    send(collector, NATIVE)
    wait_until(lambda: paid(collector) == [(1, CLAUDE_USD)])
    why = "select why, count() as n from cost_corrections group by why order by why"
    assert collector.ask(why) == [{"why": "redelivered", "n": 1}, {"why": "twin", "n": 1}]
    asked = ["settle", "--since", "0001-01-01T00:00:00+05:00", "--until", "9999-12-31", "--dry-run"]
    assert main([*asked, "--url", collector.http]) == 0
    assert capsys.readouterr().out == "2 traces looked at, 0 corrections would be written.\n"

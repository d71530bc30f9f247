"""The alert loop: every so often, look at the views, keep what changed, tell those who are to be told.

One task; the looking and telling happen in a thread, one at a time. A store that fails is asked again at the
next round; nothing that was found is lost by that, because nothing was remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from time import monotonic

import structlog
from prometheus_client import Counter, Gauge

from sightline_collector.alerts.event import Event
from sightline_collector.alerts.journal import Due, Journal
from sightline_collector.alerts.notify import masked, tell
from sightline_collector.alerts.rule import Rule, shipped_rules
from sightline_collector.alerts.watch import Watch
from sightline_collector.errors import Fault
from sightline_collector.health import Health
from sightline_collector.store.engine import Engine

JOIN_S = 5.0
"""How long a stop waits for the round under way: a look takes less, a channel may take longer."""

log = structlog.get_logger(__name__)


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class AlertLoop:
    """Judges one store with `rules` (those shipped, unless given) and its budgets.

    `channels` are the addresses that are told of rules; each budget brings its own.
    """

    def __init__(
        self,
        engine: Engine,
        health: Health,
        *,
        interval_s: float,
        rules: Sequence[Rule] | None = None,
        channels: Sequence[str] = (),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._watch = Watch(engine, shipped_rules() if rules is None else rules, self._rule_failed)
        self._journal = Journal(engine)
        self._interval_s = interval_s
        self._channels = tuple(channels)
        self._clock = clock
        self._stopping = asyncio.Event()
        self._rule_faults: dict[str, str] = {}
        self._finished = monotonic()
        self._measure(health)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look and tell inside the block; at its end the round under way is waited for, JOIN_S at most."""
        looking = asyncio.create_task(self._run(), name="alerts")
        try:
            yield
        finally:
            self._stopping.set()
            await asyncio.wait([looking], timeout=JOIN_S)
            looking.cancel()

    async def _run(self) -> None:
        """Round after round; what a round raises is logged, and the next round comes."""
        while not self._stopping.is_set():
            await asyncio.to_thread(self._round)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._interval_s)

    def round(self, now: datetime) -> list[Event]:
        """One look and its telling, as of a time. What changed; raises a Fault when the store fails."""
        events = self._watch.look(now)
        for due in self._journal.due(now, self._channels):
            if self._stopping.is_set():
                break
            self._tell(due, now)
        return events

    def _round(self) -> None:
        try:
            self.round(self._clock())
        except Fault as e:
            self._failed_rounds.inc()
            log.warning("alerts not evaluated", reason=e.reason, error=e.message)
        except Exception:
            # The collector takes spans also when its alerts are at fault.
            self._failed_rounds.inc()
            log.exception("alerts not evaluated")
        else:
            self._finished = monotonic()

    def _tell(self, due: Due, now: datetime) -> None:
        tone = "over" if due.state == "resolved" else due.severity
        error = tell(due.address, due.title, due.message, tone)
        outcome = self._journal.record(due, error, now)
        self._deliveries.labels(outcome).inc()
        if error is not None:
            log.warning(
                "alert not delivered",
                title=due.title,
                channel=masked(due.address),
                error=error,
                attempt=due.attempt,
                outcome=outcome,
            )

    def _rule_failed(self, rule: Rule, error: Exception) -> None:
        """Counted every time, logged when it is a new fault of the rule."""
        self._failed_rules.labels(rule.name).inc()
        text = error.message if isinstance(error, Fault) else str(error)
        if self._rule_faults.get(rule.name) != text:
            self._rule_faults[rule.name] = text
            log.warning("alert rule not evaluated", rule=rule.name, error=text)

    def _measure(self, health: Health) -> None:
        registry = health.registry
        lag = Gauge(
            "sightline_alert_lag_seconds", "Since alerts were last evaluated to the end", registry=registry
        )
        lag.set_function(lambda: monotonic() - self._finished)
        self._failed_rounds = Counter(
            "sightline_alert_failed_rounds",
            "Evaluations that the store or a fault cut short",
            registry=registry,
        )
        self._failed_rules = Counter(
            "sightline_alert_failed_rules", "Queries of rules that failed", ["rule"], registry=registry
        )
        self._deliveries = Counter(
            "sightline_alert_deliveries", "Attempts to tell a channel", ["outcome"], registry=registry
        )

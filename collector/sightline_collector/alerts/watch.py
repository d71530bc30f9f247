"""One look at the views: each rule that is due and every budget window, as what changed since the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from sightline_collector.alerts.budget import Window
from sightline_collector.alerts.evaluate import Instance, evaluate, observations
from sightline_collector.alerts.event import Event, rule_event, stored_time
from sightline_collector.alerts.journal import Journal
from sightline_collector.alerts.rule import Labels, Rule
from sightline_collector.alerts.thresholds import crossings, resolutions
from sightline_collector.errors import StoreRefused
from sightline_collector.store.engine import Engine

LATE = timedelta(days=7)
"""How long after its end a budget's window is still looked at, for spans that come late."""

_WINDOWS = (
    "select * from budget_windows where window_end > {since:DateTime} and window_start <= {now:DateTime}"
    " and spend_usd > 0"
)
_CAME_LATE = (
    "select 1 from spans_v1 where started_at >= {start:DateTime} and started_at < {end:DateTime}"
    " and received_at > {set_at:DateTime64(6)} limit 1"
)

RuleFailed = Callable[[Rule, Exception], None]


class Watch:
    """Looks at the views of one store, and remembers where each rule's instances stand."""

    def __init__(self, engine: Engine, rules: Sequence[Rule], rule_failed: RuleFailed) -> None:
        self._engine = engine
        self._rules = tuple(rules)
        self._rule_failed = rule_failed
        self._journal = Journal(engine)
        self._looked: dict[str, datetime] = {}
        self._instances: dict[str, dict[Labels, Instance]] | None = None

    def look(self, now: datetime) -> list[Event]:
        """What changed; it is in the store when this returns. Raises a Fault when the store fails."""
        try:
            events = [*self._look_at_rules(now), *self._look_at_budgets(now)]
            self._journal.append(events)
        except BaseException:
            # What was judged was not kept: the next look begins with what the store holds.
            self._instances = None
            self._looked.clear()
            raise
        return events

    def _look_at_rules(self, now: datetime) -> Iterator[Event]:
        if self._instances is None:
            self._instances = self._journal.instances()
        for rule in self._rules:
            last = self._looked.get(rule.name)
            if last is None or now - last >= rule.interval or now < last:
                self._looked[rule.name] = now
                yield from self._look_at_rule(rule, self._instances, now)

    def _look_at_rule(
        self, rule: Rule, instances: dict[str, dict[Labels, Instance]], now: datetime
    ) -> Iterator[Event]:
        """The rule's transitions. A query that the store refuses leaves its instances as they are."""
        try:
            seen = observations(self._engine.rows(rule.query, {"now": stored_time(now, "seconds")}))
        except (StoreRefused, ValueError) as e:
            self._rule_failed(rule, e)
            return
        after, changes = evaluate(rule, instances.get(rule.name, {}), seen, now)
        instances[rule.name] = after
        for change in changes:
            yield rule_event(rule, change, now)

    def _look_at_budgets(self, now: datetime) -> list[Event]:
        since = now - LATE
        past, windows = self._journal.passed(since), self._windows(since, now)
        news = {(event.key, event.window_start) for event in crossings(windows, past, now)}
        judged = [w for w in windows if (w.budget, w.start) in news and self._concerns(w)]
        return [*resolutions(windows, past, now), *crossings(judged, past, now)]

    def _windows(self, since: datetime, now: datetime) -> list[Window]:
        if not self._engine.value("select count() from budget_limits"):
            return []
        times = {"since": stored_time(since, "seconds"), "now": stored_time(now, "seconds")}
        return [Window.of(row) for row in self._engine.rows(_WINDOWS, times)]

    def _concerns(self, window: Window) -> bool:
        """True unless the window was over before the budget was set, and nothing came to it since."""
        if window.end > window.set_at:
            return True
        times = {
            "start": stored_time(window.start, "seconds"),
            "end": stored_time(window.end, "seconds"),
            "set_at": stored_time(window.set_at, "microseconds"),
        }
        return self._engine.value(_CAME_LATE, times) is not None

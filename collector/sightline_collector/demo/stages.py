"""The demo, stage by stage: each begins where the one before it ended, and says in a line what it did."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.progress import Progress

import sightline
from sightline_collector.commands.asking import Collector
from sightline_collector.demo import report
from sightline_collector.demo.alert_receiver import Alert, AlertReceiver, receiving
from sightline_collector.demo.asking import Asking
from sightline_collector.demo.documents import Library, own_documents
from sightline_collector.demo.options import Options, has_provider
from sightline_collector.demo.processes import Addresses, DemoFailed, sightline_command
from sightline_collector.demo.provider import Provider, real_provider, stand_in
from sightline_collector.demo.traffic import Traffic
from sightline_collector.demo.visits import Visit, plan

ALERT_S: Final = 30.0
REAL_ALERT_S: Final = 5.0  # a real model may cost nothing that is known
FLUSH_S: Final = 60.0
OUTCOMES: Final = ("answered", "blocked", "failed", "thumbs up", "thumbs down")


class Stages:
    """Those of one run. What they start is on `running`, and ends with it."""

    def __init__(self, options: Options, environment: Mapping[str, str], console: Console) -> None:
        self._options, self._environment, self._console = options, environment, console
        self._say = partial(report.say, console)
        self._began = time.monotonic()

    def run(self, ready: Callable[[], Addresses], running: ExitStack) -> None:
        """All of them in their order; raises DemoFailed at the first that does not come to its end.

        `ready` waits for a collector that was begun, and gives its addresses.
        """
        provider = self._provider(running)
        receiver, library = running.enter_context(receiving()), own_documents()
        digests = [p.title for p in library.passages if p.title.startswith("views: ")]
        visits = plan(provider.scale, self._options.seed, digests, provider.model)
        past = [visit for visit in visits if visit.day < 0]
        at = self._ready(ready)
        self._say("model", *provider.lines)
        asking = Asking(Collector(at.http))
        sightline.init(service_name="support-desk", endpoint=at.otlp)
        running.callback(sightline.shutdown)  # while there is a collector to take what is left
        self._say("history", f"{len(past):,} visits of {-past[0].day} days, back-dated:")
        self._traffic(past, provider, library)
        self._stored(asking)
        # Set now, the budget judges today alone: of the days before it says only what they cost.
        self._budget(at, receiver, provider)
        self._say("today", f"{len(visits) - len(past):,} visits:")
        self._traffic(visits[len(past) :], provider, library)
        self._stored(asking)
        report.show(asking, self._alerts(receiver, provider), self._console)

    def _provider(self, running: ExitStack) -> Provider:
        if has_provider(self._environment):
            return real_provider(self._options)
        return stand_in(self._options, self._environment, running)

    def _ready(self, ready: Callable[[], Addresses]) -> Addresses:
        at = ready()
        took_s = time.monotonic() - self._began
        self._say("collector", f"ready after {took_s:.1f} s: OTLP at {at.otlp}, SQL at {at.http}")
        return at

    def _traffic(self, visits: Sequence[Visit], provider: Provider, library: Library) -> None:
        """One line a day says what came of its visits, after what is new on it."""
        answered = 0
        for day, its_visits in groupby(visits, lambda visit: visit.day):
            if day in provider.news:
                self._say("", provider.news[day])
            counted = self._play(provider, library, list(its_visits))
            self._say("", f"{_date(day)}  " + ", ".join(f"{counted[each]:,} {each}" for each in OUTCOMES))
            answered += counted["answered"]
            if not answered:
                where = provider.client.base_url
                raise DemoFailed(f"no visit was answered. Does {where} serve {provider.model}?")
        if not sightline.flush(FLUSH_S):
            raise DemoFailed(f"spans were not sent in {FLUSH_S:.0f} s. Is the machine very busy? Try again")

    def _play(self, provider: Provider, library: Library, visits: Sequence[Visit]) -> Counter[str]:
        with Progress(console=self._console, transient=True, disable=not self._console.is_terminal) as shown:
            task = shown.add_task("traffic", total=len(visits))

            def watch(done: int) -> None:
                shown.update(task, completed=done)

            traffic = Traffic(provider.client_of, library, self._options.seed, watch)
            traffic.play(visits)
        return traffic.counted

    def _stored(self, asking: Asking) -> None:
        """Every span that was sent can be asked for, and none is missing."""
        health, started = sightline.health(), time.monotonic()
        sent = {"spans": health.sent["traces"], "feedback": health.sent["logs"]}
        asking.wait_stored()
        stored = {view: asking.count(view) for view in sent}
        if stored != sent or health.lost:
            raise DemoFailed(
                f"sent {sent}, stored {stored}, lost {dict(health.lost)}. Ask the view span_loss"
            )
        all_of_it = f"{sent['spans']:,} spans and {sent['feedback']:,} thumbs, which is all that was sent,"
        self._say("stored", f"{all_of_it} {time.monotonic() - started:.1f} s later")

    def _budget(self, at: Addresses, receiver: AlertReceiver, provider: Provider) -> None:
        budget = ["--usd", provider.budget_usd, "--per", "day", "--feature", "support"]
        flags = [*budget, "--notify", receiver.notify_url, "--url", at.http]
        sightline_command(["budget", "set", *flags], self._environment)
        self._say("budget", f"support may cost {provider.budget_usd} USD a day; alerts go to a local webhook")

    def _alerts(self, receiver: AlertReceiver, provider: Provider) -> list[Alert]:
        # Apprise calls a critical message a failure: the whole budget is spent.
        limit_s = REAL_ALERT_S if provider.real else ALERT_S
        alerts = receiver.wait(lambda alert: alert.get("type") == "failure", limit_s)
        if not alerts and not provider.real:
            raise DemoFailed("no alert came of the budget. Ask: select * from budget_status")
        nothing = f"none came: {provider.model} cost too little, or has no known price"
        came = f"{len(alerts)} came to the webhook; the last is shown below" if alerts else nothing
        self._say("alert", came)
        return alerts


def _date(day: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=day):%Y-%m-%d}"

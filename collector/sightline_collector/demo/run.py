"""The demo, stage by stage: each begins where the one before it ended, and says in a line what it did."""

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openai import OpenAI
from rich.console import Console
from rich.progress import Progress

import sightline
from sightline_collector.commands.asking import Collector
from sightline_collector.demo import data_folder, report
from sightline_collector.demo.alert_receiver import Alert, AlertReceiver, receiving
from sightline_collector.demo.asking import Asking
from sightline_collector.demo.documents import Library, own_documents
from sightline_collector.demo.model_server import DAY_HEADER
from sightline_collector.demo.processes import (
    Addresses,
    DemoFailed,
    collector,
    model_server,
    sightline_command,
)
from sightline_collector.demo.traffic import Traffic
from sightline_collector.demo.visits import CHANGE_DAY, REAL_MODEL_SCALE, Scale, Visit, plan

ALERT_S: Final = 30.0
REAL_ALERT_S: Final = 5.0  # a real model may cost nothing that is known
ALERT_INTERVAL_S: Final = "1"  # the collector's own default is meant for months, not for a demo
FLUSH_S: Final = 60.0
BUDGET_USD: Final = "0.60"  # a day of the support desk costs more than that
REAL_BUDGET_USD: Final = "0.0001"
REAL_MODEL: Final = "gpt-4o-mini"
OUTCOMES: Final = ("answered", "blocked", "failed", "thumbs up", "thumbs down")


@dataclass(frozen=True, slots=True)
class Options:
    """`speed` divides the stand-in's waiting times; `model` answers everything, at a real provider."""

    folder: Path
    seed: int = 1
    speed: float = 30.0
    model: str | None = None
    scale: Scale | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """Who answers; `model` takes the place of all models at a real provider."""

    client: OpenAI
    scale: Scale
    model: str | None
    budget_usd: str
    real: bool

    def client_of(self, day: int) -> OpenAI:
        """The client for a day's visits: the stand-in is told which day it plays."""
        if self.real:
            return self.client
        return self.client.with_options(default_headers={DAY_HEADER: str(day)})


class Demo:
    """One run. What it starts is on `running`, and ends with it."""

    def __init__(self, options: Options, environment: Mapping[str, str], console: Console) -> None:
        self._options, self._console = options, console
        self._environment = _own(environment)
        self._has_provider = bool(environment.get("OPENAI_API_KEY") or environment.get("OPENAI_BASE_URL"))

    def run(self, running: ExitStack) -> None:
        """All stages in their order; raises DemoFailed at the first that does not come to its end."""
        at = self._collector(running)
        provider = self._provider(running)
        receiver = running.enter_context(receiving())
        asking, library = Asking(Collector(at.http)), own_documents()
        digests = [p.title for p in library.passages if p.title.startswith("views: ")]
        visits = plan(provider.scale, self._options.seed, digests, provider.model)
        sightline.init(service_name="support-desk", endpoint=at.otlp)
        running.callback(sightline.shutdown)  # while there is a collector to take what is left
        self._traffic("history", [v for v in visits if v.day < 0], provider, library)
        self._stored(asking)
        # Set now, the budget judges today alone: of the days before it says only what they cost.
        self._budget(at, receiver, provider)
        self._traffic("today", [v for v in visits if v.day == 0], provider, library)
        self._stored(asking)
        report.show(asking, self._alerts(receiver, provider), self._console)

    def _collector(self, running: ExitStack) -> Addresses:
        started = time.monotonic()
        data_folder.clear(self._options.folder)
        at = running.enter_context(collector(self._options.folder, self._environment))
        took_s = time.monotonic() - started
        self._say("collector", f"ready after {took_s:.1f} s: OTLP at {at.otlp}, SQL at {at.http}")
        self._say("", f"its data is in {self._options.folder}")
        return at

    def _provider(self, running: ExitStack) -> Provider:
        options = self._options
        if self._has_provider:
            model = options.model or REAL_MODEL
            client = OpenAI(max_retries=1, api_key=os.environ.get("OPENAI_API_KEY", "none"))
            self._say("model", f"{model} at {client.base_url}: real calls, so only a few of them")
            scale = options.scale or REAL_MODEL_SCALE
            return Provider(client, scale, model, REAL_BUDGET_USD, real=True)
        flags = ["--seed", options.seed, "--speed", options.speed, "--changed-from", CHANGE_DAY]
        url = running.enter_context(
            model_server(options.folder, self._environment, [str(flag) for flag in flags])
        )
        self._say("model", "a stand-in that ships with Sightline: no model is behind it, and it answers")
        self._say(
            "", f"{options.speed:.0f} times faster than one would; with OPENAI_API_KEY set, a real one does"
        )
        client = OpenAI(base_url=url, api_key="none", max_retries=1)
        return Provider(client, options.scale or Scale(), options.model, BUDGET_USD, real=False)

    def _traffic(self, name: str, visits: Sequence[Visit], provider: Provider, library: Library) -> None:
        started = time.monotonic()
        counted = self._play(provider, library, visits)
        if not sightline.flush(FLUSH_S):
            raise DemoFailed(f"spans were not sent in {FLUSH_S:.0f} s. Is the machine very busy? Try again")
        if not counted["answered"]:
            raise DemoFailed(
                f"no visit was answered. Does {provider.client.base_url} serve {provider.model}?"
            )
        days = len({visit.day for visit in visits})
        past = f" of {days} days, back-dated," if visits[0].day else " of today"
        self._say(name, f"{len(visits):,} visits{past} in {time.monotonic() - started:.0f} s:")
        self._say("", ", ".join(f"{counted[outcome]:,} {outcome}" for outcome in OUTCOMES))

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

    def _say(self, stage: str, what: str) -> None:
        self._console.print(f"  [bold]{stage:<10}[/bold] ", end="", highlight=False)
        self._console.print(what, markup=False, highlight=False, soft_wrap=True)


def run(options: Options, environment: Mapping[str, str], console: Console) -> int:
    """Run the whole demo; 0 when every stage came to its end, 1 with what to do when one did not, 130 when
    it was interrupted.
    """
    started = time.monotonic()
    console.print("A support desk that answers questions about Sightline, watched by Sightline.\n")
    try:
        with ExitStack() as running:
            Demo(options, environment, console).run(running)
    except DemoFailed as failed:
        console.print(f"sightline demo: {failed}", style="red", markup=False, highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped; the data is incomplete.")
        return 130
    report.next_steps(options.folder, time.monotonic() - started, console)
    return 0


def _own(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without settings that are meant for another collector or another program."""
    kept = {k: v for k, v in environment.items() if not k.startswith(("SIGHTLINE_", "OTEL_"))}
    return kept | {"SIGHTLINE_ALERT_INTERVAL_S": ALERT_INTERVAL_S, "SIGHTLINE_LOG_FORMAT": "json"}

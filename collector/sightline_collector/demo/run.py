"""The demo, stage by stage: each begins where the one before it ended, and says in a line what it did."""

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openai import OpenAI
from rich.console import Console
from rich.progress import Progress

import sightline
from sightline_collector.demo import report
from sightline_collector.demo.alert_receiver import Alert, AlertReceiver, receiving
from sightline_collector.demo.asking import Asking
from sightline_collector.demo.documents import Library, own_documents
from sightline_collector.demo.processes import (
    Addresses,
    DemoFailed,
    collector,
    model_server,
    sightline_command,
)
from sightline_collector.demo.traffic import Traffic
from sightline_collector.demo.visits import CHANGE_DAY, REAL_MODEL_SCALE, Scale, Visit, plan

STORED_S: Final = 60.0  # until the last span can be asked for; 3 s are usual
ALERT_S: Final = 30.0
ALERT_INTERVAL_S: Final = "1"  # the collector's own default is meant for months, not for a demo
FLUSH_S: Final = 60.0
BUDGET_USD: Final = "0.60"  # a day of the support desk costs more than that
REAL_BUDGET_USD: Final = "0.0001"
REAL_MODEL: Final = "gpt-4o-mini"
STAND_IN: Final = (
    "a stand-in that ships with Sightline; no model is behind it (OPENAI_API_KEY: use a real one)"
)


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
        self._budget(at, receiver, provider)
        self._traffic(at, provider)
        asking = Asking(at.http)
        self._stored(asking)
        alerts = self._alerts(receiver)
        report.show(asking, alerts, self._console)

    def _collector(self, running: ExitStack) -> Addresses:
        started = time.monotonic()
        shutil.rmtree(self._options.folder, ignore_errors=True)
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
            return Provider(client, options.scale or REAL_MODEL_SCALE, model, REAL_BUDGET_USD)
        flags = ["--seed", options.seed, "--speed", options.speed, "--changed-from", CHANGE_DAY]
        url = running.enter_context(
            model_server(options.folder, self._environment, [str(flag) for flag in flags])
        )
        self._say("model", STAND_IN)
        return Provider(
            OpenAI(base_url=url, api_key="none", max_retries=1),
            options.scale or Scale(),
            options.model,
            BUDGET_USD,
        )

    def _budget(self, at: Addresses, receiver: AlertReceiver, provider: Provider) -> None:
        budget = ["--usd", provider.budget_usd, "--per", "day", "--feature", "support"]
        flags = [*budget, "--notify", receiver.notify_url, "--url", at.http]
        sightline_command(["budget", "set", *flags], self._environment)
        self._say("budget", f"support may cost {provider.budget_usd} USD a day; alerts go to a local webhook")

    def _traffic(self, at: Addresses, provider: Provider) -> None:
        options, library = self._options, own_documents()
        digests = [p.title for p in library.passages if p.title.startswith("views: ")]
        visits = plan(provider.scale, options.seed, digests, provider.model)
        sightline.init(service_name="support-desk", endpoint=at.otlp)
        started = time.monotonic()
        counted = self._play(provider.client, library, visits)
        if not sightline.flush(FLUSH_S):
            raise DemoFailed(
                f"spans could not be sent in {FLUSH_S:.0f} s. Is the machine very busy? Try again"
            )
        took_s = time.monotonic() - started
        days = f"{len(visits):,} visits of {provider.scale.days} days in {took_s:.0f} s"
        self._say("traffic", f"{days}: {counted}")

    def _play(self, client: OpenAI, library: Library, visits: Sequence[Visit]) -> str:
        with Progress(console=self._console, transient=True, disable=not self._console.is_terminal) as shown:
            task = shown.add_task("traffic", total=len(visits))
            traffic = Traffic(
                client, library, self._options.seed, lambda done: shown.update(task, completed=done)
            )
            traffic.play(visits)
        names = ("answered", "blocked", "failed", "thumbs up", "thumbs down")
        return ", ".join(f"{traffic.counted[name]:,} {name}" for name in names)

    def _stored(self, asking: Asking) -> None:
        """Every span that was sent can be asked for, and none is missing."""
        health, started = sightline.health(), time.monotonic()
        sent = {"spans": health.sent["traces"], "feedback": health.sent["logs"]}
        stored = dict.fromkeys(sent, -1)
        while stored != sent and time.monotonic() < started + STORED_S:
            time.sleep(0.1)
            stored = {view: asking.count(view) for view in sent}
        if stored != sent or health.lost:
            raise DemoFailed(
                f"sent {sent}, stored {stored}, lost {dict(health.lost)}. Ask the view span_loss"
            )
        self._say("stored", f"{sent['spans']:,} spans and {sent['feedback']:,} thumbs: all that was sent")

    def _alerts(self, receiver: AlertReceiver) -> list[Alert]:
        # Apprise calls a critical message a failure: the whole budget is spent.
        alerts = receiver.wait(lambda alert: alert.get("type") == "failure", ALERT_S)
        if not alerts:
            raise DemoFailed("no alert came of the budget. Ask: select * from budget_status")
        self._say("alert", f"{len(alerts)} came to the webhook")
        return alerts

    def _say(self, stage: str, what: str) -> None:
        self._console.print(f"  [bold]{stage:<10}[/bold] ", end="", highlight=False)
        self._console.print(what, markup=False, highlight=False, soft_wrap=True)


def run(options: Options, environment: Mapping[str, str], console: Console) -> int:
    """Run the whole demo; 0 when every stage came to its end, 1 with what to do when one did not."""
    started = time.monotonic()
    console.print("A support desk that answers questions about Sightline, watched by Sightline.\n")
    try:
        with ExitStack() as running:
            Demo(options, environment, console).run(running)
    except DemoFailed as failed:
        console.print(f"sightline demo: {failed}", style="red", markup=False, highlight=False)
        return 1
    finally:
        sightline.shutdown()
    report.next_steps(options.folder, time.monotonic() - started, console)
    return 0


def _own(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without settings that are meant for another collector or another program."""
    kept = {k: v for k, v in environment.items() if not k.startswith(("SIGHTLINE_", "OTEL_"))}
    return kept | {"SIGHTLINE_ALERT_INTERVAL_S": ALERT_INTERVAL_S, "SIGHTLINE_LOG_FORMAT": "json"}

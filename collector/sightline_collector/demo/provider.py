"""Who answers the desk: a provider of the user's own, or the stand-in that ships with Sightline."""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from openai import OpenAI

from sightline_collector.demo.model_server import DAY_HEADER
from sightline_collector.demo.options import Options
from sightline_collector.demo.processes import model_server
from sightline_collector.demo.visits import (
    CHANGE_DAY,
    NEW_PROMPT_DAY,
    OPEN_DAY,
    REAL_MODEL_SCALE,
    Scale,
)

BUDGET_USD: Final = "0.50"  # a day of the support desk costs more than that
REAL_BUDGET_USD: Final = "0.0001"
REAL_MODEL: Final = "gpt-4o-mini"
NEW_PROMPT: Final = {NEW_PROMPT_DAY: "support asks with version 4 of its prompt from here on"}
NEWS: Final = NEW_PROMPT | {
    OPEN_DAY: "the pilot is over: the desk is open to everybody from here on",
    CHANGE_DAY: "gpt-4o-mini writes more and refuses more from here on: does drift_alerts see it?",
}


@dataclass(frozen=True, slots=True)
class Provider:
    """`model` takes the place of all models at a real provider.

    `lines` say on the screen who answers, and `news` what is new on a day.
    """

    client: OpenAI
    scale: Scale
    model: str | None
    budget_usd: str
    real: bool
    lines: Sequence[str]
    news: Mapping[int, str]

    def client_of(self, day: int) -> OpenAI:
        """The client for a day's visits: the stand-in is told which day it plays."""
        if self.real:
            return self.client
        return self.client.with_options(default_headers={DAY_HEADER: str(day)})


def real_provider(options: Options) -> Provider:
    """The one that the official client finds in this process' environment."""
    model = options.model or REAL_MODEL
    client = OpenAI(max_retries=1, api_key=os.environ.get("OPENAI_API_KEY", "none"))
    lines = [f"{model} at {client.base_url}: real calls, so only a few of them"]
    return Provider(client, REAL_MODEL_SCALE, model, REAL_BUDGET_USD, real=True, lines=lines, news=NEW_PROMPT)


def stand_in(options: Options, environment: Mapping[str, str], running: ExitStack) -> Provider:
    """A model server, begun here, which ends with `running`."""
    flags = ["--seed", options.seed, "--speed", options.speed, "--changed-from", CHANGE_DAY]
    url = running.enter_context(model_server(options.folder, environment, [str(flag) for flag in flags]))
    lines = [
        "a stand-in that ships with Sightline: no model is behind it, and it answers",
        f"{options.speed:.0f} times faster than one would; with OPENAI_API_KEY set, a real one does",
    ]
    client = OpenAI(base_url=url, api_key="none", max_retries=1)
    return Provider(client, Scale(), None, BUDGET_USD, real=False, lines=lines, news=NEWS)

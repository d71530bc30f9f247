"""The demo as a whole: a collector is begun, the stages run against it, and all that was begun ends."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

from rich.console import Console

from sightline_collector.commands.termination import undone
from sightline_collector.demo import data_folder, report
from sightline_collector.demo.options import Options, has_provider
from sightline_collector.demo.processes import DemoFailed, collector

STOPPED: Final = "\nStopped; the data is incomplete."
ALERT_INTERVAL_S: Final = "2"  # the collector's own default is meant for months, not for a demo


def run(options: Options, environment: Mapping[str, str], console: Console) -> int:
    """Run the whole demo; 0 when every stage came to its end, 1 with what to do when one did not, 130 when
    it was interrupted. Raises SystemExit when it was told to end.
    """
    started = time.monotonic()
    console.print("A support desk that answers questions about Sightline, watched by Sightline.\n")
    try:
        with undone(), ExitStack() as running:
            _run(options, environment, console, running)
            console.print("\nStopping the collector")
    except DemoFailed as failed:
        console.print(f"sightline demo: {failed}", style="red", markup=False, highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print(STOPPED)
        return 130
    except SystemExit:
        console.print(STOPPED)
        raise
    report.next_steps(options.folder, time.monotonic() - started, console)
    return 0


def _run(options: Options, environment: Mapping[str, str], console: Console, running: ExitStack) -> None:
    if options.model and not has_provider(environment):
        hint = "set OPENAI_BASE_URL or OPENAI_API_KEY, or leave --model out"
        raise DemoFailed(f"the stand-in cannot play {options.model}: {hint}")
    own = _own(environment)
    data_folder.clear(options.folder)
    report.say(console, "folder", f"{options.folder}, where a collector begins with an empty store")
    ready = running.enter_context(collector(options.folder, own))
    # The official client takes a second to be imported, and the collector longer to start.
    from sightline_collector.demo.stages import Stages

    Stages(options, own, console).run(ready, running)


def _own(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without settings that are meant for another collector or another program."""
    kept = {k: v for k, v in environment.items() if not k.startswith(("SIGHTLINE_", "OTEL_"))}
    return kept | {"SIGHTLINE_ALERT_INTERVAL_S": ALERT_INTERVAL_S, "SIGHTLINE_LOG_FORMAT": "json"}

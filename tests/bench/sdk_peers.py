"""What observing one decorated model call costs with each SDK: OpenTelemetry by hand, Sightline, others.

Each runs in an environment of its own and a process of its own, one after the other, over and over, all into
one sink. The step is the same (`sdk_peer_step`), recorded as each SDK's documentation shows; what is not at
its default is said at the top of its program. Figures of a system are medians over all its turns:

    caller us   CPU of the program's own thread, a step
    all us      CPU of the whole process, a step, until the sink has every span
    init s      CPU of import and setup
    first s     the same and the first step, until it was sent: what is put off comes due here
    start MB    memory after import and setup
    warm MB     memory after some steps
    peak MB     the most memory it held, burst included
    lost        spans of a burst that never came, the sink taking 50 ms a request; and at most, of all repeats
    emit s      how long the program's thread took over that burst, waiting included
"""

from __future__ import annotations

import os
import statistics
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import otlp_sink
from tests.bench.environments import REPOSITORY, PeerMissing, environment_of
from tests.bench.sdk_peer_process import PeerFailed, observing

WARM_UP = 200
TURNS, TURN = 3, 500
"""Steps of a turn: fewer than any queue holds, so that all that is counted was also sent."""
BURST = 10_000
SLOW_S = 0.05
"""What a request takes in a burst."""
BY_HAND = "OpenTelemetry by hand"
MOST = ", most"
_US = 1e6


@dataclass(frozen=True, slots=True)
class System:
    """An SDK: the program that observes with it, and what must be installed for it."""

    name: str
    program: str
    packages: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)


def _ours() -> tuple[str, ...]:
    """Sightline as it stands here; new dependencies make a new environment."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    pins = ("--constraint", str(REPOSITORY / "constraints.txt"))
    return (*pins, *project["dependencies"], "--editable", str(REPOSITORY))


SYSTEMS = (
    System(
        BY_HAND,
        "opentelemetry",
        ("opentelemetry-sdk==1.45.2", "opentelemetry-exporter-otlp-proto-http==1.45.2"),
    ),
    System("Sightline, masked", "sightline", _ours()),
    System("Sightline, full", "sightline", _ours(), {"SIGHTLINE_BENCH_CONTENT": "full"}),
    System("Langfuse", "langfuse", ("langfuse==5.0.4",)),
    System("Logfire", "logfire", ("logfire==5.2.0",)),
    System("OpenLIT", "openlit", ("openlit==1.45.0",)),
    System("Traceloop", "traceloop", ("traceloop-sdk==0.62.4", "httpx==0.28.1")),
    System("Laminar", "laminar", ("lmnr==0.8.2",)),
    System("Opik", "opik", ("opik==2.2.122",)),
    System(
        "MLflow",
        "mlflow",
        ("mlflow-tracing==3.17.2", "opentelemetry-exporter-otlp-proto-http==1.45.2"),
    ),
)


def measure(repeats: int) -> dict[str, float]:
    """Medians by system and figure; a system that cannot be measured is a line with the reason."""
    samples: dict[str, list[float]] = defaultdict(list)
    failed: set[str] = set()
    with otlp_sink.running() as sink:
        for _ in range(repeats):
            for system in SYSTEMS:
                if system.name in failed:
                    continue
                try:
                    for figure, values in _once(system, sink).items():
                        samples[f"{system.name}: {figure}"] += values
                except (PeerMissing, PeerFailed) as e:
                    failed.add(system.name)
                    print(f"  {system.name}: not run: {e}", flush=True)
    whole = {key: values for key, values in samples.items() if key.rpartition(": ")[0] not in failed}
    return {key: (max if key.endswith(MOST) else statistics.median)(values) for key, values in whole.items()}


def _once(system: System, sink: otlp_sink.Sink) -> dict[str, list[float]]:
    """One process of a system: import, a few turns, and the burst."""
    python = environment_of(f"sdk-{system.program}", system.packages) / "bin" / "python"
    with TemporaryDirectory(prefix="sightline-bench-sdk-") as folder:
        settings = {"HOME": folder, "PATH": os.environ["PATH"], **system.settings}
        sink.take_time(0)
        with observing(python, system.program, Path(folder), settings, sink) as program:
            first = program.turn(1)
            warm = program.turn(WARM_UP)
            turns = [program.turn(TURN) for _ in range(TURNS)]
            if missing := sum(turn.lost for turn in turns):
                raise PeerFailed(f"{missing} of {TURNS * TURN} spans never came in quiet turns")
            sink.take_time(SLOW_S)
            burst = program.turn(BURST)
            return {
                "caller us": [turn.caller_s / TURN * _US for turn in turns],
                "all us": [turn.all_s / TURN * _US for turn in turns],
                "init s": [program.init_cpu_s],
                "first s": [program.init_cpu_s + first.all_s],
                "start MB": [program.rss_mb],
                "warm MB": [warm.rss_mb],
                "peak MB": [burst.peak_mb],
                "lost": [burst.lost],
                f"lost{MOST}": [burst.lost],
                "emit s": [burst.wall_s],
            }

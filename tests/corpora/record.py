"""Records what a dialect's emitter really sends: `python -m tests.corpora.record DIALECT ...`.

In an environment of its own, against a model server and an OTLP sink on loopback, the dialect's `make.py` is
run; what the sink took is written beside it, scrubbed of this machine: `requests.binpb`, and `logs.binpb`
where the dialect sends logs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.bench.environments import REPOSITORY, environment_of

from . import recording
from .model_server import model_server
from .node_environment import PACKAGES, PROGRAM, node_environment
from .otlp_sink import Received, otlp_sink
from .scrub import scrub, words_of_here

CORPORA = Path(__file__).parent
FILES = {
    "traces": ("requests.binpb", ExportTraceServiceRequest),
    "logs": ("logs.binpb", ExportLogsServiceRequest),
}
RUN_S = 300


def record(dialect: str) -> None:
    """Raises SystemExit when the program fails, PeerMissing when its environment cannot be made."""
    folder = CORPORA / dialect
    environment, command, cwd = program(dialect, folder)
    with model_server() as models, otlp_sink() as sink:
        failed = run(command, cwd, addresses(models, sink.url))
    if failed:
        sys.exit(f"{dialect}: {failed}")
    keep(sink, folder, words_of_here(environment, folder, REPOSITORY))


def program(dialect: str, folder: Path) -> tuple[Path, list[str], Path]:
    """The environment, the command and the folder to run it in; where there is a package.json, on Node."""
    name = f"corpus-{dialect}"
    if (folder / PACKAGES).exists():
        environment = node_environment(name, folder)
        return environment, ["node", PROGRAM], environment
    requirements = (folder / "requirements.txt").read_text("utf8").splitlines()
    environment = environment_of(name, [line for line in requirements if line])
    return environment, [str(environment / "bin" / "python"), "make.py"], folder


def run(command: list[str], folder: Path, surroundings: Mapping[str, str]) -> str:
    """Run the program; why it failed, or ''."""
    env = {**os.environ, **surroundings}
    try:
        code = subprocess.run(command, cwd=folder, env=env, timeout=RUN_S).returncode
    except subprocess.TimeoutExpired:
        return f"{command[-1]} had not ended after {RUN_S} seconds"
    return f"{command[-1]} ended with {code}" if code else ""


def addresses(models: str, sink: str) -> Mapping[str, str]:
    """The environment variables by which programs find their servers, and nothing beyond them."""
    return {
        "OPENAI_BASE_URL": f"{models}/v1",
        "OPENAI_API_KEY": "k",
        "ANTHROPIC_BASE_URL": models,
        "ANTHROPIC_API_KEY": "k",
        "GOOGLE_GEMINI_BASE_URL": models,
        "GOOGLE_API_KEY": "k",
        "MISTRAL_BASE_URL": models,
        "MISTRAL_API_KEY": "k",
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_SERVICE_NAME": "corpus",
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def keep(sink: Received, folder: Path, words: Mapping[str, str]) -> None:
    """Write what came, and say how much."""
    for signal, (name, kind) in FILES.items():
        requests = [kind.FromString(body) for body in sink.bodies[signal]]
        for request in requests:
            scrub(request, words)
        file = folder / name
        file.unlink(missing_ok=True)
        if requests:
            recording.write(file, [request.SerializeToString() for request in requests])
            print(f"{file.relative_to(REPOSITORY)}: {len(requests)} requests, {file.stat().st_size} bytes")


if __name__ == "__main__":
    for dialect in sys.argv[1:]:
        record(dialect)

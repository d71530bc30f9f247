"""The package as a whole: its public names, its weight, its manners."""

import ast
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import sightline

SOURCE = Path(sightline.__file__).parent
PUBLIC = [
    "Budget",
    "BudgetExceeded",
    "Cap",
    "ConfigurationError",
    "GuardrailTripped",
    "Health",
    "LLMCall",
    "Privacy",
    "Sampling",
    "Score",
    "SightlineError",
    "agent",
    "budget",
    "context",
    "evaluate",
    "evaluator",
    "feedback",
    "flush",
    "flush_on_signals",
    "flushed",
    "guardrail",
    "health",
    "init",
    "llm",
    "llm_call",
    "logs",
    "prompt",
    "record_outcome",
    "retrieval",
    "score",
    "shadow",
    "shutdown",
    "stage",
    "step",
    "tool",
    "traceparent",
    "variant",
    "workflow",
]


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported_by(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever the import stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_the_public_names_are_these() -> None:
    """A name that users rest on neither comes nor goes unnoticed."""
    assert sightline.__all__ == PUBLIC
    assert all(hasattr(sightline, name) for name in PUBLIC)


def test_the_package_is_typed() -> None:
    """Type checkers read our annotations."""
    assert (SOURCE / "py.typed").exists()


def test_importing_and_starting_load_nothing_heavy() -> None:
    """Import and init load none of the libraries that cost more than they do themselves."""
    program = """
import sys
import sightline
sightline.init()
heavy = {"httpcore2", "requests", "grpc", "genai_prices", "tiktoken", "pydantic", "openai", "google.protobuf"}
print(*(heavy & set(sys.modules)))
"""
    assert run(program).split() == []


def installed_with(package: str) -> set[str]:
    """The packages that a package's plain install brings, itself included."""
    found: set[str] = set()
    waiting = [package]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found.add(name)
            needed = map(Requirement, distribution(name).requires or ())
            waiting += [
                each.name for each in needed if not each.marker or each.marker.evaluate({"extra": ""})
            ]
    return found


def test_the_plain_install_is_small() -> None:
    """Beside what OpenTelemetry's SDK and exporter bring there are ten packages, most of them for prices."""
    others = installed_with("opentelemetry-sdk") | installed_with("opentelemetry-exporter-otlp")
    assert len(installed_with("sightline") - others - {"sightline"}) <= 10


def test_importing_and_starting_touch_no_network() -> None:
    """A program that may open no socket imports and starts the SDK, records a span, and runs on."""
    program = """
import os, socket
opened = []
def refuse(*args, **kwargs):
    opened.append(args)
    raise OSError("no socket may be opened")
socket.socket.connect = socket.getaddrinfo = refuse
import sightline
sightline.init(instrument="auto")
@sightline.step
def work(): return 1
print(work(), opened, flush=True)
os._exit(0)
"""
    assert run(program).strip() == "1 []"


def test_the_sdk_never_imports_the_collector() -> None:
    """The way of a span goes downhill only."""
    imports = {path.name: imported_by(path) for path in SOURCE.rglob("*.py")}
    assert "__init__.py" in imports
    assert [
        name for name, names in imports.items() if any(n.startswith("sightline_collector") for n in names)
    ] == []


def test_the_pure_modules_do_no_io() -> None:
    """The contract imports nothing; the others no clock, socket, file or environment."""
    assert imported_by(SOURCE / "attributes.py") == {"typing", "typing.Final"}
    for name in ("usage", "pricing", "latency", "_messages"):
        roots = {module.split(".")[0] for module in imported_by(SOURCE / f"{name}.py")}
        assert not roots & {
            "os",
            "io",
            "socket",
            "time",
            "pathlib",
            "logging",
            "threading",
            "opentelemetry",
        }, name


def test_the_environment_is_read_in_one_place() -> None:
    """Settings are read by `_settings` and `_delivery.destination`; elsewhere only what is not ours."""
    readers = {p.name for p in SOURCE.rglob("*.py") if "os.environ" in p.read_text()}
    assert readers == {
        "_settings.py",
        "destination.py",  # OTEL_EXPORTER_OTLP_*
        "_safety.py",  # SIGHTLINE_STRICT, read when a fault happens
        "_vocabulary.py",  # tiktoken's own cache folder
        "_switches.py",  # tells libraries and their instrumentations what to record
    }


def test_every_attribute_has_one_name() -> None:
    """No attribute of the contract is listed twice, and ours are ours by their prefix."""
    from sightline import attributes

    names = [
        value
        for key, value in vars(attributes).items()
        if key.isupper() and isinstance(value, str) and "." in value
    ]
    assert len(names) == len(set(names))
    roots = (
        "sightline.", "gen_ai.", "user.", "session.", "error.", "http.", "url.", "openai.", "anthropic.",
        "code.", "thread.", "exception.",
    )  # fmt: skip
    assert all(name.startswith(roots) for name in names)


def test_no_attribute_is_written_by_hand_elsewhere() -> None:
    """Our own attribute names stand in the contract file only."""
    written = {
        path.name
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("sightline.")
        and not set(" \n") & set(node.value)
    }
    assert written == {"attributes.py"}

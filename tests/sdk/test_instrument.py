"""Which libraries are instrumented, by what, and what is said of it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import pytest
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]
from opentelemetry.sdk.trace import TracerProvider
from sdk.clients import ASK
from sdk.servers import ChatModel, completion, streamed

import sightline
from sightline import _safety, testing
from sightline.instrument import KNOWN
from sightline.instrument._libraries import Library, switches_of
from sightline.instrument._loading import Loading, instrumented_by_others
from sightline.instrument._packages import instrumentor_of, is_at_least, is_installed, named_in

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
OWN_SPANS = "ANTHROPIC_OPEN_TELEMETRY"
HIDE = "OPENINFERENCE_HIDE_INPUTS"


def run(program: str, **environment: str) -> str:
    """What a program of a user's prints, to its normal end."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_auto_finds_what_is_installed_and_imports_none_of_it() -> None:
    """Each library that is there is seen to, and none is loaded before the program does so."""
    program = """
import sys, sightline
sightline.init()
print(*sightline.health().instrumented)
heavy = "openai anthropic google.genai litellm langchain_core agents pydantic_ai mcp mistralai botocore"
print(*(set(heavy.split()) & set(sys.modules)), "none")
"""
    found, loaded = run(program).splitlines()
    assert {"threads", "openai", "anthropic", "google-genai", "litellm", "langchain"} <= set(found.split())
    assert {"openai-agents", "pydantic-ai", "mcp", "mistralai"} <= set(found.split())
    assert loaded.split() == ["none"]


def test_without_wrapt_a_library_has_its_own_spans() -> None:
    """What instruments a library brings wrapt along; where nothing did, nothing of ours fails."""
    program = """
import sys
sys.modules["wrapt"] = None
import sightline
sightline.init(instrument=["threads", "anthropic"], budget=sightline.Budget(per_trace=1))
import anthropic
print(*sightline.health().instrumented, sightline.health().faults)
"""
    assert run(program).split() == ["threads", "anthropic", "{}"]


def test_what_is_instrumented_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """In one line of the log, and in health()."""
    caplog.set_level(logging.INFO, "sightline")
    sightline.init(endpoint="http://127.0.0.1:9", instrument=["threads", "anthropic"])
    assert "Sightline instruments: threads, anthropic" in caplog.messages
    assert sightline.health().instrumented == ("threads", "anthropic")


def test_instrumenting_nothing_is_a_choice(caplog: pytest.LogCaptureFixture) -> None:
    """`instrument=False` touches no library."""
    caplog.set_level(logging.INFO, "sightline")
    sightline.init(endpoint="http://127.0.0.1:9", instrument=False)
    assert sightline.health().instrumented == ()
    assert "Sightline instruments: nothing" in caplog.messages


def test_a_library_that_is_missing_is_said_when_it_was_named(caplog: pytest.LogCaptureFixture) -> None:
    """Asked for by name, and not installed."""
    with testing.capture(instrument_libraries=["crewai"]):
        pass
    assert "Sightline cannot instrument crewai: not installed" in caplog.messages


def test_an_instrumentation_that_is_missing_is_named_as_pip_names_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The library is there, what makes its spans is not: the next step is a command."""
    caplog.set_level(logging.INFO, "sightline")
    with testing.capture(instrument_libraries=["cohere"]):
        pass
    assert (
        "Sightline cannot instrument cohere: pip install openinference-instrumentation-cohere"
        in caplog.messages
    )
    caplog.clear()
    sightline.init(endpoint="http://127.0.0.1:9")
    (line,) = [line for line in caplog.messages if "cohere" in line]
    assert line == "Sightline does not see cohere: pip install openinference-instrumentation-cohere"


def test_a_library_too_old_for_spans_of_its_own_needs_an_instrumentation(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anthropic's client makes its own since 1.14; before, OpenTelemetry's instrumentation does."""
    monkeypatch.setitem(KNOWN, "anthropic", replace(KNOWN["anthropic"], spans_since="99"))
    with testing.capture(instrument_libraries=["anthropic"]):
        pass
    assert caplog.messages == [
        "Sightline cannot instrument anthropic: pip install opentelemetry-instrumentation-genai-anthropic"
    ]


def test_a_library_that_somebody_else_instruments_is_left(caplog: pytest.LogCaptureFixture) -> None:
    """Two instrumentations would tell of each call twice."""
    caplog.set_level(logging.INFO, "sightline")
    theirs = instrumentor_of("opentelemetry-instrumentation-genai-openai")()
    import openai

    theirs.instrument(tracer_provider=TracerProvider(shutdown_on_exit=False))
    owner = openai.resources.chat.completions.Completions
    before = vars(owner)["create"]
    try:
        assert instrumented_by_others(("openai",)) == "opentelemetry.instrumentation.genai.openai"
        sightline.init(endpoint="http://127.0.0.1:9", instrument=["openai"])
        assert vars(owner)["create"] is before
        assert sightline.health().instrumented == ("threads",)
        sightline.shutdown()
        assert vars(owner)["create"] is before
    finally:
        theirs.uninstrument()
    (line,) = [line for line in caplog.messages if "leaves openai" in line]
    assert line.endswith("as it is: opentelemetry.instrumentation.genai.openai instruments it already")


def test_a_fault_on_the_way_is_not_called_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is imported as without us, the fault is counted, and health() does not name it."""
    monkeypatch.delenv("SIGHTLINE_STRICT")
    import anthropic

    assert anthropic
    broken = Library("broken", "anthropic", ("anthropic",), spans_since="0", ours="no_such_file")
    loading = Loading(broken, (), wiring())
    loading.start()
    assert not loading.at_work
    assert sightline.health().faults == {"Loading._begun": 1}
    _safety.forget_faults()


def test_own_spans_are_silent_where_somebody_else_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client with spans of its own, instrumented by another tool, would tell of each call twice."""
    import anthropic

    class Theirs(BaseInstrumentor):  # type: ignore[misc]
        def instrumentation_dependencies(self) -> list[str]:
            return ["Anthropic>=1"]

        def _instrument(self, **kwargs: Any) -> None:
            """Somebody's spans."""

        _uninstrument = _instrument

    assert anthropic
    monkeypatch.delenv(OWN_SPANS, raising=False)
    theirs = Theirs()
    theirs.instrument(skip_dep_check=True)
    with testing.capture(instrument_libraries=["anthropic"]):
        assert os.environ[OWN_SPANS] == "false"
    theirs.uninstrument()
    assert OWN_SPANS not in os.environ


def test_the_first_instrumentation_that_fits_the_version_is_taken() -> None:
    """OpenTelemetry's wants an older google-genai than the one here: OpenInference's takes its place."""
    import google.genai

    assert google.genai
    first = instrumentor_of(KNOWN["google-genai"].instrumentations[0])
    second = instrumentor_of(KNOWN["google-genai"].instrumentations[1])
    with testing.capture(instrument_libraries=["google-genai"]):
        assert not first().is_instrumented_by_opentelemetry
        assert second().is_instrumented_by_opentelemetry
    assert not second().is_instrumented_by_opentelemetry


def test_a_library_that_nothing_fits_is_left(caplog: pytest.LogCaptureFixture) -> None:
    """What is wanted instead is said."""
    only_otel = Library(
        "google-genai", "google.genai", ("google-genai",), KNOWN["google-genai"].instrumentations[:1]
    )
    import google.genai

    assert google.genai
    loading = Loading(only_otel, only_otel.instrumentations, wiring())
    loading.start()
    assert not loading.at_work
    loading.undo()
    (line,) = caplog.messages
    assert line.startswith(
        "Sightline leaves google-genai as it is: opentelemetry-instrumentation-google-genai wants"
    )


def wiring() -> Any:
    from opentelemetry.sdk._logs import LoggerProvider

    from sightline.instrument import Wiring

    return Wiring(TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False), True, True)


@pytest.mark.parametrize(
    ("content", "expected"), [("full", ("SPAN_ONLY", None)), ("off", ("NO_CONTENT", "true"))]
)
def test_instrumentations_are_told_what_to_record(
    monkeypatch: pytest.MonkeyPatch, content: Any, expected: tuple[str, str | None]
) -> None:
    """Content goes on spans, where our guard decides what leaves, or nowhere; afterwards all is as before."""
    monkeypatch.delenv(HIDE, raising=False)
    with testing.capture(instrument_libraries=["openai", "litellm"], content=content):
        assert (os.environ[CAPTURE], os.environ.get(HIDE)) == expected
    assert CAPTURE not in os.environ
    assert HIDE not in os.environ


def test_what_the_user_told_an_instrumentation_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set already is neither changed nor removed."""
    monkeypatch.setenv(CAPTURE, "EVENT_ONLY")
    with testing.capture(instrument_libraries=["openai"]):
        assert os.environ[CAPTURE] == "EVENT_ONLY"
    assert os.environ[CAPTURE] == "EVENT_ONLY"


def test_agents_are_turned_on_and_off_again() -> None:
    """Pydantic AI makes its own spans while we are there, unless the program has said what it wants."""
    from pydantic_ai import Agent

    assert Agent._instrument_default is False
    with testing.capture(instrument_libraries=["pydantic-ai"]):
        assert Agent._instrument_default
    assert Agent._instrument_default is False
    Agent.instrument_all(True)
    with testing.capture(instrument_libraries=["pydantic-ai"]):
        assert Agent._instrument_default is True
    assert Agent._instrument_default is True
    Agent.instrument_all(False)


def test_a_server_of_tools_is_seen_by_its_own_spans() -> None:
    """MCP takes the global provider; a captured one gets its spans as well, under the caller's."""
    from mcp import Client
    from mcp.server import MCPServer

    server = MCPServer("shop")

    @server.tool()
    def search(question: str) -> str:
        """Look it up."""
        return f"found {question}"

    async def main() -> None:
        async with Client(server) as client:
            with sightline.stage("asking"):
                await client.call_tool("search", {"question": "x"})

    with testing.capture(instrument_libraries=["mcp"]) as seen:
        asyncio.run(main())
    tool = seen.span("tools/call search")
    assert tool.parent_span_id == seen.span("asking").span_id
    assert tool.attributes["gen_ai.operation.name"] == "execute_tool"


@pytest.mark.parametrize("name", KNOWN)
def test_a_row_says_all_that_is_needed(name: str) -> None:
    """A library has packages that mean it, and something that makes its spans."""
    library = KNOWN[name]
    assert library.name == name
    assert bool(library.packages) is bool(library.module)
    assert library.instrumentations or library.spans_since or library.ours
    assert all(switches_of(package) for package in library.instrumentations)
    assert all(named_in(package) == package for package in library.packages)


def test_versions_are_compared_as_numbers() -> None:
    """1.14 is later than 1.9; a package that is not there is of no version."""
    assert is_at_least("anthropic", "1.9")
    assert is_at_least("anthropic", version("anthropic"))
    assert not is_at_least("anthropic", "99")
    assert not is_at_least("no-such-package", "0")
    assert is_installed("anthropic")
    assert not is_installed("no-such-package")


@pytest.mark.parametrize(
    ("requirement", "package"),
    [("openai >= 1.26.0, < 4", "openai"), ("langchain_core>=0.1", "langchain-core"), ("", "")],
)
def test_the_package_of_a_requirement_is_found(requirement: str, package: str) -> None:
    """However it is spelled."""
    assert named_in(requirement) == package


def test_thread_pools_keep_parents_whatever_else_is_named() -> None:
    """A list of libraries leaves nothing out of the traces that they are in."""
    with testing.capture(instrument_libraries=["openai"]) as seen:
        with sightline.stage("outer"), ThreadPoolExecutor() as pool:
            pool.submit(sightline.step(lambda: None)).result()
        inner, outer = seen.spans
    assert inner.parent_span_id == outer.span_id


def test_a_captured_mistral_client_is_seen(model: ChatModel) -> None:
    """Its spans go where everything goes, also where the provider is not the global one."""
    model.script = [lambda request: (200, completion(model="mistral-large-latest"))]
    with testing.capture(instrument_libraries=["mistralai"]) as seen:
        ASK["mistral"](model.root_url, False)
    assert [span.attributes["gen_ai.operation.name"] for span in seen.spans] == ["chat"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_is_on_litellms_spans(model: ChatModel, stream: bool) -> None:
    """Two watch a stream's span, and what both found is on it: the prompt, and the tokens."""
    pytest.importorskip("litellm")
    model.script = [streamed if stream else lambda request: (200, completion())]
    greet = sightline.prompt("greet", "Hello {{name}}")
    with testing.capture(instrument_libraries=["litellm"]) as seen, greet.using(name="Ann") as text:
        answer = litellm_answer(model, text, stream=stream)
        if stream:
            next(iter(answer))
            del answer
            gc.collect()
    values = seen.spans[0].attributes
    assert values["gen_ai.prompt.variable.name"] == "Ann"
    assert "sightline.prompt.template" in values
    assert values.get("sightline.usage.estimated", False) is stream


def litellm_answer(model: ChatModel, text: str, *, stream: bool) -> Any:
    import litellm

    messages = [{"role": "user", "content": text}]
    return litellm.completion(
        "openai/gpt-4o-mini", messages, api_base=model.base_url, api_key="k", stream=stream
    )

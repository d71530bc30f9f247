"""`init()`: what it reads, refuses, joins and leaves alone."""

import os
from typing import Any

import pytest
from opentelemetry import trace
from sdk.programs import run, work
from sdk.servers import OtlpSink, attributes_of

import sightline
from sightline import _settings
from sightline._pipeline import Pipeline
from sightline._settings import Settings


def test_the_default_is_the_collector_on_this_machine() -> None:
    """Without a word from anyone spans go to 127.0.0.1:4318."""
    settings = _settings.read(None, None, "masked", "auto", {}, True)
    assert settings.destination.traces.url == "http://127.0.0.1:4318/v1/traces"
    assert settings.destination.logs.url == "http://127.0.0.1:4318/v1/logs"


def test_opentelemetrys_variables_are_honoured(sink: OtlpSink) -> None:
    """Endpoint, headers, service name and resource come from the environment when nobody says more."""
    run(
        "import sightline\nsightline.init(instrument=False)\nwith sightline.stage('s'): pass",
        OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
        OTEL_EXPORTER_OTLP_HEADERS="authorization=k",
        OTEL_SERVICE_NAME="named",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=prod",
    )
    resource = attributes_of(sink.traces[0].resource_spans[0].resource)
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("named", "prod")
    assert sink.headers[0]["authorization"] == "k"


def test_arguments_win_over_the_environment(sink: OtlpSink) -> None:
    """What the program says counts."""
    run(
        f"import sightline\nsightline.init('said', {sink.url!r}, instrument=False)\n"
        "with sightline.stage('s'): pass",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        OTEL_SERVICE_NAME="named",
    )
    assert attributes_of(sink.traces[0].resource_spans[0].resource)["service.name"] == "said"


def test_a_disabled_sdk_does_nothing(sink: OtlpSink) -> None:
    """OTEL_SDK_DISABLED turns everything off."""
    run(
        f"import sightline\nsightline.init(endpoint={sink.url!r})\nwith sightline.stage('s'): pass\n"
        "assert not sightline.health().initialised",
        OTEL_SDK_DISABLED="true",
    )
    assert sink.paths == []


@pytest.mark.parametrize(
    ("settings", "variables", "message"),
    [
        ({"content": "some"}, {}, "content is 'some'; it may be one of full, masked, hashed, off"),
        ({"instrument": ["opnai"]}, {}, 'instrument names opnai; it may be "auto", False, or a list of'),
        ({"instrument": "openai"}, {}, None),
        ({}, {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "OTEL_EXPORTER_OTLP_PROTOCOL is 'http/json'"),
        (
            {},
            {"OTEL_BSP_MAX_QUEUE_SIZE": "many"},
            "OTEL_BSP_MAX_QUEUE_SIZE is 'many'; it must be a whole number",
        ),
        ({}, {"OTEL_BSP_MAX_QUEUE_SIZE": "\u00b2"}, "must be a whole number above 0"),
        ({}, {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "abc"}, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT is 'abc'"),
        ({}, {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "0"}, "must be a whole number above 0"),
    ],
)
def test_a_wrong_setting_is_refused_in_words(
    settings: Any, variables: dict[str, str], message: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the setting, its value, and what it may be."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if message is None:
        sightline.init(endpoint="http://127.0.0.1:9", **settings)
        return
    with pytest.raises(sightline.ConfigurationError, match=message):
        sightline.init(**settings)
    assert not sightline.health().initialised


def test_a_second_init_changes_nothing(sink: OtlpSink, caplog: pytest.LogCaptureFixture) -> None:
    """Called again it is quiet; called otherwise it warns; spans are sent once."""
    sightline.init(endpoint=sink.url, instrument=False)
    sightline.init(endpoint=sink.url, instrument=False)
    assert caplog.text == ""
    sightline.init(endpoint="http://127.0.0.1:9", instrument=False)
    assert "the first ones stay" in caplog.text
    work()
    assert sightline.flush()
    assert len(sink.spans) == 1


def test_an_init_within_an_init_changes_nothing(sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is imported by `init()` may call it: nothing hangs, and spans are sent once."""
    started = Pipeline.started

    def importing_more(settings: Settings) -> Pipeline:
        sightline.init("inner", endpoint=sink.url, instrument=False)
        return started(settings)

    monkeypatch.setattr(Pipeline, "started", importing_more)
    sightline.init("outer", endpoint=sink.url, instrument=False)
    work()
    assert sightline.flush()
    assert len(sink.spans) == 1


FORKING = """
import faulthandler, os, threading, sightline
from sightline._pipeline import Pipeline
held, go_on, started = threading.Event(), threading.Event(), Pipeline.started
def slow(settings):
    held.set()
    go_on.wait(20)
    return started(settings)
Pipeline.started = slow
init = lambda: sightline.init(endpoint="http://127.0.0.1:9", instrument=False)
thread = threading.Thread(target=init)
thread.start()
held.wait(20)
child = os.fork()
if child == 0:
    faulthandler.dump_traceback_later(20, exit=True)
    sightline.shutdown()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
go_on.set()
thread.join()
print("both went on")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_child_forked_in_the_middle_of_init_can_go_on() -> None:
    """The thread that was in it is not there: the child shuts down without waiting for it."""
    assert run(FORKING) == "both went on\n"


def test_after_a_shutdown_it_starts_again(sink: OtlpSink) -> None:
    """Between shutdown and the next init nothing is recorded; then spans arrive again, each once."""
    for round_number in range(3):
        sightline.init(endpoint=sink.url, instrument=False)
        work()
        sightline.shutdown()
        work()
        assert len(sink.spans) == round_number + 1
    sightline.shutdown()


def test_an_existing_provider_is_joined(sink: OtlpSink) -> None:
    """The program's provider, resource and exporters stay; its spans and ours are one tree, all stamped."""
    program = f"""
import sightline
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
theirs = InMemorySpanExporter()
provider = TracerProvider(resource=Resource.create({{"service.name": "theirs"}}))
provider.add_span_processor(SimpleSpanProcessor(theirs))
trace.set_tracer_provider(provider)
sightline.init("ours", {sink.url!r}, instrument=False)
with sightline.context(user_id="u1"), trace.get_tracer("t").start_as_current_span("outer"):
    with sightline.stage("inner"): pass
provider.force_flush()
assert trace.get_tracer_provider() is provider
assert [span.name for span in theirs.get_finished_spans()] == ["inner", "outer"]
"""
    run(program)
    inner, outer = sink.spans
    assert (inner.name, inner.parent_span_id) == ("inner", outer.span_id)
    assert attributes_of(outer)["user.id"] == "u1"
    assert attributes_of(sink.traces[0].resource_spans[0].resource)["service.name"] == "theirs"


def test_a_provider_that_is_not_opentelemetrys_is_left_alone(
    sink: OtlpSink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Beside a foreign implementation our own spans still arrive, and the log says what is missing."""
    monkeypatch.setattr(trace, "get_tracer_provider", trace.NoOpTracerProvider)
    sightline.init(endpoint=sink.url, instrument=False)
    work()
    assert sightline.flush()
    assert "only Sightline's spans are seen" in caplog.text
    assert len(sink.spans) == 1


def test_health_tells_how_it_goes(sink: OtlpSink) -> None:
    """Sent, waiting, lost, instrumented: the numbers of this process."""
    assert sightline.health() == sightline.Health(False)
    sightline.init(endpoint=sink.url, instrument=["threads"])
    work()
    assert sightline.flush()
    assert sightline.health() == sightline.Health(
        initialised=True,
        instrumented=("threads",),
        sent={"traces": 1, "logs": 0},
        queued={"traces": 0, "logs": 0, "evaluations": 0},
        bounds={"queued": 20_000, "queued_bytes": 128 * 1024 * 1024},
    )

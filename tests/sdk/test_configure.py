"""`init()`: what it builds, from what, and what reaches the collector."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from sdk.servers import OtlpSink, attributes_of, otlp_sink

import sightline
from sightline import _configure
from sightline._destination import destination


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


def run(program: str, **environment: str) -> str:
    """Run a program of a user's, to its normal end."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def unused_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@sightline.step
def work(label: str = "") -> str:
    return label


# -- what reaches the collector --------------------------------------------------------------------


def test_a_span_reaches_the_collector(sink: OtlpSink) -> None:
    """From decorator to wire: ids, name, attributes and times, over OTLP/HTTP with protobuf."""
    sightline.init("shop", sink.url, instrument=False)
    with sightline.context(user_id="u1"):
        work("x")
    assert sightline.flush()
    (span,) = sink.spans
    assert (sink.paths, sink.headers[0]["content-type"]) == (["/v1/traces"], "application/x-protobuf")
    assert (span.name, len(span.trace_id), len(span.span_id)) == ("work", 16, 8)
    assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano
    assert attributes_of(span) == {
        "sightline.operation": "step",
        "sightline.input": '{"label":"x"}',
        "sightline.output": '"x"',
        "user.id": "u1",
    }


def test_headers_are_sent(sink: OtlpSink) -> None:
    """An API key reaches the collector with every request."""
    sightline.init(endpoint=sink.url, headers={"authorization": "Bearer k"}, instrument=False)
    work()
    assert sightline.flush()
    assert sink.headers[0]["authorization"] == "Bearer k"


def test_a_burst_of_ten_thousand_loses_nothing(sink: OtlpSink) -> None:
    """With default settings, and a collector that takes 50 ms a request, every span arrives, once."""
    sink.delay_s = 0.05
    sightline.init(endpoint=sink.url, instrument=False)
    for number in range(10_000):
        work(str(number))
    assert sightline.flush(60)
    assert len(sink.spans) == len({span.span_id for span in sink.spans}) == 10_000
    assert sightline.health().lost == {}


def test_what_does_not_fit_is_told_to_the_store(sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropped spans are counted exactly, and the count arrives as a `sightline.loss` record."""
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "100")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "50")
    sink.delay_s = 0.05
    sightline.init(endpoint=sink.url, instrument=False)
    for _ in range(1_000):
        work()
    assert sightline.flush(60)
    told = [attributes_of(record) for record in sink.logs]
    assert {record.event_name for record in sink.logs} == {"sightline.loss"}
    assert {
        (t["sightline.loss.signal"], t["sightline.loss.reason"], t["sightline.loss.where"]) for t in told
    } == {("traces", "queue_full", "sender")}
    lost = sum(values["sightline.loss.items"] for values in told)
    assert lost > 0
    assert len(sink.spans) + lost == 1_000
    assert sightline.health().lost == {("traces", "queue_full"): lost}


def test_a_refused_batch_is_told_once_the_collector_is_back(sink: OtlpSink) -> None:
    """A loss is not forgotten while nobody listens: it is told with the first batch that gets through."""
    sink.status = 400
    sightline.init(endpoint=sink.url, instrument=False)
    work()
    assert sightline.flush()
    assert (sink.spans, sink.logs) == ([], [])
    sink.status = 200
    work()
    assert sightline.flush()
    (record,) = sink.logs
    assert attributes_of(record)["sightline.loss.reason"] == "refused_400"
    assert attributes_of(record)["sightline.loss.items"] == 1
    assert len(sink.spans) == 1


def test_a_span_that_cannot_be_sent_takes_no_other_with_it(sink: OtlpSink) -> None:
    """One span that has no encoding is lost, by reason; the rest of its batch arrives."""
    sightline.init(endpoint=sink.url, instrument=False)
    for name in ("a", None, "b", "c"):
        with sightline.stage(name):  # type: ignore[arg-type]
            pass
    assert sightline.flush()
    assert [span.name for span in sink.spans] == ["a", "b", "c"]
    assert sightline.health().lost == {("traces", "unencodable"): 1}


def test_a_busy_collector_is_tried_again(
    sink: OtlpSink, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 503 is no loss: the batch is sent again, for as long as it takes."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    sink.status = 503
    sightline.init(endpoint=sink.url, instrument=False)
    work()
    until(lambda: sink.refusals >= 2)
    sink.status = 200
    assert sightline.flush()
    assert (len(sink.spans), sightline.health().lost) == (1, {})


def test_no_collector_at_all_harms_nobody() -> None:
    """Without anything listening the program runs and ends; the log says once why, and then how much."""
    program = """
import sightline
sightline.init(endpoint="http://127.0.0.1:9", instrument=False)
with sightline.stage("work"): pass
assert not sightline.flush(60)
assert sightline.health().queued["traces"] == 1
with sightline.stage("the last"): pass
"""
    said = run(program, OTEL_EXPORTER_OTLP_TIMEOUT="1").splitlines()
    assert "cannot send spans to http://127.0.0.1:9 now (Connection refused)" in said[0]
    assert "Is the collector running? Start it with `sightline up`" in said[0]
    assert sum(int(line.split()[4]) for line in said[1:] if line.startswith("Sightline could not send")) == 2


def test_a_collector_that_comes_late_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans made while nobody listened wait, and arrive when the collector is up: a restart loses nothing."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    port = unused_port()
    sightline.init(endpoint=f"http://127.0.0.1:{port}", instrument=False)
    for number in range(3):
        work(str(number))
    assert not sightline.flush()
    serving = otlp_sink(port)
    sink = next(serving)
    work("3")
    assert sightline.flush()
    assert len({span.span_id for span in sink.spans}) == len(sink.spans) == 4
    assert sightline.health().lost == {}
    assert next(serving, None) is None


def test_many_attributes_do_not_eat_the_first_ones(sink: OtlpSink) -> None:
    """A span with 500 attributes keeps its model: OpenTelemetry's bound of 128 would drop the oldest."""
    program = f"""
import sightline
from opentelemetry import trace
sightline.init(endpoint={sink.url!r}, instrument=False)
with trace.get_tracer("t").start_as_current_span("s", attributes={{"gen_ai.request.model": "m"}}) as span:
    for number in range(500):
        span.set_attribute(f"llm.input_messages.{{number}}.role", "user")
"""
    run(program)
    assert attributes_of(sink.spans[0])["gen_ai.request.model"] == "m"
    assert len(sink.spans[0].attributes) == 501


# -- the end of a program --------------------------------------------------------------------------


def test_a_normal_exit_loses_nothing(sink: OtlpSink) -> None:
    """A program that ends at once after its last span, without any flush, has sent it."""
    run(
        f"import sightline\nsightline.init(endpoint={sink.url!r}, instrument=False)\n"
        "with sightline.stage('last'): pass"
    )
    assert [span.name for span in sink.spans] == ["last"]


def test_a_program_that_dies_of_an_exception_loses_nothing(sink: OtlpSink) -> None:
    """The span of the failing function arrives, as an error."""
    program = f"""
import sightline, sys
sightline.init(endpoint={sink.url!r}, instrument=False)
@sightline.agent
def main():
    sys.exit("sorry")
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "sorry\n")
    assert [(span.name, span.status.code) for span in sink.spans] == [("invoke_agent main", 2)]


def test_forked_workers_send_their_own(sink: OtlpSink) -> None:
    """Workers forked after `init` each deliver their spans; nothing is sent twice."""
    program = f"""
import os, sightline
sightline.init(endpoint={sink.url!r}, instrument=False)
with sightline.stage("parent before"): pass
for number in range(3):
    child = os.fork()
    if child == 0:
        with sightline.stage(f"child {{number}}"): pass
        sightline.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
with sightline.stage("parent after"): pass
"""
    run(program)
    names = sorted(span.name for span in sink.spans)
    assert names == ["child 0", "child 1", "child 2", "parent after", "parent before"]


# -- settings --------------------------------------------------------------------------------------


def test_the_default_is_the_collector_on_this_machine() -> None:
    """Without a word from anyone spans go to 127.0.0.1:4318."""
    settings = _configure._read(None, None, "masked", "auto", {}, True)
    assert settings.destination.traces.url == "http://127.0.0.1:4318/v1/traces"
    assert settings.destination.logs.url == "http://127.0.0.1:4318/v1/logs"


@pytest.mark.parametrize("base", ["http://h:1", "http://h:1/", "http://h:1/v1/traces"])
def test_an_endpoint_may_be_written_with_or_without_its_path(base: str) -> None:
    """The base URL and the traces URL mean the same collector."""
    to = destination(base, {})
    assert (to.traces.url, to.logs.url) == ("http://h:1/v1/traces", "http://h:1/v1/logs")


def test_a_collector_named_for_traces_gets_the_feedback_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Feedback follows the spans that it judges."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://h:1/v1/traces")
    settings = _configure._read(None, None, "masked", "auto", {}, True)
    assert settings.destination.logs.url == "http://h:1/v1/logs"


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
        ({"content": "some"}, {}, "content is 'some'; it may be one of full, masked, off"),
        ({"instrument": ["opnai"]}, {}, 'instrument names opnai; it may be "auto", False, or a list of'),
        ({"instrument": "openai"}, {}, None),
        ({}, {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "OTEL_EXPORTER_OTLP_PROTOCOL is 'http/json'"),
        (
            {},
            {"OTEL_BSP_MAX_QUEUE_SIZE": "many"},
            "OTEL_BSP_MAX_QUEUE_SIZE is 'many'; it must be a whole number",
        ),
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
        queued={"traces": 0, "logs": 0},
    )


# -- gRPC ------------------------------------------------------------------------------------------


@contextmanager
def grpc_server(port: int = 0) -> Iterator[tuple[str, list[Any]]]:
    """An OTLP/gRPC collector; what it takes is in the list."""
    taken: list[Any] = []

    class Service(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:
            taken.append(request)
            return trace_service_pb2.ExportTraceServiceResponse()

    server = grpc.server(futures.ThreadPoolExecutor(2))
    add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add(Service(), server)
    chosen = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    yield f"http://127.0.0.1:{chosen}", taken
    server.stop(None).wait()


def names_in(requests: list[Any]) -> list[str]:
    return [s.name for r in requests for rs in r.resource_spans for ss in rs.scope_spans for s in ss.spans]


def test_grpc_is_spoken_where_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_EXPORTER_OTLP_PROTOCOL=grpc sends the same spans by gRPC."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with grpc_server() as (url, taken):
        sightline.init(endpoint=url, instrument=False)
        work()
        assert sightline.flush()
        assert names_in(taken) == ["work"]
        sightline.shutdown()


def test_a_grpc_collector_that_comes_late_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the collector does not depend on the protocol."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    port = unused_port()
    sightline.init(endpoint=f"http://127.0.0.1:{port}", instrument=False)
    work()
    assert not sightline.flush()
    with grpc_server(port) as (_, taken):
        assert any(sightline.flush() for _ in range(20))
        assert names_in(taken) == ["work"]
        sightline.shutdown()

"""What reaches the collector, and what becomes of it when the collector is slow, busy, strict or away."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import SpanContext
from sdk.answers import talking
from sdk.programs import run, unused_port, work
from sdk.servers import OtlpSink, attributes_of, otlp_sink

import sightline
from sightline._delivery.delivery import span_bytes


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


def mute_about_losses(connection: socket.socket, over: threading.Event) -> None:
    """Refuses spans, and never answers those who tell what became of them."""
    connection.settimeout(10)
    if b"/v1/traces" in connection.recv(65_536):
        connection.sendall(b"HTTP/1.1 400 Bad\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    else:
        over.wait(30)


@pytest.mark.parametrize("end", ["sightline.flush(0.3)", "sightline.shutdown()"])
def test_who_waits_is_not_kept_by_what_was_lost(end: str) -> None:
    """Telling a loss takes what is left of a flush or an end, not the minute that a request may take."""
    with talking(mute_about_losses) as port:
        program = f"""
import faulthandler, os, sightline
from sightline._delivery import delivery
delivery.CLOSE_S = 0.3
sightline.init(endpoint="http://127.0.0.1:{port}", instrument=False)
with sightline.stage("s"): pass
faulthandler.dump_traceback_later(20, exit=True)
{end}
os.write(1, b"in time")
os._exit(0)
"""
        assert run(program, OTEL_EXPORTER_OTLP_TIMEOUT="60").startswith("in time")


HANGING = """
import sightline
from sightline._delivery import delivery
delivery.CLOSE_S = delivery.CLOSE_UNREACHABLE_S = 0.1
sightline.init(endpoint={url!r}, instrument=False, spool={spool!r})
for number in range(600):
    with sightline.stage(str(number)): pass
"""


@pytest.mark.parametrize("kept", [False, True])
def test_a_collector_that_hangs_at_the_exit_is_not_waited_for(tmp_path: Path, kept: bool) -> None:
    """It took the connection and says nothing: each span is counted as lost, or is on disk, if so chosen."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        said = run(HANGING.format(url=url, spool=str(tmp_path) if kept else None))
    told = [int(line.split()[4]) for line in said.splitlines() if "could not send" in line]
    assert sum(told) == (0 if kept else 600)
    sightline.init(endpoint="http://127.0.0.1:9", instrument=False, spool=tmp_path)
    sightline.flush()
    assert sightline.health().spooled["traces"] == (600 if kept else 0)


def test_a_foreign_spans_texts_weigh_wherever_they_are() -> None:
    """Others put prompts into attributes and events of their own: the bound of the queue's bytes holds for
    them too.
    """
    nowhere, ids = Resource.get_empty(), SpanContext(1, 2, is_remote=False)
    thin = ReadableSpan("s", ids, resource=nowhere, attributes={"n": 1})
    fat = ReadableSpan(
        "s",
        ids,
        resource=nowhere,
        attributes={"llm.input_messages.0.content": "x" * 5_000},
        events=[Event("gen_ai.user.message", {"content": "x" * 5_000})],
    )
    assert span_bytes(fat) - span_bytes(thin) == 10_000

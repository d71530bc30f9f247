"""What observing costs the program: Sightline's decorators beside OpenTelemetry written by hand.

The same work, the same attributes, the same content, the same sink in a process of its own. By turns in one
process: OpenTelemetry's provider, batch processor and OTLP/HTTP exporter; Sightline with masking, its
default; Sightline with `content="full"`. CPU time, so that waiting costs nothing:

    caller   of the program's own thread, in microseconds a span, with the exporting thread at work
    export   of all other threads, until every span has been taken by the sink: masking, prices, bytes, HTTP
    all      both
"""

from __future__ import annotations

import gc
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from tests.bench import otlp_sink, sdk_work
from tests.bench.sdk_work import Call

import sightline
from sightline._runtime import Content

BURST = 2_000
"""Spans in a row; fewer than either queue holds, so that none is dropped."""
QUEUE = 20_000
WARM_UP = 200
ROUNDS = 5
"""Turns of each way for each repeat asked for: a turn takes half a second."""
BY_HAND = "by hand"
_US = 1e6


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU microseconds a span."""

    caller: float
    all: float

    @property
    def export(self) -> float:
        return self.all - self.caller


def measure(repeats: int) -> dict[str, float]:
    """Medians for each kind of work and each way, and their ratios to the hand-written way."""
    with otlp_sink.running() as sink:
        costs: dict[tuple[str, str], list[Cost]] = defaultdict(list)
        for _ in range(repeats * ROUNDS):
            for kind in sdk_work.KINDS:
                costs[kind, BY_HAND].append(_by_hand(kind, sink))
                costs[kind, "masked"].append(_with_sightline(kind, "masked", sink))
                costs[kind, "full"].append(_with_sightline(kind, "full", sink))
    return _figures({key: _median(turns) for key, turns in costs.items()})


def _figures(costs: dict[tuple[str, str], Cost]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for (kind, way), cost in costs.items():
        by_hand = costs[kind, BY_HAND]
        for part in ("caller", "export", "all"):
            figures[f"{kind}, {way}: {part} us"] = getattr(cost, part)
            if way != BY_HAND:
                figures[f"{kind}, {way}: {part} ratio"] = getattr(cost, part) / getattr(by_hand, part)
    return figures


def _median(turns: list[Cost]) -> Cost:
    return Cost(statistics.median(t.caller for t in turns), statistics.median(t.all for t in turns))


def _by_hand(kind: str, sink: otlp_sink.Sink) -> Cost:
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{sink.url}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=QUEUE))
    call = sdk_work.by_hand(kind, provider.get_tracer("bench"))
    try:
        return _turn(call, provider.force_flush, sink)
    finally:
        provider.shutdown()


def _with_sightline(kind: str, content: Content, sink: otlp_sink.Sink) -> Cost:
    sightline.init("shop", sink.url, content, instrument=False)
    try:
        with sdk_work.surroundings(kind):
            return _turn(sdk_work.decorated(kind), sightline.flush, sink)
    finally:
        sightline.shutdown()


def _turn(call: Call, flush: Callable[[], object], sink: otlp_sink.Sink) -> Cost:
    """One burst, after a first batch that opens the connection. RuntimeError when spans are missing."""
    questions = sdk_work.questions()
    for question in islice(questions, WARM_UP):
        call(question)
    flush()
    gc.collect()
    taken, burst = sink.spans(), list(islice(questions, BURST))
    process_s, thread_s = time.process_time(), time.thread_time()
    for question in burst:
        call(question)
    thread_s = time.thread_time() - thread_s
    flush()
    process_s = time.process_time() - process_s
    if (arrived := sink.spans() - taken) != BURST:
        raise RuntimeError(f"{arrived} of {BURST} spans arrived")
    return Cost(thread_s / BURST * _US, process_s / BURST * _US)

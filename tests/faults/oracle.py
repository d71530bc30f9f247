"""What a collector has to hold after a fault: all that it acknowledged, once, and totals as recounted."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from urllib.error import HTTPError

from collector_process import CollectorProcess, wait_until
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import attributes
from remembered_load import SPANS, TRACE, RememberedLoad, request_template

FORTNIGHT_NS = 14 * 86_400 * 10**9
CATCH_UP_S = 240.0
"""Each kill leaves a few small segments; each of them takes a busy machine a second."""

PAUSE_S = 0.02
"""Between requests: what matters is when a collector is stopped, not how much it has to catch up with."""

ROLL_UP = "count() as n, sum(cost_usd) as cost, sum(input_tokens) as tokens"


def of_two_weeks(now_ns: int) -> bytes:
    """A request whose spans lie in two partitions of the store: its rows become two parts, not one."""
    request = ExportTraceServiceRequest.FromString(request_template(now_ns))
    for span in request.resource_spans[0].scope_spans[0].spans[SPANS // 2 :]:
        span.start_time_unix_nano -= FORTNIGHT_NS
        span.end_time_unix_nano -= FORTNIGHT_NS
    encoded: bytes = request.SerializeToString()
    return encoded


def of_judgements(now_ns: int) -> bytes:
    """A request of log records that come to two tables: as what they are, and as judgements."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for number in range(SPANS):
        said = {"gen_ai.evaluation.name": "accuracy", "gen_ai.evaluation.score.value": number / SPANS}
        records.add(
            time_unix_nano=now_ns, trace_id=TRACE, event_name="gen_ai.evaluation.result",
            attributes=attributes(said),
        )  # fmt: skip
    encoded: bytes = request.SerializeToString()
    return encoded


@dataclass
class TimedLoad(RememberedLoad):
    """A load that remembers also when each answer had come, by the monotonic clock."""

    answered_ns: dict[str, int] = field(default_factory=dict)
    statuses: set[int] = field(default_factory=set)

    def before(self, moment_ns: int) -> set[str]:
        """What was acknowledged by then."""
        return {trace for trace in self.acknowledged if self.answered_ns[trace] <= moment_ns}

    def _note(self, trace: bytes, status: int) -> None:
        self.answered_ns[trace.hex()] = time.monotonic_ns()
        self.statuses.add(status)
        super()._note(trace, status)


@dataclass
class Loads:
    """Spans and judgements, sent at once and remembered."""

    spans: TimedLoad = field(default_factory=lambda: TimedLoad("", threads=2, pause_s=PAUSE_S))
    judgements: TimedLoad = field(
        default_factory=lambda: TimedLoad("", threads=1, path="/v1/logs", pause_s=PAUSE_S)
    )

    def start(self, url: str) -> None:
        """Start sending to a collector."""
        now_ns = time.time_ns()
        self.spans.template, self.judgements.template = of_two_weeks(now_ns), of_judgements(now_ns)
        for load in (self.spans, self.judgements):
            load.url = url
            load.start()

    def stop(self) -> None:
        """Send no more."""
        self.spans.stop()
        self.judgements.stop()

    @property
    def acknowledged(self) -> int:
        """Requests, so far."""
        return len(self.spans.acknowledged) + len(self.judgements.acknowledged)


@dataclass(frozen=True, slots=True)
class Held:
    """How a collector's store differs from what it acknowledged; all of it is empty when it does not."""

    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    miscounted: str = ""

    @property
    def as_promised(self) -> bool:
        """Nothing is lost, nothing is there twice."""
        return not (self.lost or self.doubled or self.miscounted)


def caught_up(collector: CollectorProcess, limit_s: float = CATCH_UP_S) -> None:
    """Returns when all that it has is stored. Raises TimeoutError."""
    wait_until(lambda: flushed(collector), limit_s)


def compare(collector: CollectorProcess, spans: set[str], judgements: set[str]) -> Held:
    """What became of the acknowledged requests, by their trace ids. Call it once all is stored."""
    lost, doubled = [], []
    for table, acknowledged in (("spans", spans), ("logs", judgements), ("feedback", judgements)):
        rows = collector.ask(f"select trace_id, count() as n from {table} group by trace_id")
        held = {row["trace_id"]: row["n"] for row in rows}
        short = {trace: held.get(trace, 0) for trace in acknowledged if held.get(trace, 0) < SPANS}
        lost += [f"{table} {trace}: {n}" for trace, n in short.items()]
        doubled += [f"{table} {trace}: {n}" for trace, n in held.items() if n > SPANS]
    return Held(tuple(lost), tuple(doubled), miscounted(collector))


def miscounted(collector: CollectorProcess) -> str:
    """The sums from the roll-up and those from the rows, when they differ."""
    rolled = collector.ask(f"select {ROLL_UP} from spans group by model order by model")
    rows = "(select model, cost_usd, input_tokens from spans where span_id != '')"
    counted = collector.ask(f"select {ROLL_UP} from {rows} group by model order by model")
    return "" if rolled == counted else json.dumps([rolled, counted])


def flushed(collector: CollectorProcess) -> bool:
    """False while the store still catches up with what the faults have left."""
    try:
        collector.flush()
    except HTTPError as e:
        e.close()
        return False
    except TimeoutError:
        return False
    return True

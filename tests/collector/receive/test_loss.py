"""What is refused for good is told to those who query, once, and only when there is something to tell."""

import asyncio
from collections import Counter

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from sightline import attributes
from sightline_collector.errors import LogFull, Malformed, Overloaded, TooLarge
from sightline_collector.health import Health
from sightline_collector.receive.loss import LossReports, loss_request
from sightline_collector.wal.segment import Signal

NOW_NS = 1_790_000_000_000_000_000
TOO_MANY = TooLarge("The request is too large", hint="Send less", reason="too_many_items", items=70_000)
BROKEN = Malformed("The body does not parse", hint="Send protobuf")
FULL = LogFull("The log is full", hint="Retry")


class KeptLog:
    """A log that remembers what it was given; refuses while `full`."""

    def __init__(self) -> None:
        self.full = False
        self.requests: list[tuple[Signal, ExportLogsServiceRequest, int, str]] = []
        self.appended = asyncio.Event()

    async def append(self, signal: Signal, body: bytes, items: int, project: str) -> None:
        if self.full:
            raise FULL
        self.requests.append((signal, ExportLogsServiceRequest.FromString(body), items, project))
        self.appended.set()


def told(request: ExportLogsServiceRequest) -> list[tuple[str, str, int]]:
    """Signal, reason and number of each loss in a request."""
    found = []
    for record in request.resource_logs[0].scope_logs[0].log_records:
        said = {one.key: one.value for one in record.attributes}
        signal, reason = said[attributes.LOSS_SIGNAL].string_value, said[attributes.LOSS_REASON].string_value
        found.append((signal, reason, said[attributes.LOSS_ITEMS].int_value))
    return found


def test_a_loss_is_a_log_record_of_the_contract() -> None:
    """Event name, items, signal, reason, where, time and severity, on the collector's own resource."""
    request = ExportLogsServiceRequest.FromString(
        loss_request(Counter({(Signal.TRACES, "malformed"): 3}), NOW_NS)
    )
    (resource_logs,) = request.resource_logs
    assert resource_logs.resource.attributes[0].value.string_value == "sightline-collector"
    (record,) = resource_logs.scope_logs[0].log_records
    assert (record.event_name, record.time_unix_nano, record.severity_number) == (
        "sightline.loss",
        NOW_NS,
        13,
    )
    assert {one.key: one.value.string_value or one.value.int_value for one in record.attributes} == {
        "sightline.loss.items": 3,
        "sightline.loss.signal": "traces",
        "sightline.loss.reason": "malformed",
        "sightline.loss.where": "collector",
    }


def test_refusals_are_added_up_by_signal_and_reason_into_one_request() -> None:
    """However many there were; a body that could not be counted counts as one item."""

    async def scenario() -> None:
        log, health = KeptLog(), Health()
        losses = LossReports(log, health, clock_ns=lambda: NOW_NS)
        for _ in range(3):
            losses.refused(Signal.TRACES, TOO_MANY)
            losses.refused(Signal.LOGS, BROKEN)
        await losses.flush()
        ((signal, request, items, project),) = log.requests
        assert (signal, items, project) == (Signal.LOGS, 2, "default")
        assert told(request) == [("logs", "malformed", 3), ("traces", "too_many_items", 210_000)]

    asyncio.run(scenario())


def test_a_refusal_that_may_be_retried_is_no_loss() -> None:
    """Its sender still has the items."""

    async def scenario() -> None:
        log = KeptLog()
        losses = LossReports(log, Health())
        losses.refused(Signal.TRACES, FULL)
        losses.refused(Signal.TRACES, Overloaded("Too much at once", hint="Retry"))
        await losses.flush()
        assert log.requests == []

    asyncio.run(scenario())


def test_losses_are_kept_while_the_log_refuses() -> None:
    """And told with what came later, when it takes again; none is told twice."""

    async def scenario() -> None:
        log = KeptLog()
        losses = LossReports(log, Health())
        losses.lost(Signal.METRICS, "dead_letter_dropped", 5)
        log.full = True
        await losses.flush()
        losses.lost(Signal.METRICS, "dead_letter_dropped", 2)
        log.full = False
        await losses.flush()
        await losses.flush()
        assert [told(request) for _, request, _, _ in log.requests] == [
            [("metrics", "dead_letter_dropped", 7)]
        ]

    asyncio.run(scenario())


def test_losses_may_be_noted_from_any_thread() -> None:
    """The store's threads lose dead letters; the report is made on the loop."""

    async def scenario() -> None:
        log = KeptLog()
        losses = LossReports(log, Health())
        task = asyncio.create_task(losses.run(every_s=0))
        noting = (asyncio.to_thread(losses.lost, Signal.TRACES, "dead_letter_dropped", 3) for _ in range(50))
        await asyncio.gather(*noting)
        await losses.flush()
        task.cancel()
        assert sum(items for _, request, _, _ in log.requests for _, _, items in told(request)) == 150

    asyncio.run(scenario())


def test_the_reporting_task_reports_after_its_period_and_sleeps_when_idle() -> None:
    """Many refusals in one period are one request; without a refusal there is none."""

    async def scenario() -> None:
        log = KeptLog()
        losses = LossReports(log, Health())
        task = asyncio.create_task(losses.run(every_s=0.05))
        for _ in range(2):
            for _ in range(10):
                losses.refused(Signal.TRACES, BROKEN)
            await asyncio.wait_for(log.appended.wait(), 10)
            log.appended.clear()
        task.cancel()
        assert [told(request) for _, request, _, _ in log.requests] == [[("traces", "malformed", 10)]] * 2

    asyncio.run(scenario())

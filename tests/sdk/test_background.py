"""Evaluators in the background: one thread, a bounded queue, and what becomes of it at an end."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from sdk.judges import grounded
from sdk.servers import OtlpSink, attributes_of

import sightline
from sightline import testing
from sightline._background import Background, evaluations
from sightline.testing import Captured


def waiting(begun: threading.Event, gate: threading.Event) -> Callable[[], None]:
    """A task that waits until the gate opens."""

    def task() -> None:
        begun.set()
        gate.wait(30)

    return task


@sightline.evaluator
def broken(output: object) -> float:
    raise KeyError("no such thing")


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Opened at the end, so that no task waits on after the test."""
    opened = threading.Event()
    yield opened
    opened.set()
    assert evaluations.drain(30)


def test_a_full_queue_drops_what_comes_and_counts_it(
    sink: OtlpSink, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judges that are too slow cost bounded memory; the drops are in health() and reach the collector."""
    sightline.init(endpoint=sink.url, instrument=False)
    monkeypatch.setattr(evaluations, "_max_waiting", 3)
    begun = threading.Event()

    @sightline.evaluator
    def slow(output: int) -> int:
        begun.set()
        gate.wait(30)
        return output

    with sightline.stage("work"):
        sightline.evaluate(slow, output=0)
        assert begun.wait(30)
        for number in range(1, 11):
            sightline.evaluate(slow, output=number)
    assert sightline.health().queued["evaluations"] == 4
    assert sightline.health().lost == {("evaluations", "queue_full"): 7}
    gate.set()
    assert sightline.flush()
    told = [attributes_of(log) for log in sink.logs if log.event_name == "sightline.loss"]
    assert [(each["sightline.loss.signal"], each["sightline.loss.items"]) for each in told] == [
        ("evaluations", 7)
    ]
    assert sightline.health().queued["evaluations"] == 0


def test_a_shutdown_waits_for_evaluators(sink: OtlpSink) -> None:
    """What was submitted before is judged and sent."""
    sightline.init(endpoint=sink.url, instrument=False)
    with sightline.stage("work"):
        sightline.evaluate(grounded, broken, output="a")
    sightline.shutdown()
    assert {span.name for span in sink.spans} == {
        "work", "evaluate grounded", "chat judge", "evaluate broken"
    }  # fmt: skip
    assert len(sink.logs) == 2


def test_a_program_that_ends_waits_for_its_judges(sink: OtlpSink) -> None:
    """They may use thread pools and event loops to the last: the wait is before Python closes these."""
    program = f"""
import asyncio, time
import sightline
sightline.init(endpoint={sink.url!r}, instrument=False)

@sightline.evaluator
async def thorough(output):
    await asyncio.to_thread(time.sleep, 0.2)
    return await asyncio.to_thread(len, output)

with sightline.stage("work"):
    sightline.evaluate(thorough, output="four")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    (event,) = sink.logs
    assert attributes_of(event)["gen_ai.evaluation.score.value"] == 4.0
    assert {span.name for span in sink.spans} == {"work", "evaluate thorough"}


def test_what_a_shutdown_cannot_wait_for_is_lost_and_counted(gate: threading.Event) -> None:
    """The task that runs is not stopped; those behind it are dropped."""
    lost: list[tuple[str, int]] = []
    work = Background("test", max_waiting=10)
    work.lost = lambda reason, tasks: lost.append((reason, tasks))
    begun = threading.Event()
    work.submit(waiting(begun, gate))
    assert begun.wait(30)
    work.submit(lambda: None)
    work.submit(lambda: None)
    work.close(0.01)
    assert lost == [("closed", 2)]
    assert work.waiting == 1
    gate.set()
    assert work.drain(30)


def test_no_task_ends_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one that exits; the next is done."""
    monkeypatch.setenv("SIGHTLINE_STRICT", "")
    done = threading.Event()
    work = Background("test", max_waiting=10)

    def exits() -> None:
        raise SystemExit

    work.submit(exits)
    work.submit(done.set)
    assert work.drain(30)
    assert done.is_set()
    assert sightline.health().faults == {"test": 1}
    from sightline import _safety

    _safety.forget_faults()


def test_a_task_that_flushes_does_not_wait_for_itself(seen: Captured) -> None:
    """An evaluator may call flush()."""
    answers: list[bool] = []

    @sightline.evaluator
    def judge(output: object) -> None:
        answers.append(evaluations.drain(30))

    with sightline.stage("work"):
        sightline.evaluate(judge, output="a")
    assert sightline.flush()
    assert answers == [True]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_judges_with_a_thread_of_its_own(gate: threading.Event) -> None:
    """The parent's waiting tasks stay the parent's, and the child's own are done."""
    work, begun = Background("test", max_waiting=10), threading.Event()
    work.submit(waiting(begun, gate))
    work.submit(lambda: None)
    assert begun.wait(30)
    child = os.fork()
    if child == 0:
        done = threading.Event()
        code = 1
        try:
            work.submit(done.set)
            code = 0 if work.drain(30) and done.is_set() else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    gate.set()
    assert work.drain(30)


def test_background_work_of_a_backdated_trace_lies_in_the_past_too() -> None:
    """Demonstrations judge last week's answers last week."""
    from datetime import timedelta

    with testing.capture() as seen:
        with testing.backdate(timedelta(days=7)), sightline.stage("work"):
            sightline.evaluate(grounded, output="a")
        assert sightline.flush()
    week_ns = 7 * 86_400 * 10**9
    times = [span.start_ns for span in seen.spans] + [log.time_ns for log in seen.logs]
    assert max(times) - min(times) < week_ns / 2

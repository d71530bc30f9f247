"""The end of a program, and of a forked child."""

import asyncio
import inspect
import signal
import subprocess
import sys
import threading

import pytest
from sdk.programs import run, work
from sdk.servers import OtlpSink

import sightline


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


# -- Signals ---------------------------------------------------------------------------------------

TERMINATED = """
import os, signal, sightline, threading
sightline.init(endpoint={url!r}, instrument=False)
{before}
with sightline.stage("last"): pass
os.kill(os.getpid(), signal.{signal})
{after}
"""


def terminated(sink: OtlpSink, before: str, name: str = "SIGTERM", after: str = "") -> tuple[int, str]:
    program = TERMINATED.format(url=sink.url, before=before, signal=name, after=after)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_ctrl_c_loses_nothing(sink: OtlpSink) -> None:
    """SIGINT is an exception in Python, and its end a normal one."""
    heard = "signal.signal(signal.SIGINT, signal.default_int_handler)"  # a test run in the background is deaf
    code, said = terminated(sink, heard, "SIGINT")
    assert code != 0
    assert said.endswith("KeyboardInterrupt\n")
    assert [span.name for span in sink.spans] == ["last"]


def test_a_termination_can_be_flushed(sink: OtlpSink) -> None:
    """flush_on_signals() sends what is there; the program then dies of the signal as it would have."""
    code, said = terminated(sink, "sightline.flush_on_signals()")
    assert (code, said, [span.name for span in sink.spans]) == (-signal.SIGTERM, "", ["last"])


def test_without_asking_no_signal_is_touched(sink: OtlpSink) -> None:
    """Signals are the program's: init() alone leaves every handler as it was."""
    code, _ = terminated(sink, "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL")
    assert code == -signal.SIGTERM


def test_a_handler_of_the_program_is_called_after_the_flush(sink: OtlpSink) -> None:
    """It decides what happens, as before; asked twice we flush once."""
    before = (
        "signal.signal(signal.SIGTERM, lambda *_: print(sightline.health().sent['traces']))\n"
        "sightline.flush_on_signals()\nsightline.flush_on_signals(signal.SIGTERM)"
    )
    assert terminated(sink, before, after="print('goes on')") == (0, "1\ngoes on\n")


def test_an_ignored_signal_stays_ignored(sink: OtlpSink) -> None:
    """Who ignores SIGTERM is not terminated by us."""
    before = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsightline.flush_on_signals()"
    assert terminated(sink, before, after="print('goes on')") == (0, "goes on\n")


def test_a_signal_in_the_middle_of_our_own_work_is_no_deadlock(sink: OtlpSink) -> None:
    """Even while the interrupted thread holds the queue's lock."""
    after = "threading.Event().wait(60)"
    held = (
        "sightline.flush_on_signals()\nfrom sightline import _configure, _exits\n_exits.TERMINATION_S = 0.1\n"
        "_configure._running[1].delivery.ledger._lock.acquire()"
    )
    assert terminated(sink, held, after=after)[0] == -signal.SIGTERM


def test_a_signal_during_a_shutdown_waits_for_its_end(sink: OtlpSink) -> None:
    """The program dies of it, but only when its spans are sent."""
    sink.delay_s = 0.3
    program = f"""
import os, signal, sightline, threading
sightline.init(endpoint={sink.url!r}, instrument=False)
sightline.flush_on_signals()
with sightline.stage("last"): pass
threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
sightline.shutdown()
threading.Event().wait(60)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")
    assert [span.name for span in sink.spans] == ["last"]


def test_from_another_thread_signals_are_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Python sets handlers in the main thread only: a warning says so."""
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=sightline.flush_on_signals)
    thread.start()
    thread.join()
    assert "cannot handle SIGTERM" in caplog.text
    assert signal.getsignal(signal.SIGTERM) is before


# -- Invocations -----------------------------------------------------------------------------------


def test_an_invocation_has_sent_its_spans_when_it_returns(sink: OtlpSink) -> None:
    """A platform may freeze the process right after the handler's result."""
    sightline.init(endpoint=sink.url, instrument=False)

    @sightline.flushed
    def handler(event: str) -> str:
        return work(event)

    @sightline.flushed(timeout_s=10)
    def failing() -> None:
        work()
        raise ValueError("no")

    assert (handler("x"), len(sink.spans)) == ("x", 1)
    with pytest.raises(ValueError, match="no"):
        failing()
    assert len(sink.spans) == 2


def test_a_frozen_process_goes_on_where_it_was(sink: OtlpSink) -> None:
    """Stopped between two invocations it sends the next one's spans as ever, each once."""
    program = f"""
import sightline
sightline.init(endpoint={sink.url!r}, instrument=False)
@sightline.flushed
def handler(name):
    with sightline.stage(name): pass
while name := input():
    handler(name)
    print(flush=True)
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as invoked:
        assert invoked.stdin
        assert invoked.stdout
        for name in ("first", "second"):
            invoked.stdin.write(f"{name}\n")
            invoked.stdout.readline()
            assert sink.spans[-1].name == name
            invoked.send_signal(signal.SIGSTOP)
            invoked.send_signal(signal.SIGCONT)
        invoked.stdin.write("\n")
    assert (invoked.returncode, len(sink.spans)) == (0, 2)


def test_a_coroutine_is_flushed_without_holding_up_its_loop(sink: OtlpSink) -> None:
    """Other tasks go on while its spans are sent."""
    sightline.init(endpoint=sink.url, instrument=False)
    sink.delay_s = 0.1
    ticks = 0

    async def ticking() -> None:
        nonlocal ticks
        while not sink.spans:
            ticks += 1
            await asyncio.sleep(0.001)

    @sightline.flushed
    async def handler() -> str:
        asyncio.create_task(ticking())  # noqa: RUF006  # ends when the span is there
        return work("x")

    assert inspect.iscoroutinefunction(handler)
    assert asyncio.run(handler()) == "x"
    assert len(sink.spans) == 1
    assert ticks > 2


def test_a_thread_that_exits_ends_only_itself(sink: OtlpSink) -> None:
    """sys.exit in a thread is no end of the program: spans before and after it arrive."""
    program = f"""
import sightline, sys, threading
sightline.init(endpoint={sink.url!r}, instrument=False)
@sightline.step
def leave(): sys.exit()
thread = threading.Thread(target=leave)
thread.start(); thread.join()
with sightline.stage("after"): pass
"""
    run(program)
    assert [span.name for span in sink.spans] == ["leave", "after"]

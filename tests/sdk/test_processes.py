"""Programs of many processes: each sends its own spans, none is lost at a normal end, none sent twice."""

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sdk.programs import run, unused_port
from sdk.servers import OtlpSink

Until = Callable[..., None]


@pytest.fixture
def started() -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Starts a program in a folder; none is left behind."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, folder: Path) -> "subprocess.Popen[bytes]":
        log = (folder / "output").open("wb")
        with log:
            running.append(subprocess.Popen([sys.executable, *arguments], cwd=folder, stdout=log, stderr=log))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait()


def names(sink: OtlpSink) -> list[str]:
    return sorted(span.name for span in sink.spans)


WORKERS = """
import multiprocessing, sightline, sys
from concurrent.futures import ProcessPoolExecutor

def work(name):
    with sightline.stage(name): pass

def begin():
    sightline.init(endpoint={url!r}, instrument=False)

{early}
if __name__ == "__main__":
    begin()
    context = multiprocessing.get_context({method!r})
    with sightline.stage("parent"): pass
    one = context.Process(target=work, args=("process",))
    one.start(); one.join()
    with ProcessPoolExecutor(2, context, initializer={initializer}) as pool:
        list(pool.map(work, ["pool 0", "pool 1", "pool 2"]))
    pool = context.Pool(1, {initializer})
    pool.map(work, ["map 0", "map 1"])
    pool.close(); pool.join()
"""


@pytest.mark.parametrize(
    ("method", "early", "initializer", "expected"),
    [
        ("fork", "", "None", ["process"]),
        ("spawn", "begin()", "None", ["process"]),
        ("forkserver", "", "begin", []),
    ],
)
def test_children_of_multiprocessing_lose_nothing(
    sink: OtlpSink, tmp_path: Path, method: str, early: str, initializer: str, expected: list[str]
) -> None:
    """Processes, executors and pools that are closed, however they are started: forked after init, or with
    an init of their own, at the top of the program or as the pool's initializer.
    """
    program = tmp_path / "program.py"
    program.write_text(WORKERS.format(url=sink.url, method=method, early=early, initializer=initializer))
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    pools = ["map 0", "map 1", "parent", "pool 0", "pool 1", "pool 2"]
    assert names(sink) == sorted([*pools, *expected])


def test_a_pool_that_is_terminated_can_be_flushed(sink: OtlpSink) -> None:
    """`with Pool()` ends its workers by SIGTERM: with flush_on_signals() they send what they have first.

    They are in the middle of a task: one that begins to wait for the pool's lock when the signal comes may
    sleep on, as Python looks for signals before it waits.
    """
    program = f"""
import multiprocessing, os, sightline, time
sightline.init(endpoint={sink.url!r}, instrument=False)
sightline.flush_on_signals()
begun, begins = os.pipe()
@sightline.step
def work(number): return number
def stay(number):
    os.write(begins, b".")
    while True: time.sleep(0.01)
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(work, range(6)) == list(range(6))
    pool.map_async(stay, range(2), chunksize=1)
    for number in range(2): os.read(begun, 1)
"""
    run(program)
    assert names(sink) == ["work"] * 6


def test_a_child_that_fails_has_sent_its_spans(sink: OtlpSink) -> None:
    """sys.exit and an exception end a child as normally as a return."""
    program = f"""
import multiprocessing, sightline, sys
sightline.init(endpoint={sink.url!r}, instrument=False)
@sightline.step
def fails(how):
    if how == "exit": sys.exit(3)
    raise ValueError(how)
context = multiprocessing.get_context("fork")
children = [context.Process(target=fails, args=(how,)) for how in ("exit", "raise")]
for child in children: child.start()
for child in children: child.join()
assert [child.exitcode for child in children] == [3, 1]
"""
    run(program)
    assert names(sink) == ["fails", "fails"]


def test_forks_in_the_middle_of_work_deadlock_nobody(sink: OtlpSink) -> None:
    """While other threads record and send, children are forked; each starts with free locks and sends."""
    program = f"""
import os, sightline, threading
sightline.init(endpoint={sink.url!r}, instrument=False)
stop = threading.Event()
def busy():
    while not stop.wait(0.001):
        with sightline.stage("busy"): pass
        sightline.health()
threads = [threading.Thread(target=busy) for _ in range(2)]
for thread in threads: thread.start()
for number in range(10):
    child = os.fork()
    if child == 0:
        with sightline.stage(f"child {{number}}"): pass
        os._exit(0 if sightline.flush(20) else 1)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
for thread in threads: thread.join()
"""
    run(program)
    assert [name for name in names(sink) if name != "busy"] == sorted(f"child {n}" for n in range(10))
    assert len({span.span_id for span in sink.spans}) == len(sink.spans)


def test_no_fork_meets_a_module_that_is_half_imported(sink: OtlpSink) -> None:
    """A child would wait for ever for a lock that nobody holds: our threads import under one of ours, which a
    fork waits for.
    """
    program = f"""
import sightline, sys, threading
from sightline._fork import importing
sightline.init(endpoint={sink.url!r}, instrument=False)
seen = []
class Watcher:
    def find_spec(self, name, path=None, target=None):
        ours = threading.current_thread().name.startswith("sightline-")
        if ours: seen.append((name, importing._is_owned()))
sys.meta_path.insert(0, Watcher())
with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages="hello") as call:
    call.record_usage(input_tokens=9, output_tokens=2)
assert sightline.flush()
sightline.feedback(call.traceparent(), thumbs="up")
assert sightline.flush()
print(len(seen) > 0, [name for name, owned in seen if not owned])
"""
    assert run(program) == "True []\n"


# -- Servers and queues ----------------------------------------------------------------------------

SITE = """
import sightline
{before}
def application(environ, start_response):
    with sightline.stage("request " + environ["PATH_INFO"]): pass
    start_response("200 OK", [("content-length", "2")])
    return [b"ok"]
"""
INIT = "sightline.init(endpoint={url!r}, instrument=False)"


@pytest.mark.parametrize("preload", [True, False])
def test_gunicorn_workers_lose_nothing(
    sink: OtlpSink, tmp_path: Path, started: Any, until: Until, preload: bool
) -> None:
    """Forked from a master that has called init, or with an init in post_fork: all arrives at a stop."""
    init, port = INIT.format(url=sink.url), unused_port()
    (tmp_path / "site_of_ours.py").write_text(SITE.format(before=init if preload else ""))
    hook = "" if preload else f"import sightline\ndef post_fork(server, worker):\n    {init}\n"
    hook += "def post_worker_init(worker): print('ready', flush=True)\n"
    (tmp_path / "settings.py").write_text(f"workers = 2\npreload_app = {preload}\n{hook}")
    master = started(
        *("-m", "gunicorn", "--config", "settings.py", "--no-control-socket"),
        *("--bind", f"127.0.0.1:{port}", "site_of_ours:application"),
        folder=tmp_path,
    )
    until(lambda: (tmp_path / "output").read_text().count("ready") == 2)
    for number in range(5):
        assert answers(f"http://127.0.0.1:{port}/{number}")
    master.send_signal(signal.SIGTERM)
    assert master.wait(30) == 0, (tmp_path / "output").read_text()
    assert names(sink) == [f"request /{number}" for number in range(5)]


LIVE = """
import sightline
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from sightline.middleware import ASGIMiddleware
{init}
async def page(request):
    return PlainTextResponse("ok")
app = Starlette(routes=[Route("/{{number}}", page)])
app.add_middleware(ASGIMiddleware)
"""


def test_uvicorn_loses_nothing(sink: OtlpSink, tmp_path: Path, started: Any, until: Until) -> None:
    """It ends by the signal that stopped it, without exit functions: the middleware sends at its lifespan's
    end.
    """
    port = unused_port()
    (tmp_path / "live.py").write_text(LIVE.format(init=INIT.format(url=sink.url)))
    server = started("-m", "uvicorn", "--port", str(port), "live:app", folder=tmp_path)
    until(lambda: "Uvicorn running" in (tmp_path / "output").read_text())
    for number in range(3):
        assert answers(f"http://127.0.0.1:{port}/{number}")
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == -signal.SIGTERM, (tmp_path / "output").read_text()
    assert names(sink) == ["GET /{number}"] * 3


TASKS = """
import sightline
from celery import Celery
app = Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {{
    "data_folder_in": "broker", "data_folder_out": "broker", "control_folder": "control"
}}
{init}
@app.task
def work(name):
    with sightline.stage(name): pass
"""


def test_celery_workers_lose_nothing(sink: OtlpSink, tmp_path: Path, started: Any, until: Until) -> None:
    """A prefork pool of a real worker, stopped warmly right after its tasks."""
    (tmp_path / "broker").mkdir()
    (tmp_path / "tasks.py").write_text(TASKS.format(init=INIT.format(url=sink.url)))
    send = "import tasks\nfor n in range(4): tasks.work.delay(f'task {n}')"
    subprocess.run([sys.executable, "-W", "ignore", "-c", send], cwd=tmp_path, check=True, timeout=60)
    worker = started(
        *("-W", "ignore", "-m", "celery", "--app", "tasks", "worker", "--concurrency", "2"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"),
        folder=tmp_path,
    )
    until(lambda: (tmp_path / "output").read_text().count("succeeded in") == 4)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0, (tmp_path / "output").read_text()
    assert names(sink) == [f"task {n}" for n in range(4)]


def answers(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return bool(answer.status == 200)

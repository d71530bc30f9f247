"""Programs that cannot deliver: what they leave in a folder is sent later, by whoever is there, once."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sdk.programs import run, unused_port, work
from sdk.servers import OtlpSink, attributes_of, otlp_sink
from sdk.spooled import files

import sightline

SECRET = "sk-proj-" + "a1B2" * 12


@pytest.fixture(autouse=True)
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collector that is away is given up soon."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")


def program(folder: Path, body: str, url: str = "http://127.0.0.1:9", **settings: Any) -> str:
    arguments = "".join(f", {name}={value!r}" for name, value in settings.items())
    return (
        f"import os, signal, sightline\n"
        f"sightline.init(endpoint={url!r}, instrument=False, spool={str(folder)!r}{arguments})\n{body}"
    )


def numbered(first: int, count: int) -> str:
    return f"for n in range({first}, {first + count}):\n    with sightline.stage(str(n)): pass\n"


def names(sink: OtlpSink) -> list[int]:
    return sorted(int(span.name) for span in sink.spans)


def test_what_nobody_took_at_the_exit_is_sent_at_the_next_start(sink: OtlpSink, tmp_path: Path) -> None:
    """Each span once, in the background; the folder is empty afterwards."""
    said = run(program(tmp_path, numbered(0, 1_200)))
    assert "could not send" not in said
    assert files(tmp_path) != []
    run(program(tmp_path, "", url=sink.url))
    assert names(sink) == list(range(1_200))
    assert files(tmp_path) == []


def test_what_is_on_disk_is_masked(tmp_path: Path) -> None:
    """Nothing lies in the folder that would not leave the process."""
    body = f"@sightline.step\ndef work(text): return text\nwork('key {SECRET}')\n"
    run(program(tmp_path, body + f"sightline.feedback(comment='{SECRET}', thumbs='up')"))
    assert files(tmp_path) != []
    assert all(SECRET.encode() not in file.read_bytes() for file in files(tmp_path))


def test_a_killed_program_loses_nothing_that_was_on_disk(sink: OtlpSink, tmp_path: Path) -> None:
    """kill -9 in the middle of an outage; the next start sends what lay there."""
    body = numbered(0, 5) + "sightline.flush()\nos.kill(os.getpid(), signal.SIGKILL)\n"
    killed = subprocess.run(
        [sys.executable, "-c", program(tmp_path, body)], check=False, stderr=subprocess.DEVNULL
    )
    assert killed.returncode == -signal.SIGKILL
    run(program(tmp_path, numbered(5, 1), url=sink.url))
    assert names(sink) == [0, 1, 2, 3, 4, 5]


def test_a_kill_in_the_middle_of_a_replay_repeats_one_request_at_most(
    sink: OtlpSink, tmp_path: Path, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was answered and not yet noted is sent again, and nothing is left out."""
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "50")
    run(program(tmp_path, numbered(0, 1_000)))
    sink.delay_s = 0.02
    waiting = [sys.executable, "-c", program(tmp_path, "input()", url=sink.url)]
    with subprocess.Popen(waiting, stdin=subprocess.PIPE) as replaying:
        until(lambda: len(sink.spans) >= 200)
        replaying.kill()
    sink.delay_s = 0
    run(program(tmp_path, "", url=sink.url))
    assert sorted(set(names(sink))) == list(range(1_000))
    assert len(sink.spans) - 1_000 in (0, 50)


def test_a_collector_that_is_back_gets_it_at_once(tmp_path: Path, until: Callable[..., None]) -> None:
    """Nobody has to restart; meanwhile health says how much lies there, and flush that nobody took it."""
    port = unused_port()
    sightline.init(endpoint=f"http://127.0.0.1:{port}", instrument=False, spool=tmp_path)
    for number in range(3):
        work(str(number))
        assert not sightline.flush(60)
    health = sightline.health()
    assert (health.spooled, health.reachable) == ({"traces": 3, "logs": 0}, False)
    assert health.bounds["spooled_bytes"] == 256 * 1024 * 1024
    serving = otlp_sink(port)
    sink = next(serving)
    work("3")
    until(lambda: sightline.flush() and len(sink.spans) == 4)
    health = sightline.health()
    assert (health.sent["traces"], health.spooled, health.lost) == (4, {"traces": 0, "logs": 0}, {})
    assert files(tmp_path) == []
    assert next(serving, None) is None


def test_a_busy_collector_gets_it_later(sink: OtlpSink, tmp_path: Path) -> None:
    """One that says 503 is not waited for in memory either."""
    sink.status = 503
    sightline.init(endpoint=sink.url, instrument=False, spool=tmp_path)
    work()
    assert not sightline.flush(60)
    assert sightline.health().spooled["traces"] == 1
    sink.status = 200
    assert sightline.flush()
    assert len(sink.spans) == 1


def test_a_request_that_nobody_will_take_holds_up_no_other(sink: OtlpSink, tmp_path: Path) -> None:
    """Refused for good at its replay it is lost, by the refusal's name; what came after it arrives."""
    for first in (0, 1):
        run(program(tmp_path, numbered(first, 1)))
    sink.status = 400
    sightline.init(endpoint=sink.url, instrument=False, spool=tmp_path)
    assert sightline.flush()
    assert sightline.health().lost == {("traces", "refused_400"): 2}
    sink.status = 200
    work()
    assert sightline.flush()
    assert len(sink.spans) == 1
    assert attributes_of(sink.logs[0])["sightline.loss.items"] == 2


def test_damage_on_disk_is_a_loss_that_is_told(sink: OtlpSink, tmp_path: Path) -> None:
    """The torn request's spans are counted, and the count reaches the store."""
    run(program(tmp_path, numbered(0, 7)))
    (file,) = files(tmp_path)
    os.truncate(file, file.stat().st_size - 5)
    sightline.init(endpoint=sink.url, instrument=False, spool=tmp_path)
    assert sightline.flush()
    assert sightline.health().lost == {("traces", "spool_damaged"): 7}
    assert [attributes_of(record)["sightline.loss.reason"] for record in sink.logs] == ["spool_damaged"]


def test_a_full_spool_loses_exactly_what_it_says(sink: OtlpSink, tmp_path: Path) -> None:
    """Beyond the bound the newest are lost at the exit; the next start tells how many."""
    body = "@sightline.step\ndef work(text): pass\nfor n in range(1_100): work(f'{n}' + ' word' * 1_400)\n"
    said = run(program(tmp_path, body, spool_max_bytes=1_000_000), OTEL_BSP_MAX_EXPORT_BATCH_SIZE="64")
    assert "the spool was full. Raise spool_max_bytes" in said
    assert sum(file.stat().st_size for file in files(tmp_path)) <= 1_000_000
    run(program(tmp_path, "", url=sink.url))
    (told,) = [attributes_of(record) for record in sink.logs]
    assert told["sightline.loss.reason"] == "spool_full"
    assert 0 < len(sink.spans) < 1_100
    assert len(sink.spans) + told["sightline.loss.items"] == 1_100


def test_a_folder_that_cannot_be_used_is_said_once(sink: OtlpSink, tmp_path: Path) -> None:
    """The program runs on with its memory only."""
    occupied = tmp_path / "a file"
    occupied.write_text("here")
    said = run(program(occupied, numbered(0, 3), url=sink.url))
    assert said.count("Sightline cannot write to its spool") == 1
    assert names(sink) == [0, 1, 2]


def test_two_programs_share_a_folder(sink: OtlpSink, tmp_path: Path) -> None:
    """Each writes a file of its own, and what both left is sent once."""
    body = numbered(0, 10) + "sightline.flush()\ninput()\n"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program(tmp_path, body)], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        for _ in range(2)
    ]
    for each in both:
        each.communicate(b"\n", timeout=60)
    assert len(files(tmp_path)) == 2
    starts = [program(tmp_path, "sightline.flush()", url=sink.url)] * 2
    later = [subprocess.Popen([sys.executable, "-c", start]) for start in starts]
    assert [each.wait(60) for each in later] == [0, 0]
    assert names(sink) == sorted([*range(10), *range(10)])


def test_a_forked_child_writes_its_own_file(sink: OtlpSink, tmp_path: Path) -> None:
    """Its parent's stays its parent's: neither sends what is the other's."""
    body = (
        numbered(0, 2)
        + "sightline.flush()\nchild = os.fork()\n"
        + "if child == 0:\n    with sightline.stage('2'): pass\n    sightline.shutdown()\n    os._exit(0)\n"
        + "assert os.waitpid(child, 0)[1] == 0\n"
    )
    run(program(tmp_path, body))
    assert len(files(tmp_path)) == 2
    run(program(tmp_path, "", url=sink.url))
    assert names(sink) == [0, 1, 2]

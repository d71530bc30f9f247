"""What cannot be delivered waits in a folder: its files, who may send them, and what becomes of damage."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sdk.programs import run, unused_port, work
from sdk.servers import OtlpSink, attributes_of, otlp_sink

import sightline
from sightline._delivery.refusal import SPOOL_FAILED, SPOOL_FULL
from sightline._delivery.spool import Spool

SECRET = "sk-proj-" + "a1B2" * 12


@pytest.fixture(autouse=True)
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collector that is away is given up soon."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")


def spool(folder: Path, max_bytes: int = 1_000_000) -> Spool:
    return Spool(folder, "traces", max_bytes)


def drained(spool: Spool) -> list[tuple[bytes | None, int]]:
    """All that the spool gives, in its order."""
    given = []
    while (frame := spool.head()) is not None:
        given.append((frame.body, frame.items))
        spool.step(frame)
    return given


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


def test_what_is_written_comes_back_oldest_first(tmp_path: Path) -> None:
    """Bodies and their counts; a file that is done with is removed."""
    kept = spool(tmp_path)
    assert kept.write([(b"one", 1), (b"two", 2)]) is None
    assert kept.write([(b"three", 3)]) is None
    assert kept.items == 6
    assert drained(kept) == [(b"one", 1), (b"two", 2), (b"three", 3)]
    assert (kept.items, files(tmp_path)) == (0, [])


def test_only_the_user_may_read_it(tmp_path: Path) -> None:
    """A folder that we make is 0700, its files are 0600."""
    folder = tmp_path / "made" / "here"
    spool(folder).write([(b"one", 1)])
    (file,) = files(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_full_folder_takes_nothing_but_losses(tmp_path: Path) -> None:
    """What would go beyond the bound is refused, whoever filled the folder; that it is lost can be told."""
    first, second = spool(tmp_path), spool(tmp_path)
    assert first.write([(b"x" * 900_000, 1)]) is None
    assert second.write([(b"x" * 90_000, 1)]) == SPOOL_FULL
    assert second.write([(b"lost: 1", 1)], tells_losses=True) is None
    assert sum(file.stat().st_size for file in files(tmp_path)) <= 1_000_000


def test_room_is_there_again_when_a_file_is_done(tmp_path: Path) -> None:
    """What was sent takes no room."""
    kept = spool(tmp_path)
    assert kept.write([(b"x" * 900_000, 1)]) is None
    assert kept.write([(b"x" * 900_000, 1)]) == SPOOL_FULL
    drained(kept)
    assert kept.write([(b"x" * 900_000, 1)]) is None


def test_a_file_has_one_owner_at_a_time(tmp_path: Path) -> None:
    """While its writer lives nobody else reads it; then whoever looks next takes it over."""
    writer, other = spool(tmp_path), spool(tmp_path)
    writer.write([(b"one", 1), (b"two", 2)])
    assert other.head() is None
    writer.close()
    assert other.head() is not None
    assert other.items == 3
    assert drained(other) == [(b"one", 1), (b"two", 2)]


def test_what_was_answered_is_not_sent_again(tmp_path: Path) -> None:
    """A process that goes on after another one begins where that one ended."""
    first = spool(tmp_path)
    first.write([(b"one", 1), (b"two", 2)])
    frame = first.head()
    assert frame is not None
    first.step(frame)
    first.close()
    assert drained(spool(tmp_path)) == [(b"two", 2)]


def test_a_torn_end_is_stepped_over_and_counted(tmp_path: Path) -> None:
    """A frame that was cut short by a kill says how much it held; those before it are whole."""
    writer = spool(tmp_path)
    writer.write([(b"one", 1), (b"two" * 100, 2)])
    writer.close()
    (file,) = files(tmp_path)
    os.truncate(file, file.stat().st_size - 1)
    assert drained(spool(tmp_path)) == [(b"one", 1), (None, 2)]
    assert files(tmp_path) == []


def test_a_corrupt_body_costs_only_itself(tmp_path: Path) -> None:
    """Its checksum gives it away; the next one is read."""
    writer = spool(tmp_path)
    writer.write([(b"one", 1), (b"two", 2), (b"three", 3)])
    writer.close()
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"two", b"tvo"))
    assert drained(spool(tmp_path)) == [(b"one", 1), (None, 2), (b"three", 3)]


def test_behind_a_corrupt_length_nothing_is_found(tmp_path: Path) -> None:
    """The rest of that file counts as one item at least, and is not read as something else."""
    writer = spool(tmp_path)
    writer.write([(b"one", 1)])
    (file,) = files(tmp_path)
    at = file.stat().st_size
    writer.write([(b"two", 2), (b"three", 3)])
    writer.close()
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)
    assert drained(spool(tmp_path)) == [(b"one", 1), (None, 1)]


@pytest.mark.parametrize("content", [b"", b"SLSPOOL1", b"SLSPOOL1" + (16).to_bytes(8, "little")])
def test_a_file_without_requests_is_removed(tmp_path: Path, content: bytes) -> None:
    """Its writer was killed before the first."""
    (tmp_path / "traces-1-1-1.spool").write_bytes(content)
    assert spool(tmp_path).head() is None
    assert files(tmp_path) == []


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    """It is not ours to read, nor to remove."""
    (tmp_path / "traces-1-1-1.spool").write_bytes(b"SLSPOOL9" + bytes(100))
    assert spool(tmp_path).head() is None
    assert len(files(tmp_path)) == 1


def test_a_disk_that_says_no_leaves_whole_frames_only(tmp_path: Path) -> None:
    """A write that fails in its middle is undone, and what was there before is read."""
    program = f"""
import resource
from pathlib import Path
from sightline._delivery.spool import Spool
spool = Spool(Path({str(tmp_path)!r}), "traces", 10_000_000)
assert spool.write([(b"one", 1)]) is None
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
assert spool.write([(b"x" * 50_000, 1)]) == {SPOOL_FAILED!r}
assert spool.write([(b"two", 2)]) is None
"""
    run(program)
    assert drained(spool(tmp_path)) == [(b"one", 1), (b"two", 2)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"spool": 5}, "spool is 5; it may be None, or the path of a folder"),
        ({"spool": ""}, "spool is ''; it may be None, or the path of a folder"),
        ({"spool": "s", "spool_max_bytes": 10}, "spool_max_bytes is 10; it must be 1,000,000 or more"),
    ],
)
def test_a_wrong_setting_is_refused(settings: Any, message: str) -> None:
    """The error names the setting, its value, and what it may be."""
    with pytest.raises(sightline.ConfigurationError, match=message):
        sightline.init(**settings)


# -- Programs --------------------------------------------------------------------------------------


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
    body = "@sightline.step\ndef work(text): pass\nfor n in range(1_100): work(str(n) * 2_000)\n"
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

"""`sightline wal`: what lies in a log folder, and how it gets to another collector."""

from __future__ import annotations

import asyncio
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from collector.operate.conftest import LETTERS, put_aside
from collector.operate.logs import NOW_NS, SPANS, only_segment, traces, write_log
from collector.receive.receiving import Receiving
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from served import served

from sightline_collector.cli import main
from sightline_collector.health import Health
from sightline_collector.operate.delivery import NotDelivered, deliver, sender
from sightline_collector.operate.segments import SegmentReport, reports, segment_files
from sightline_collector.wal.dead_letter import DeadLetters
from sightline_collector.wal.log import Log
from sightline_collector.wal.segment import Signal

REJECTS = ExportTraceServiceResponse(
    partial_success=ExportTracePartialSuccess(rejected_spans=7, error_message="too old")
).SerializeToString()
BODIES = [traces(number) for number in (1, 2, 3)]


def acknowledged(doors: Receiving) -> list[bytes]:
    """The requests that a collector has on disk."""
    return [body for body, _ in doors.records(Signal.TRACES)]


def replayed(folder: Path, doors: Receiving, *more: str) -> int:
    """The exit code of a replay to a collector's doors."""
    return main(["wal", "replay", str(folder), "--to", f"http://127.0.0.1:{doors.http.port}", *more])


class TestInspect:
    """sightline wal inspect"""

    def test_a_row_tells_what_a_segment_holds(self, tmp_path: Path) -> None:
        """State, requests, items, bytes and age are those of the file; nothing is asked of a store."""
        write_log(tmp_path / "wal", BODIES)
        segment = only_segment(tmp_path / "wal")
        assert list(reports(tmp_path, clock=lambda: NOW_NS / 1e9 + 90)) == [
            SegmentReport(
                segment=segment.name,
                signal=Signal.TRACES,
                batch=1,
                state="sealed",
                requests=3,
                items=3 * SPANS,
                size_bytes=segment.stat().st_size,
                age_s=90.0,
                damage="",
                stored="",
            )
        ]

    def test_damage_is_named_with_its_bytes(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A flipped byte in the middle and a torn end leave the other records readable, and exit code 1."""
        write_log(tmp_path, [*BODIES, traces(4)])
        segment = only_segment(tmp_path)
        content = bytearray(segment.read_bytes())
        one = len(content) // 4
        content[one + 100] ^= 1
        segment.write_bytes(content[:-10])
        assert main(["wal", "inspect", str(tmp_path), "--format", "json"]) == 1
        (row,) = json.loads(capsys.readouterr().out)
        assert (row["requests"], row["items"]) == (2, 2 * SPANS)
        assert row["damage"] == f"torn {one - 10} bytes, flipped {one} bytes"

    def test_a_folder_in_use_can_be_read(self, tmp_path: Path) -> None:
        """A running collector is not disturbed: its open segment is a row of state open."""

        async def states() -> list[str]:
            log = await Log.open(tmp_path)
            await log.append(Signal.TRACES, BODIES[0], SPANS)
            found = [report.state for report in reports(tmp_path)]
            await log.close()
            return found

        assert asyncio.run(states()) == ["open"]

    @pytest.mark.parametrize(
        ("given", "hint"), [("nowhere", "name the data folder"), ("file.txt", "name a data folder")]
    )
    def test_what_is_no_log_is_an_error(
        self, tmp_path: Path, given: str, hint: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A path that is not there, or no segment, is named with what it could be."""
        (tmp_path / "file.txt").write_text("no segment")
        assert main(["wal", "inspect", str(tmp_path / given)]) == 1
        said = capsys.readouterr().err
        assert str(tmp_path / given) in said
        assert hint in said


class TestReplay:
    """sightline wal replay"""

    def test_the_stored_requests_arrive_byte_for_byte(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Every whole request is acknowledged in its order; what was sent is kept, out of a start's way."""
        write_log(tmp_path / "dead", BODIES)
        before = only_segment(tmp_path / "dead").read_bytes()
        with Receiving(tmp_path / "living") as doors:
            assert replayed(tmp_path / "dead", doors) == 0
            assert acknowledged(doors) == BODIES
        assert only_segment(tmp_path / "dead" / "replayed").read_bytes() == before
        assert segment_files(tmp_path / "dead") == []
        assert "3 requests with 9 items were sent and acknowledged" in capsys.readouterr().out

    def test_a_second_run_sends_nothing_twice(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What was acknowledged is noted beside the segment, and left out even if that is put back."""
        write_log(tmp_path / "dead", BODIES)
        with Receiving(tmp_path / "living") as doors:
            assert replayed(tmp_path / "dead", doors) == replayed(tmp_path / "dead", doors) == 0
            for path in (tmp_path / "dead" / "replayed").iterdir():
                path.rename(tmp_path / "dead" / path.name)
            assert replayed(tmp_path / "dead", doors) == 0
            assert acknowledged(doors) == BODIES
        assert "3 requests had been sent before" in capsys.readouterr().out

    def test_a_run_that_was_cut_short_goes_on(self, tmp_path: Path) -> None:
        """After an error in the middle, the next run begins with the request that was not acknowledged."""
        write_log(tmp_path / "dead", BODIES)
        files = segment_files(tmp_path / "dead")
        with Receiving(tmp_path / "living") as doors:
            send = sender(f"http://127.0.0.1:{doors.http.port}", {})

            def break_at_second(signal: Signal, body: bytes) -> None:
                if body == BODIES[1]:
                    raise NotDelivered("the network is gone", hint="")
                send(signal, body)

            with pytest.raises(NotDelivered):
                deliver(files, break_at_second)
            assert deliver(files, send).before == 1
            assert acknowledged(doors) == BODIES

    def test_what_is_damaged_is_left_out(self, tmp_path: Path) -> None:
        """A flipped request is not sent; those before and after it are."""
        write_log(tmp_path / "dead", BODIES)
        segment = only_segment(tmp_path / "dead")
        content = bytearray(segment.read_bytes())
        content[len(content) // 2] ^= 1
        segment.write_bytes(content)
        with Receiving(tmp_path / "living") as doors:
            assert replayed(tmp_path / "dead", doors) == 0
            assert acknowledged(doors) == [BODIES[0], BODIES[2]]

    def test_a_folder_in_use_is_refused(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """While a collector owns the log nothing of it is sent: it would be stored twice."""

        async def refused() -> int:
            log = await Log.open(tmp_path)
            code = await asyncio.to_thread(main, ["wal", "replay", str(tmp_path)])
            await log.close()
            return code

        assert asyncio.run(refused()) == 1
        assert "is in use by another collector" in capsys.readouterr().err

    def test_projects_are_not_mixed(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A log of several projects is sent one project at a time, each under its own key."""
        write_log(tmp_path / "dead", BODIES[:1], "shop")
        write_log(tmp_path / "dead", BODIES[1:], "desk")
        with Receiving(tmp_path / "living") as doors:
            assert replayed(tmp_path / "dead", doors) == 1
            assert "2 projects: desk, shop" in capsys.readouterr().err
            assert replayed(tmp_path / "dead", doors, "--project", "desk") == 0
            assert acknowledged(doors) == BODIES[1:]
            assert "1 segments still hold requests of other projects" in capsys.readouterr().out
            assert replayed(tmp_path / "dead", doors) == 0
            assert acknowledged(doors) == [*BODIES[1:], *BODIES[:1]]

    def test_a_collector_that_is_full_is_asked_again(self, tmp_path: Path) -> None:
        """A retryable refusal is waited out as long as it says, within bounds; then the error is told."""
        write_log(tmp_path / "dead", BODIES)
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 3:
                raise KeyboardInterrupt

        with Receiving(tmp_path / "living", log_bytes=10) as doors:
            send = sender(f"http://127.0.0.1:{doors.http.port}", {}, pause)
            with pytest.raises(KeyboardInterrupt):
                deliver(segment_files(tmp_path / "dead"), send)
            impatient = sender(f"http://127.0.0.1:{doors.http.port}", {}, pause, patience_s=0)
            with pytest.raises(NotDelivered, match="answered 503"):
                deliver(segment_files(tmp_path / "dead"), impatient)
        assert sorted(pauses) == [1.0, 2.0, 3.0]

    def test_a_refusal_for_good_ends_the_run(self, tmp_path: Path) -> None:
        """What the collector will never take is told at once, with its words."""
        write_log(tmp_path / "dead", [b"\xff no protobuf"])
        with Receiving(tmp_path / "living") as doors:
            send = sender(f"http://127.0.0.1:{doors.http.port}", {})
            with pytest.raises(NotDelivered, match="answered 400"):
                deliver(segment_files(tmp_path / "dead"), send)

    @pytest.mark.parametrize(
        ("status", "kind", "body", "told"),
        [
            (302, "text/plain", b"", "answered 302: see http://127.0.0.1:.*/login"),
            (200, "text/html", b"<html>please log in</html>", "with text/html, which is no answer of OTLP"),
            (200, "application/x-protobuf", b"<html>", "which is no answer of OTLP"),
            (202, "application/x-protobuf", b"", "answered 202"),
            (200, "application/x-protobuf", REJECTS, "rejected 7 items of a request: too old"),
        ],
    )
    def test_only_an_answer_that_takes_all_is_an_acknowledgement(
        self, tmp_path: Path, status: int, kind: str, body: bytes, told: str
    ) -> None:
        """A proxy's redirect is not followed, its page not believed, and what is rejected is not sent."""
        asked: list[tuple[str, str]] = []
        write_log(tmp_path, BODIES)

        class Proxy(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked.append((self.command, self.path))
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Location", f"http://{self.headers['Host']}/login")
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing: what it is asked is counted."""

        proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        with served(proxy) as address, pytest.raises(NotDelivered, match=told):
            deliver(segment_files(tmp_path), sender(f"http://{address}", {}))
        assert asked == [("POST", "/v1/traces")]
        assert only_segment(tmp_path).with_suffix(".segment.sent").read_text() == ""

    def test_dead_letters_that_were_sent_are_none_any_more(self, tmp_path: Path) -> None:
        """They are moved aside with their reasons: the collector whose they were does not list them again."""
        put_aside(DeadLetters(tmp_path / "dead-letter", Health()))
        with Receiving(tmp_path / "living") as doors:
            assert replayed(tmp_path / "dead-letter", doors) == 0
            assert acknowledged(doors) == [traces(number) for number in range(1, LETTERS + 1)]
        assert DeadLetters(tmp_path / "dead-letter", Health()).letters() == []
        assert len(DeadLetters(tmp_path / "dead-letter" / "replayed", Health()).letters()) == LETTERS


def test_a_log_without_a_store_beside_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether a segment is stored can only be asked where the embedded store lies beside the log."""
    write_log(tmp_path / "wal", BODIES)
    assert main(["wal", "inspect", str(tmp_path), "--stored"]) == 1
    assert f"{tmp_path} holds no embedded store" in capsys.readouterr().err

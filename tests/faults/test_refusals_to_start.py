"""What a collector says when it cannot start: the cause, and what to do. Nothing is left running."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from collector_process import CollectorProcess


class _Refuses(BaseHTTPRequestHandler):
    """What a ClickHouse server answers to a login it does not know."""

    def do_GET(self) -> None:
        body = b"Code: 516. DB::Exception: ann: Authentication failed. (AUTHENTICATION_FAILED)"
        self.send_response(403)
        self.send_header("X-ClickHouse-Exception-Code", "516")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


class ServerThatRefusesLogins:
    """Speaks as much of ClickHouse's HTTP protocol as a wrong password gets to see."""

    def __enter__(self) -> int:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Refuses)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return int(self._server.server_address[1])

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def said_on_failure(collector: CollectorProcess) -> str:
    """The output of a collector that must not start."""
    with collector:
        collector.launch()
        assert collector.wait() == 1
        return collector.output


def test_a_second_collector_on_the_folder_is_refused(tmp_path: Path) -> None:
    """Two collectors never share a folder; the first one is not disturbed."""
    with CollectorProcess(tmp_path / "data") as first:
        first.start()
        second = CollectorProcess(tmp_path / "other", "--store", f"chdb:{tmp_path / 'data'}")
        said = said_on_failure(second)
        assert "is in use by another collector, process" in said
        assert "a data folder of its own" in said
        assert first.ask("select 1 as one") == [{"one": 1}]
        assert first.stop() == 0


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """The error names the listener, the port, who has it and the flag, before anything is opened."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = said_on_failure(CollectorProcess(tmp_path / "data", "--http-port", str(port)))
    said, hint = said.splitlines()
    assert said.startswith(f"sightline: SQL and health cannot listen on 127.0.0.1:{port}: ")
    assert "ss -ltnp" in hint
    assert "--http-port" in hint
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file where the folder should be is an error that names it."""
    (tmp_path / "data").write_text("not a folder")
    said = said_on_failure(CollectorProcess(tmp_path / "data"))
    assert str(tmp_path / "data") in said
    assert "Traceback" not in said


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A place where nobody may write, not even root, is an error that names it."""
    said = said_on_failure(CollectorProcess(tmp_path / "data", "--store", "chdb:/sys/sightline"))
    assert "/sys/sightline" in said
    assert "cannot be used" in said
    assert "Traceback" not in said


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    """The store's address is in the error, its password is not, and the embedded store is offered."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    said = said_on_failure(
        CollectorProcess(tmp_path / "data", "--store", f"clickhouse://ann:s3cret@127.0.0.1:{port}/llm")
    )
    assert said.splitlines()[0].endswith(f"@127.0.0.1:{port}/llm does not answer (Connection refused)")
    assert "chdb:./sightline-data needs no server" in said
    assert "s3cret" not in said
    assert "Traceback" not in said


def test_a_server_whose_name_nobody_knows_is_named(tmp_path: Path) -> None:
    """One line names the host that is none: no retries and no library's words around it."""
    url = "clickhouse://nosuch.host.invalid/llm"
    said, hint = said_on_failure(CollectorProcess(tmp_path / "data", "--store", url)).splitlines()
    assert said.endswith("does not answer (no host is called 'nosuch.host.invalid')")
    assert "correct the address" in hint


def test_a_wrong_password_is_named(tmp_path: Path) -> None:
    """A server that refuses the login: its word is passed on, the password is not."""
    with ServerThatRefusesLogins() as port:
        said = said_on_failure(
            CollectorProcess(tmp_path / "data", "--store", f"clickhouse://ann:s3cret@127.0.0.1:{port}/llm")
        )
    assert "516" in said
    assert "check the user and password" in said
    assert "s3cret" not in said
    assert "Traceback" not in said


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    """Configuration is checked before anything is opened."""
    said = said_on_failure(CollectorProcess(tmp_path / "data", "--segment-age-s", "soon"))
    assert "--segment-age-s (from a flag)" in said
    assert not (tmp_path / "data").exists()

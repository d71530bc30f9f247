"""A collector that runs with keys, as its users meet it."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from collector_process import CollectorProcess, wait_until
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sightline_collector.access import key_changes, key_file
from sightline_collector.access.key import Key, Scope
from sightline_collector.access.key_changes import Wanted
from sightline_collector.cli import main


class Secured:
    """A collector, and keys for it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.keys = folder / "keys.json"
        self.admin = self.add(Scope.ADMIN, project="*")
        self.collector = CollectorProcess(folder)

    def add(self, *scopes: Scope, project: str = "shop") -> str:
        """A key's token; a running collector knows it within seconds."""
        wanted = Wanted(project, frozenset(scopes))
        keys, _, token = key_changes.add(key_file.read(self.keys), wanted, "ann", 1_700_000_000)
        key_file.write(self.keys, keys)
        return token

    def key(self, token: str) -> Key:
        """The key of a token."""
        return next(key for key in key_file.read(self.keys).keys if key.id == token.split("_")[1])

    def ask(self, sql: str, token: str) -> httpx.Response:
        """A statement, asked with a key."""
        return httpx.post(self.collector.http, content=sql, headers={"authorization": f"Bearer {token}"})

    def get(self, path: str, token: str = "") -> int:
        """The status of a GET on the third port."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.get(f"{self.collector.http}{path}", headers=headers).status_code

    def send(self, token: str, name: str) -> int:
        """The status of a request with one span."""
        request = ExportTraceServiceRequest()
        request.resource_spans.add().scope_spans.add().spans.add(
            name=name, trace_id=b"t" * 16, span_id=b"s" * 8
        )
        return httpx.post(
            f"{self.collector.otlp}/v1/traces",
            content=request.SerializeToString(),
            headers={"content-type": "application/x-protobuf", "authorization": f"Bearer {token}"},
        ).status_code


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A collector that has an admin's key."""
    made = Secured(tmp_path_factory.mktemp("secured") / "data")
    with made.collector:
        made.collector.start()
        yield made
        made.collector.stop()


def test_what_a_key_sends_only_its_projects_readers_see(secured: Secured) -> None:
    """From the sender's key to the reader's: keys that are made while it runs open within seconds."""
    sender, reader, other = (
        secured.add(Scope.INGEST),
        secured.add(Scope.READ),
        secured.add(Scope.READ, project="b"),
    )
    wait_until(lambda: secured.send(sender, "till") == 200)
    flush = {"authorization": f"Bearer {secured.admin}", "content-type": "application/json"}
    assert httpx.post(
        f"{secured.collector.http}/api/flush", content=b"{}", headers=flush, timeout=60
    ).is_success
    question = "select project, name from spans"
    assert secured.ask(question, reader).text == secured.ask(question, secured.admin).text == "shop\ttill\n"
    assert (secured.ask(question, other).status_code, secured.ask(question, other).text) == (200, "")
    assert secured.ask(question, sender).status_code == 403
    assert secured.send(reader, "x") == 403


def test_a_revoked_key_is_refused_within_seconds(secured: Secured) -> None:
    """Nothing is started anew."""
    token = secured.add(Scope.READ)
    wait_until(lambda: secured.ask("select 1", token).status_code == 200)
    keys = key_changes.revoke(key_file.read(secured.keys), secured.key(token).id, 1_700_000_000)
    key_file.write(secured.keys, keys)
    wait_until(lambda: secured.ask("select 1", token).status_code != 200)
    assert secured.ask("select 1", token).headers["x-clickhouse-exception-code"] == "516"
    assert secured.get("/metrics", token) == 401


def test_the_third_port_asks_for_the_right_key(secured: Secured) -> None:
    """Whether it lives is open; its numbers are for readers of all projects, all else for admins."""
    one, every = secured.add(Scope.READ), secured.add(Scope.READ, project="*")
    wait_until(lambda: secured.get("/metrics", every) == 200)
    paths = {
        "/healthz": (200, 200, 200, 200),
        "/readyz": (200, 200, 200, 200),
        "/ping": (200, 200, 200, 200),
        "/metrics": (401, 403, 200, 200),
        "/api/status": (401, 403, 200, 200),
        "/api/budgets": (401, 403, 200, 200),
        "/api/dead-letters": (401, 403, 403, 200),
        "/api/nothing": (401, 403, 403, 404),
        "/?query=select+1": (401, 200, 200, 200),
    }
    seen = {
        path: tuple(secured.get(path, token) for token in ("", one, every, secured.admin)) for path in paths
    }
    assert seen == paths


def test_a_refused_statement_is_told_as_clickhouse_tells_it(secured: Secured) -> None:
    """Its clients read code 516; browsers are asked for a password."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{secured.collector.http}/?query=select+1")
    with refused.value as answer:
        assert answer.read().startswith(b"Code: 516. DB::Exception: There is no key with the request.")
        assert answer.headers["X-ClickHouse-Exception-Code"] == "516"
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("command", [["sql", "select 1"], ["status"]])
def test_the_command_says_where_a_key_goes(
    secured: Secured, command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one, and with one that is not known; with a reader's it answers."""
    monkeypatch.delenv("SIGHTLINE_KEY", raising=False)
    for why in ("There is no key with the request", "The key is not known here"):
        assert main([*command, "--url", secured.collector.http]) == 1
        wrong, hint = capsys.readouterr().err.splitlines()
        assert why in wrong
        assert "into $SIGHTLINE_KEY" in hint
        monkeypatch.setenv("SIGHTLINE_KEY", "another's")
    monkeypatch.setenv("SIGHTLINE_KEY", secured.admin)
    assert main([*command, "--url", secured.collector.http]) == 0


def test_a_statement_that_nothing_interrupts_holds_no_stop_up(secured: Secured) -> None:
    """Hours within one row, of a key that may read: the collector ends all the same, in order."""
    token = secured.add(Scope.READ)
    wait_until(lambda: secured.ask("select 1", token).status_code == 200)
    endless = "select length(arrayFilter(x -> has(range(1000000), x), range(1000000)))"
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            secured.collector.http, content=endless, headers={"authorization": f"Bearer {token}"}, timeout=1
        )
    assert secured.collector.stop() == 0
    assert '"drained": true' in secured.collector.output

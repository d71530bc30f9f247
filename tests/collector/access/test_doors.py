"""The doors of OTLP with keys: who may send, where it goes, and what is answered to who may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import otlp_requests
import pytest
from collector.access.keeping_keys import Kept, bearer
from collector.receive.receiving import Receiving
from google.protobuf import json_format
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from sightline_collector.access.key import Scope
from sightline_collector.receive.grpc import SERVICES
from sightline_collector.wal.segment import Signal

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED = 16, 7, 8


class Doors(Receiving):
    """Both doors, and the keys before them."""

    def __init__(self, folder: Path) -> None:
        self.kept = Kept(folder)
        super().__init__(folder / "log", gate=self.kept.gate)
        _, self.sender = self.kept.add(Scope.INGEST)
        _, self.reader = self.kept.add(Scope.READ)

    def post(self, headers: dict[str, str], content: bytes) -> httpx.Response:
        """POST to the traces door."""
        return httpx.post(self.url("traces"), content=content, headers=headers)

    def export(self, body: bytes, *metadata: tuple[str, str]) -> bytes:
        """Call the traces service."""
        with grpc.insecure_channel(self.target()) as channel:
            method = channel.unary_unary(f"/{SERVICES[Signal.TRACES]}/Export")
            answer: bytes = method(body, timeout=20, metadata=metadata)
            return answer


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Doors with a sender's and a reader's key of the project shop."""
    with Doors(tmp_path_factory.mktemp("doors")) as running:
        yield running


def traces(name: str, count: int = 1) -> bytes:
    encoded: bytes = otlp_requests.traces(count, name).SerializeToString()
    return encoded


def projects(doors: Doors, name: str) -> list[str]:
    """Where the requests whose span has this name went."""
    return [record.project for body, record in doors.records(Signal.TRACES) if name.encode() in body]


def test_the_key_says_the_project_over_http(doors: Doors) -> None:
    """What a key sends goes to its project, whichever header carries it and whatever else is said."""
    assert (
        doors.post(PROTOBUF | bearer(doors.sender) | {"x-project": "other"}, traces("a1")).status_code == 200
    )
    assert doors.post(PROTOBUF | {"x-api-key": doors.sender}, traces("a2")).status_code == 200
    assert projects(doors, "a1") == projects(doors, "a2") == ["shop"]


def test_the_key_says_the_project_over_grpc(doors: Doors) -> None:
    """Metadata carries the key as headers do."""
    doors.export(traces("b1"), ("authorization", f"Bearer {doors.sender}"))
    doors.export(traces("b2"), ("x-api-key", doors.sender))
    assert projects(doors, "b1") == projects(doors, "b2") == ["shop"]


def test_a_project_in_the_senders_own_bytes_is_overruled(doors: Doors) -> None:
    """The trailer's fields in a body, as the log itself writes them, change nothing: the log's come last."""
    forged = traces("c1") + b"\xe2\x3e\x05other"
    assert doors.post(PROTOBUF | bearer(doors.sender), forged).status_code == 200
    assert projects(doors, "c1") == ["shop"]


@pytest.mark.parametrize("path", ["traces", "logs", "metrics"])
def test_without_a_key_nothing_is_taken(doors: Doors, path: str) -> None:
    """401 with a google.rpc.Status in the request's type, and a word on how to do it."""
    answer = httpx.post(doors.url(path), content=traces("d1"), headers=PROTOBUF)
    status = Status.FromString(answer.content)
    assert (answer.status_code, status.code) == (401, UNAUTHENTICATED)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "Authorization: Bearer KEY" in status.message
    answer = httpx.post(doors.url(path), content=b"{}", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (401, UNAUTHENTICATED)
    assert projects(doors, "d1") == []


def test_a_readers_key_may_not_send(doors: Doors) -> None:
    """403 and PERMISSION_DENIED, which no client retries."""
    answer = doors.post(JSON | bearer(doors.reader), b"{}")
    status = json_format.Parse(answer.content, Status())
    assert (answer.status_code, status.code) == (403, PERMISSION_DENIED)
    with pytest.raises(grpc.RpcError) as refused:
        doors.export(traces("e1"), ("authorization", f"Bearer {doors.reader}"))
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_grpc_without_a_key_is_unauthenticated(doors: Doors) -> None:
    """UNAUTHENTICATED with the same Status in the trailers."""
    with pytest.raises(grpc.RpcError) as refused:
        doors.export(traces("f1"))
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    trailers = dict(refused.value.trailing_metadata() or ())
    assert Status.FromString(trailers["grpc-status-details-bin"]).code == UNAUTHENTICATED


def test_refusals_for_a_key_are_counted_and_are_nobodys_loss(doors: Doors) -> None:
    """Strangers cannot write into what is told of losses; the counter says that they knocked."""
    before = doors.count("receive_refused_requests_total", signal="traces", reason="unauthenticated")
    doors.post(PROTOBUF, traces("g1"))
    after = doors.count("receive_refused_requests_total", signal="traces", reason="unauthenticated")
    assert after == before + 1
    assert doors.count("loss_items_total", signal="traces", reason="unauthenticated") == 0


def test_a_key_that_sent_its_share_is_told_when_to_come_back(doors: Doors) -> None:
    """Both doors answer 429 and RESOURCE_EXHAUSTED with the time to wait, and take nothing meanwhile."""
    _, slow = doors.kept.add(Scope.INGEST, spans_per_s=1)
    assert doors.post(PROTOBUF | bearer(slow), traces("h1", count=100)).status_code == 200
    answer = doors.post(PROTOBUF | bearer(slow), traces("h2"))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert Status.FromString(answer.content).code == RESOURCE_EXHAUSTED
    with pytest.raises(grpc.RpcError) as refused:
        doors.export(traces("h2"), ("x-api-key", slow))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    trailers = dict(refused.value.trailing_metadata() or ())
    assert RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"]).retry_delay.seconds == 3
    assert projects(doors, "h2") == []
    assert doors.count("receive_refused_requests_total", signal="traces", reason="over_rate") == 2
    assert doors.post(PROTOBUF | bearer(doors.sender), traces("h3")).status_code == 200


def test_what_the_log_refuses_uses_up_no_share(tmp_path: Path) -> None:
    """A sender that tries again while the log is full has its spans and its day left when there is room."""
    kept = Kept(tmp_path)
    key, token = kept.add(Scope.INGEST, spans_per_s=1, bytes_per_day=100)
    with Receiving(tmp_path / "log", log_bytes=1, gate=kept.gate) as full:
        for _ in range(3):
            answer = httpx.post(full.url("traces"), content=traces("i1", 9), headers=PROTOBUF | bearer(token))
            assert answer.status_code == 503
    assert kept.gate.allowances[key.id].day_bytes == 0


def test_a_revoked_key_ends_within_a_look(doors: Doors) -> None:
    """A key that is revoked while senders use it is refused from the next look on."""
    from sightline_collector.access import key_changes, key_file

    key, token = doors.kept.add(Scope.INGEST)
    assert doors.post(JSON | bearer(token), b"{}").status_code == 200
    keys = key_changes.revoke(key_file.read(doors.kept.path), key.id, int(doors.kept.clock()))
    key_file.write(doors.kept.path, keys)
    doors.kept.gate.refresh()
    assert doors.post(JSON | bearer(token), b"{}").status_code == 401

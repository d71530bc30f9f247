"""The rules of OTLP put to a real collector, to one that is full, and to endpoints that break them."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import pytest
from collector.receive.receiving import Receiving
from collector_process import CollectorProcess
from served import served

from sightline_collector.conformance.endpoint import TRACES, Endpoint
from sightline_collector.conformance.rule import OUTSIDE, Finding, Level, Verdict
from sightline_collector.conformance.suite import NO_GRPC, RULES, run

LIMIT_BYTES = 1 << 20
# Not offered by this collector: what it says of each instead.
NOT_OFFERED = {
    "otlphttp-response/gzip-only-when-asked": "responses are not compressed",
    "partial-success-1/well-formed": "what is partly bad is taken whole",
    "partial-success/well-formed": "what is partly bad is taken whole",
}
OVERLOAD = [
    "otlphttp-throttling/retryable-status",
    "otlphttp-throttling/retry-after",
    "otlphttp-throttling/short-retry-after",
    "failures-1/status-of-overload",
    "otlpgrpc-throttling/unavailable",
    "otlpgrpc-throttling/time-to-wait",
    "otlpgrpc-throttling/time-to-wait-for-python",
]

# What they say of a collector without room.
AT_ONCE = {
    "otlphttp-concurrent-requests/concurrent": "0 of 64 taken, over 32 connections",
    "otlphttp-concurrent-requests/http-2-streams": "0 of 64 taken, on one connection",
    "otlpgrpc-concurrent-requests/concurrent": "0 of 128 taken, 64 at once",
}
# Rules about refusals, which who refuses nothing neither keeps nor breaks.
ABOUT_REFUSALS = [
    "otlphttp-throttling/no-wait-for-bad-data",
    "otlphttp-throttling/retryable-status",
    "failures-1/status-of-overload",
    "otlphttp-request/not-to-be-sent-again",
    "otlphttp-connection/kept-after-errors",
]


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """A whole collector that takes 1 MiB in a request, from pages of example.com too."""
    folder = tmp_path_factory.mktemp("conformance") / "data"
    flags = ("--request-mb", "1", "--cors-origins", "https://*.example.com")
    with CollectorProcess(folder, *flags) as running:
        running.start()
        yield running


@pytest.fixture(scope="module")
def findings(collector: CollectorProcess) -> dict[str, Finding]:
    """What came out of each rule."""
    endpoint = Endpoint(collector.otlp, collector.grpc, limit_bytes=LIMIT_BYTES)
    return {finding.rule.id: finding for finding in run(endpoint)}


def test_the_collector_breaks_no_rule(findings: dict[str, Finding]) -> None:
    """Every rule over HTTP and gRPC, of every level, is kept or does not apply."""
    assert {name: one.seen for name, one in findings.items() if one.verdict is Verdict.FAIL} == {}


def test_what_does_not_apply_to_the_collector_is_known(findings: dict[str, Finding]) -> None:
    """A rule that silently stopped being tried would be no rule."""
    unseen = {name for name, one in findings.items() if one.verdict is Verdict.NOT_APPLICABLE}
    assert unseen == {*NOT_OFFERED, *OVERLOAD}
    assert {name: findings[name].seen for name in NOT_OFFERED} == NOT_OFFERED


def bad_call() -> bytes:
    """An HTTP/2 connection with a call whose `te` is not what gRPC asks for."""
    fields = b"\x83\x86\x04\x02/a\x01\x09localhost\x0f\x10\x10application/grpc\x00\x02te\x08trailerz"
    head = len(fields).to_bytes(3, "big") + b"\x01\x05\x00\x00\x00\x01" + fields
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5) + head


def test_strangers_fill_no_log(collector: CollectorProcess) -> None:
    """What is no HTTP is counted; neither that nor broken gRPC is a line in the collector's own log."""
    before = collector.output
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", urlsplit(collector.otlp).port or 0), 10) as connection:
            connection.sendall(b"hello\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    with socket.create_connection(("127.0.0.1", int(collector.grpc.rpartition(":")[2])), 10) as connection:
        connection.sendall(bad_call())
        assert connection.recv(100)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1000):
            pass
    cut = re.search(r'connections_cut_total\{port="otlp",reason="no_http"\} (\S+)', collector.metrics())
    assert cut is not None
    assert float(cut[1]) >= 3
    assert collector.output == before


def test_a_full_collector_keeps_the_rules_of_overload(tmp_path: Path) -> None:
    """A log without room: 503 and UNAVAILABLE with a short time to wait, in every place that clients look."""
    with Receiving(tmp_path / "wal", log_bytes=100) as full:
        endpoint = Endpoint(f"http://127.0.0.1:{full.http.port}", full.target())
        came = list(run(endpoint, [rule for rule in RULES if rule.id in (*OVERLOAD, *AT_ONCE)]))
    assert [(one.rule.id, one.verdict, one.seen) for one in came if one.verdict is not Verdict.PASS] == []
    assert len(came) == len(OVERLOAD) + len(AT_ONCE)
    assert {one.rule.id: one.seen for one in came if one.rule.id in AT_ONCE} == AT_ONCE


class Patient(ThreadingHTTPServer):
    """Lets as many connections wait as a rule opens at once."""

    request_queue_size = 128


class Rude(BaseHTTPRequestHandler):
    """Answers everything 202 with a text, and whatever it is sent."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(202)
        self.send_header("content-type", "text/plain")
        self.end_headers()
        self.wfile.write(b"thank you")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def rude() -> Iterator[str]:
    """The URL of an endpoint that breaks most rules."""
    with served(Patient(("127.0.0.1", 0), Rude)) as address:
        yield f"http://{address}"


def test_who_breaks_a_rule_is_told_so(rude: str) -> None:
    """The findings say what was seen instead."""
    rules = [rule for rule in RULES if rule.section in ("full-success-1", "bad-data")]
    seen = {one.rule.id: one.seen for one in run(Endpoint(rude), rules) if one.verdict is Verdict.FAIL}
    assert seen == {
        "full-success-1/status": "traces as application/x-protobuf: 202 text/plain, thank you",
        "full-success-1/response-message": "traces as application/x-protobuf: 202 text/plain, thank you",
        "full-success-1/partial-success-unset": "traces as application/x-protobuf: 202 text/plain, thank you",
        "full-success-1/empty-request": "traces as application/x-protobuf: 202 text/plain, thank you",
        "bad-data/status-400": "b'not a request' as application/x-protobuf: 202 text/plain, thank you",
        "bad-data/details": "not refused: 202 text/plain, thank you",
    }


class Obliging(Rude):
    """Answers everything 200 with an empty message, on a connection that is kept."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()


def test_who_refuses_nothing_keeps_no_rule_about_refusals() -> None:
    """A rule that saw no case of what it is about says so, and does not pass."""
    with served(Patient(("127.0.0.1", 0), Obliging)) as address:
        endpoint = Endpoint(f"http://{address}", limit_bytes=LIMIT_BYTES)
        came = list(run(endpoint, [rule for rule in RULES if rule.id in ABOUT_REFUSALS]))
    assert [one.seen for one in came if one.verdict is not Verdict.NOT_APPLICABLE] == []
    assert len(came) == len(ABOUT_REFUSALS)


def test_an_answer_that_is_no_refusal_is_no_sign_of_overload(rude: str) -> None:
    """202 breaks other rules; of how overload is told it shows nothing."""
    (came,) = run(Endpoint(rude), [rule for rule in RULES if rule.id == "failures-1/status-of-overload"])
    assert (came.verdict, came.seen) == (
        Verdict.NOT_APPLICABLE,
        "of 64 requests at once none was refused",
    )


def busy(request: bytes, context: grpc.ServicerContext) -> None:
    """A collector that is full, and does not say that it may be asked again."""
    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy")


def test_a_call_that_is_refused_for_good_breaks_the_rules_of_overload() -> None:
    """RESOURCE_EXHAUSTED without RetryInfo makes a sender drop the batch."""
    service, method = TRACES.strip("/").split("/")
    handler = grpc.method_handlers_generic_handler(
        service, {method: grpc.unary_unary_rpc_method_handler(busy)}
    )
    server = grpc.server(ThreadPoolExecutor(4), handlers=[handler])
    endpoint = Endpoint("http://127.0.0.1:1", f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
    names = ["otlpgrpc-concurrent-requests/concurrent", "otlpgrpc-throttling/unavailable"]
    server.start()
    try:
        came = {one.rule.id: one for one in run(endpoint, [rule for rule in RULES if rule.id in names])}
    finally:
        server.stop(0).wait()
    assert {name: (one.verdict, one.seen) for name, one in came.items()} == dict.fromkeys(
        names, (Verdict.FAIL, "RESOURCE_EXHAUSTED, busy")
    )


def test_rules_over_grpc_do_not_apply_where_there_is_none(rude: str) -> None:
    """Without an address nothing is tried."""
    rules = [rule for rule in RULES if rule.section.startswith("otlpgrpc")]
    assert {(one.verdict, one.seen) for one in run(Endpoint(rude), rules)} == {
        (Verdict.NOT_APPLICABLE, NO_GRPC)
    }


def test_every_rule_has_an_id_of_its_own_and_one_sentence() -> None:
    """Ids are what others cite; the place of each is an address."""
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert [rule.id for rule in RULES if not rule.says.endswith(".") or ". " in rule.says] == []
    assert {rule.section for rule in RULES} >= set(OUTSIDE)
    assert {rule.level for rule in RULES} == set(Level)


def conformance(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sightline_collector.cli", "conformance", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_prints_a_table_and_says_in_its_exit_code_whether_all_is_kept(
    collector: CollectorProcess, rude: str
) -> None:
    """0 when nothing failed; 1 with the sentence and the place of what did."""
    good = conformance(collector.otlp, "--only", "bad-data/")
    assert (good.returncode, good.stderr) == (0, "")
    assert [line.split()[:3] for line in good.stdout.splitlines()[2:4]] == [
        ["bad-data/status-400", "must", "pass"],
        ["bad-data/details", "should", "pass"],
    ]
    bad = conformance(rude, "--only", "bad-data/", "--level", "must", "--format", "json")
    assert bad.returncode == 1
    assert json.loads(bad.stdout) == [
        {
            "rule": "bad-data/status-400",
            "level": "must",
            "says": "What cannot be decoded is answered 400, which no client sends again.",
            "where": "https://opentelemetry.io/docs/specs/otlp/#bad-data",
            "verdict": "fail",
            "seen": "b'not a request' as application/x-protobuf: 202 text/plain, thank you",
        }
    ]


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://127.0.0.1:1", "nothing answers at"), ("127.0.0.1:4318", "is no address")],
)
def test_where_nothing_answers_the_command_says_so(url: str, said: str) -> None:
    """No table of failures for a wrong address."""
    done = conformance(url)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr

"""The tree of faults as it is drawn, and how each fault is said in either protocol."""

import json
import re

import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status

from sightline_collector import errors
from sightline_collector.errors import Code, Fault, LogFull, Malformed, OwnFault, SenderFault, WaitingMayHelp
from sightline_collector.receive import answer

RETRIED_OVER_HTTP = {429, 502, 503, 504}


def tree(root: type[Fault]) -> list[type[Fault]]:
    return [root, *(leaf for branch in root.__subclasses__() for leaf in tree(branch))]


OWN_TREE = [fault for fault in tree(Fault) if fault.__module__ == errors.__name__]


def test_the_drawing_shows_every_fault() -> None:
    """Each class of the module is drawn, once."""
    drawn = re.findall(r"^(?:│   |    )?[├└]── (\w+)", errors.__doc__ or "", re.MULTILINE)
    assert sorted(["Fault", *drawn]) == sorted(fault.__name__ for fault in OWN_TREE)


def test_the_drawing_shows_the_status_and_code_of_each_fault_that_is_answered() -> None:
    """What is drawn is what is sent."""
    drawn = re.findall(r"── (\w+) +(\d{3}) +([A-Z_]+)", errors.__doc__ or "")
    known = {fault.__name__: fault for fault in OWN_TREE}
    assert len(drawn) > 10
    for name, http_status, grpc_code in drawn:
        assert (known[name].http_status, known[name].grpc_code.name) == (int(http_status), grpc_code)


@pytest.mark.parametrize("fault", OWN_TREE)
def test_only_what_may_pass_is_answered_with_a_status_that_is_retried(fault: type[Fault]) -> None:
    """OTLP retries 429, 502, 503 and 504 over HTTP, and UNAVAILABLE over gRPC: nothing else may use them."""
    passes = issubclass(fault, WaitingMayHelp)
    assert (fault.http_status in RETRIED_OVER_HTTP) == passes
    assert (fault.grpc_code is Code.UNAVAILABLE) <= passes


@pytest.mark.parametrize("fault", OWN_TREE)
def test_every_fault_has_a_reason_of_its_own_words(fault: type[Fault]) -> None:
    """A name for counters: lower case, no blanks."""
    assert re.fullmatch("[a-z0-9_]+", fault.reason)


def test_a_senders_fault_says_what_is_bad() -> None:
    """Message, hint, and a BadRequest detail with the reason; no time to wait."""
    fault = Malformed("The body does not parse", hint="Send protobuf")
    status, detail = answer.status(fault), BadRequest()
    assert (status.code, status.message) == (3, "The body does not parse. Send protobuf.")
    assert status.details[0].Unpack(detail)
    assert detail.field_violations[0].reason == "malformed"
    assert answer.http_headers(fault) == []
    assert [key for key, _ in answer.grpc_trailers(fault)] == ["grpc-status-details-bin"]


def test_a_fault_that_may_pass_says_how_long_to_wait() -> None:
    """In whole seconds: a header over HTTP, RetryInfo under two keys over gRPC."""
    fault = LogFull("The log is full", hint="Retry", retry_after_s=2)
    detail = RetryInfo()
    assert answer.status(fault).details[0].Unpack(detail)
    assert detail.retry_delay.seconds == 2
    assert answer.http_headers(fault) == [(b"retry-after", b"2")]
    trailers = dict(answer.grpc_trailers(fault))
    assert RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"]) == detail
    assert Status.FromString(trailers["grpc-status-details-bin"]) == answer.status(fault)


def test_our_own_fault_says_neither() -> None:
    """There is nothing that its sender could do."""
    status = answer.status(OwnFault("The collector failed", hint="Report it"))
    assert (status.code, len(status.details)) == (13, 0)


def test_the_body_is_in_the_requests_own_type() -> None:
    """The same Status, as protobuf or as JSON."""
    fault = Malformed("The body does not parse", hint="Send protobuf")
    said = json.loads(answer.http_body(fault, answer.JSON))
    status = Status.FromString(answer.http_body(fault, answer.PROTOBUF))
    assert (said["code"], said["message"]) == (status.code, status.message)


def test_a_long_message_is_cut() -> None:
    """What comes from a sender's bytes may be long; an answer is small."""
    fault = SenderFault("x" * 100_000, hint="")
    assert len(answer.http_body(fault, answer.PROTOBUF)) < 4096
    assert len(answer.grpc_trailers(fault)[0][1]) < 4096

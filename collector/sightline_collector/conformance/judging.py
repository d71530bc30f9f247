"""What rules share: an answer read as the protocol's own messages, or Broken with what was there instead."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import parsedate_to_datetime

import grpc
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status

from sightline_collector.conformance.endpoint import Answer, Reply
from sightline_collector.conformance.payload import JSON, RESPONSES
from sightline_collector.conformance.rule import Broken, NotApplicable

RETRYABLE = frozenset({429, 502, 503, 504})
RETRYABLE_CODES = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
STATUS_TRAILER = "grpc-status-details-bin"
PYTHON_TRAILER = "google.rpc.retryinfo-bin"
"""Where OpenTelemetry's Python exporter looks for the time to wait."""
_SHOWN_BYTES = 60


def media_type(answer: Answer) -> str:
    """The answer's type without parameters, "" when it has none."""
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()


def shown(answer: Answer) -> str:
    """The answer in a few words."""
    body = repr(answer.body[:_SHOWN_BYTES])[2:-1] if answer.body else "no body"
    return f"{answer.status} {media_type(answer) or 'no type'}, {body}"


def expect(holds: bool, seen: str) -> None:
    """Raises Broken when it does not hold."""
    if not holds:
        raise Broken(seen)


def some_refused(answers: Iterable[Answer]) -> None:
    """Raises NotApplicable when none is 4xx or 5xx: there a rule about refusals shows nothing."""
    if all(answer.status < 400 for answer in answers):
        raise NotApplicable("nothing was refused")


def success(answer: Answer, signal: str, content_type: str) -> Message:
    """The Export…ServiceResponse of an answer of 200."""
    expect(answer.status == 200, f"{signal} as {content_type}: {shown(answer)}")
    return _message(RESPONSES[signal](), answer, content_type)


def refusal(answer: Answer, content_type: str) -> Status:
    """The google.rpc.Status of an answer of 4xx or 5xx, in that type."""
    expect(answer.status >= 400, f"not refused: {shown(answer)}")
    expect(
        media_type(answer) == content_type and bool(answer.body),
        f"no Status in {content_type}: {shown(answer)}",
    )
    status = _message(Status(), answer, content_type)
    assert isinstance(status, Status)
    return status


def _message(message: Message, answer: Answer, content_type: str) -> Message:
    try:
        if content_type == JSON:
            return json_format.Parse(answer.body, message, ignore_unknown_fields=True)
        message.MergeFromString(answer.body)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError):
        raise Broken(f"no {message.DESCRIPTOR.name} as {content_type}: {shown(answer)}") from None
    return message


def partial(response: Message) -> tuple[int, str] | None:
    """How many items were rejected and why, from an Export…ServiceResponse; None when that is unset."""
    if not response.HasField("partial_success"):
        return None
    said = response.partial_success
    rejected = [value for field, value in said.ListFields() if field.name.startswith("rejected_")]
    return (rejected[0] if rejected else 0), said.error_message


def bad_request(status: Status) -> bool:
    """True when a detail says what is bad."""
    return any(detail.Is(BadRequest.DESCRIPTOR) for detail in status.details)


def retry_info(status: Status) -> RetryInfo | None:
    """How long to wait, where a detail says so."""
    found = RetryInfo()
    return found if any(detail.Unpack(found) for detail in status.details) else None


def status_of(reply: Reply) -> Status:
    """The google.rpc.Status in a reply's trailers; an empty one when there is none."""
    said = reply.trailers.get(STATUS_TRAILER, b"")
    try:
        return Status.FromString(said if isinstance(said, bytes) else said.encode("latin-1"))
    except DecodeError:
        raise Broken(f"{STATUS_TRAILER} holds no google.rpc.Status") from None


def may_be_sent_again(reply: Reply) -> bool:
    """True for UNAVAILABLE, and RESOURCE_EXHAUSTED with RetryInfo: without it a sender drops the batch."""
    if reply.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return retry_info(status_of(reply)) is not None
    return reply.code is grpc.StatusCode.UNAVAILABLE


def said(reply: Reply) -> str:
    """The reply in a few words."""
    return ", ".join([reply.code.name, *filter(None, [reply.details[:_SHOWN_BYTES]])])


def taken(reply: Reply, what: str) -> None:
    """Raises Broken when it was not."""
    expect(reply.code is grpc.StatusCode.OK, f"{what}: {said(reply)}")


def is_wait(retry_after: str) -> bool:
    """True for what Retry-After may be: seconds or an HTTP date."""
    if retry_after.isdigit():
        return True
    try:
        return parsedate_to_datetime(retry_after) is not None
    except ValueError:
        return False

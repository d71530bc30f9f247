"""How recordings are kept: read back as they were written, and scrubbed of the machine they were made on."""

from __future__ import annotations

import socket
from pathlib import Path

from corpora import recording
from corpora.scrub import NEUTRAL, scrub, words_of_here
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import attributes

HERE = "/srv/checkout"


def request_of(*, resource: dict[str, object], span: dict[str, object]) -> ExportTraceServiceRequest:
    """A request of one span."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(attributes(resource))
    group.scope_spans.add().spans.add(name="call").attributes.extend(attributes(span))
    return request


def scrubbed(*, resource: dict[str, object], span: dict[str, object]) -> ExportTraceServiceRequest:
    request = request_of(resource=resource, span=span)
    scrub(request, words_of_here(Path(HERE)))
    return request


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Empty requests and those longer than a varint's first byte can say come back, in order."""
    requests = [b"", b"a", b"b" * 127, b"c" * 128, b"d" * 20_000, b""]
    recording.write(tmp_path / "requests.binpb", requests)
    assert list(recording.read(tmp_path / "requests.binpb")) == requests


def test_no_recording_is_no_requests(tmp_path: Path) -> None:
    """A dialect that sends no logs has no file of them."""
    assert list(recording.read(tmp_path / "logs.binpb")) == []


def test_what_describes_the_machine_is_made_neutral() -> None:
    """Host, process and instance lose their values; the service and the runtime are the dialect's."""
    kept = {"service.name": "corpus", "process.runtime.name": "cpython"}
    machine = {"host.name": "rack-7", "process.pid": 4711, "service.instance.id": "4f"}
    assert scrubbed(resource={**kept, **machine}, span={}) == request_of(
        resource={**kept, **dict.fromkeys(machine, NEUTRAL)}, span={}
    )


def test_this_machines_folders_and_name_are_replaced_wherever_they_stand() -> None:
    """In nested values, and inside a text, which otherwise stays as it was."""
    span = {
        "code.filepath": f"{HERE}/make.py",
        "nested": [{"home": f"in {Path.home()}/notes"}],
        "server": socket.gethostname(),
        "question": "What does a lighthouse do?",
    }
    assert scrubbed(resource={}, span=span) == request_of(
        resource={},
        span={
            "code.filepath": "/app/make.py",
            "nested": [{"home": "in /home/user/notes"}],
            "server": NEUTRAL,
            "question": "What does a lighthouse do?",
        },
    )

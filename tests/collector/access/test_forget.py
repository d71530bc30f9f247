"""Erasure: what goes, what stays, and that no file holds it any more, compressed or not."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import lz4.block
import pytest
import zstandard
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import any_value, attributes

from sightline_collector.access.erase import tables
from sightline_collector.access.search import SCHEMA, Found, Needles, Searched, blocks, search
from sightline_collector.access.subject import WITHOUT_USERS, Subject, without
from sightline_collector.sql.catalog import Catalog
from sightline_collector.wal.segment import Signal

TRACE = "0123456789abcdef0123456789abcdef"
ANN = Subject("ann@shop.example", keys=("user.id", "enduser.id"), traces=frozenset({TRACE}))


def traces(*spans: Mapping[str, object]) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for span in spans:
        scope.spans.add(**span)
    return request


def test_a_requests_own_items_go_and_the_others_stay() -> None:
    """Items that name the user, or belong to their traces, whichever attribute says so."""
    named = {"name": "named", "attributes": attributes({"enduser.id": ANN.user})}
    traced = {"name": "traced", "trace_id": bytes.fromhex(TRACE)}
    other = {"name": "other", "attributes": attributes({"user.id": "bob", "note": ANN.user})}
    request = traces(named, other, traced)
    assert without(request, Signal.TRACES, ANN) == 2
    assert request == traces(other)


@pytest.mark.parametrize("number", [7, 90817263544])
def test_an_id_that_senders_write_as_a_number_is_the_users(tmp_path: Path, number: int) -> None:
    """It goes from requests, and is found in files as it was sent: a short one with its attribute's name."""
    subject = Subject(
        str(number), keys=("user.id",), values=frozenset({any_value(number).SerializeToString()})
    )
    named, other = ({"name": "n", "attributes": attributes({"user.id": n})} for n in (number, number + 1))
    request = traces(named, other)
    for name, content in (("theirs", request), ("others", traces(other))):
        (tmp_path / name).write_bytes(content.SerializeToString())
    assert [*search(tmp_path, Needles(subject), Searched())] == [Found("theirs", "user")]
    assert without(request, Signal.TRACES, subject) == 1
    assert request == traces(other)


def test_a_resource_of_the_user_goes_as_a_whole() -> None:
    """What a resource says is said of all its items; nothing is left of an empty one."""
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.extend(attributes({"user.id": ANN.user}))
    resource.scope_logs.add().log_records.add()
    assert without(request, Signal.LOGS, ANN) == 1
    assert request == ExportLogsServiceRequest()


def test_a_metric_goes_when_a_point_names_the_user() -> None:
    """Data points have attributes of their own."""
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    scope.metrics.add(name="kept").sum.data_points.add(as_int=1)
    points = scope.metrics.add(name="gone").gauge.data_points
    points.add(attributes=attributes({"user.id": ANN.user}))
    assert without(request, Signal.METRICS, ANN) == 1
    assert [metric.name for metric in scope.metrics] == ["kept"]


def test_every_stored_table_is_erased_from_or_holds_no_user() -> None:
    """A table that somebody adds fails here until it is one or the other."""
    named = {table for step in (*ANN.steps(), *ANN.told()) for table in step}
    assert set(tables()) == named
    stored = {relation.name for relation in Catalog("").relations("tables")}
    assert {name for name in stored if name.startswith(WITHOUT_USERS)} == stored - named


@pytest.mark.parametrize("user", ["o'neil", "a\\", "'; drop table spans_v1 --", "\n", "a' or '1' = '1"])
def test_an_id_is_text_and_no_statement(user: str) -> None:
    """Whatever an id holds, it stands quoted; in what the engine writes into a file it stands hashed."""
    escaped = user.replace("\\", "\\\\").replace("'", "\\'")
    steps = list(Subject(user, keys=("user.id",), traces=frozenset({TRACE})).steps())
    assert steps != []
    for step in steps:
        assert all(f"'{escaped}'" in condition for condition in step.values())
    for step in Subject(user, keys=("user.id",), traces=frozenset({TRACE})).steps(salt="5a17"):
        assert not any(escaped in condition or TRACE in condition for condition in step.values())


def block(method: int, data: bytes, plain: bytes) -> bytes:
    return bytes(16) + struct.pack("<BII", method, len(data) + 9, len(plain)) + data


def test_compressed_blocks_are_read_as_the_engine_writes_them(tmp_path: Path) -> None:
    """ZSTD, LZ4 and none; other methods hold numbers and are passed over; damage ends the file."""
    parts = [b"one", b"two", b"three"]
    content = block(0x90, zstandard.compress(parts[0]), parts[0])
    content += block(0x94, b"numbers", b"n" * 20)
    content += block(0x82, lz4.block.compress(parts[1], store_size=False), parts[1])
    content += block(0x02, parts[2], parts[2])
    file = tmp_path / "data.bin"
    file.write_bytes(content + block(0x90, b"damaged", b"x" * 9) + content)
    assert list(blocks(file)) == parts
    file.write_bytes(b"no such file at all, but long enough for a head")
    assert list(blocks(file)) == []


def test_an_id_is_found_wherever_it_is(tmp_path: Path) -> None:
    """Raw, compressed, across two blocks, and a trace's id in the bytes that senders write."""
    half = len(ANN.user) // 2
    cut = [ANN.user.encode()[:half], ANN.user.encode()[half:]]
    (tmp_path / "raw").write_bytes(b"..." + ANN.user.encode())
    (tmp_path / "packed").write_bytes(b"".join(block(0x90, zstandard.compress(c), c) for c in cut))
    (tmp_path / "hex").write_bytes(block(0x90, zstandard.compress(TRACE.encode()), TRACE.encode()))
    (tmp_path / "binary").write_bytes(b"\x0a\x10" + bytes.fromhex(TRACE))
    (tmp_path / "other").write_bytes(b"bob@shop.example" + b"f" * 32)
    searched = Searched()
    assert list(search(tmp_path, Needles(ANN), searched)) == [
        Found("binary", "trace"), Found("hex", "trace"), Found("packed", "user"), Found("raw", "user"),
    ]  # fmt: skip
    assert (searched.files, searched.unreadable) == (5, 0)


def test_links_are_followed_and_what_is_not_there_is_told(tmp_path: Path) -> None:
    """Folders and files behind links, and a store beside, each once; what leads nowhere counts as unread."""
    folder, beside, behind = (tmp_path / name for name in ("data", "beside", "behind"))
    for place in (folder, beside, behind):
        place.mkdir()
        (place / "file").write_text(ANN.user)
    (folder / "link").symlink_to(behind)
    (behind / "back").symlink_to(folder)
    (tmp_path / "alone").write_text(ANN.user)
    (beside / "one").symlink_to(tmp_path / "alone")
    searched = Searched()
    found = list(search(folder, Needles(ANN), searched, beside, folder / "link"))
    assert {one.file for one in found} == {
        "file",
        str(beside / "file"),
        str(behind / "file"),
        str(tmp_path / "alone"),
    }
    assert (len(found), searched.files, searched.gone, searched.unreadable) == (4, 4, 0, 0)
    (folder / "nowhere").symlink_to(tmp_path / "unmounted")
    assert [*search(folder, Needles(ANN), searched)] != []
    assert searched.unreadable == 1


def test_a_short_id_is_looked_for_as_a_word(tmp_path: Path) -> None:
    """u1 is not found in u12: it would be in every file by chance."""
    (tmp_path / "a").write_bytes(b"u12 xu1 u1_")
    (tmp_path / "b").write_bytes(b"\x02u1\x02u2")
    assert list(search(tmp_path, Needles(Subject("u1")), Searched())) == [Found("b", "user")]


def test_a_word_of_the_schema_is_told_and_counts_only_elsewhere(tmp_path: Path) -> None:
    """Who is called admin can be erased: a statement of ours that says admin holds nothing of theirs, but
    their traces' ids would be theirs there, too."""
    for name in ("audit.sql", "data.bin"):
        (tmp_path / name).write_bytes(b"what an admin did")
    (tmp_path / "traced.sql").write_bytes(b"what an admin did: " + TRACE.encode())
    admin = Subject("admin", traces=frozenset({TRACE}))
    assert list(search(tmp_path, Needles(admin, schema=b"-- what an admin did"), Searched())) == [
        Found("audit.sql", SCHEMA), Found("data.bin", "user"),
        Found("traced.sql", SCHEMA), Found("traced.sql", "trace"),
    ]  # fmt: skip
    other = Needles(admin, schema=b"-- what administrators did")
    assert next(search(tmp_path, other, Searched())) == Found("audit.sql", "user")

"""What a segment file promises: whatever happens to its bytes, whole records are told from the rest."""

import struct
import zlib
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sightline_collector.wal import segment
from sightline_collector.wal.segment import Damage, DamageKind, Entry, Record

WRITER = "0123456789abcdef" * 2
BATCH = 77
NOW_NS = 1_790_000_000_000_000_000

BODIES = st.lists(
    st.one_of(
        st.binary(max_size=300),
        st.integers(0, 2000).map(bytes),
        st.binary(max_size=20).map(lambda body: record(body, batch=BATCH + 1)),
    ),
    max_size=6,
)


def record(body: bytes, batch: int = BATCH, project: str = "default", items: int = 3) -> bytes:
    head, trailer = segment.frame(Entry(body, items, project, NOW_NS), batch, WRITER)
    return head + body + trailer


def kinds(data: bytes) -> list[DamageKind | None]:
    return [found.kind if isinstance(found, Damage) else None for found in segment.read(data, BATCH)]


def bodies_of(data: bytes) -> list[bytes]:
    return [bytes(one.body(data)) for one in segment.records(data, BATCH)]


def test_a_record_is_the_body_followed_by_six_fields_in_order() -> None:
    """The trailer is 1001 received_at, 1002 batch, 1003 writer, 1004 project, 1005 items, 1006 crc32."""
    _, trailer = segment.frame(Entry(b"body", 300, "shop", NOW_NS), 5, WRITER)
    before_crc = (
        b"\xc8\x3e" + segment.varint(NOW_NS) + b"\xd0\x3e\x05" + b"\xda\x3e\x20" + WRITER.encode()
        + b"\xe2\x3e\x04shop" + b"\xe8\x3e\xac\x02"
    )  # fmt: skip
    assert trailer == before_crc + b"\xf5\x3e" + struct.pack("<I", zlib.crc32(b"body" + before_crc))


def test_body_and_trailer_together_are_one_valid_message() -> None:
    """A protobuf parser reads the record, and the sender's part of it comes out unchanged."""
    body = ExportTraceServiceRequest()
    body.resource_spans.add().scope_spans.add().spans.add(name="chat")
    framed = record(body.SerializeToString())
    whole = segment.records(framed, BATCH)[0]
    parsed = ExportTraceServiceRequest.FromString(framed[whole.body_start : whole.end])
    assert parsed.resource_spans == body.resource_spans


def test_a_record_comes_back_as_it_was_appended() -> None:
    """Body, items, project, writer, batch and time are read back from the bytes alone."""
    data = record(b"first", project="a.b-c_D9", items=0) + record(b"", items=50_000)
    first, second = segment.records(data, BATCH)
    assert (bytes(first.body(data)), first.project, first.items) == (b"first", "a.b-c_D9", 0)
    assert (bytes(second.body(data)), second.project, second.items) == (b"", "default", 50_000)
    assert {(r.received_at_ns, r.writer, r.batch) for r in (first, second)} == {(NOW_NS, WRITER, BATCH)}
    assert bytes(first.framed(data)) + bytes(second.framed(data)) == data


def test_an_empty_segment_has_no_records_and_no_damage() -> None:
    """A file of no bytes is a segment into which nothing was written."""
    assert list(segment.read(b"", BATCH)) == []


@pytest.mark.parametrize("project", ["", "a" * 65, "a b", "schön", "a\n"])
def test_a_project_outside_its_alphabet_is_refused(project: str) -> None:
    """The trailer has one reading only because a project is 1 to 64 of A-Z a-z 0-9 . _ -."""
    with pytest.raises(ValueError, match="project"):
        record(b"", project=project)


def test_a_writer_outside_its_alphabet_is_refused() -> None:
    """A writer is 32 lower-case hex digits."""
    with pytest.raises(ValueError, match="writer"):
        segment.frame(Entry(b"", 0, "p", NOW_NS), 1, "me")


@given(bodies=BODIES, cut=st.integers(0, 10_000))
def test_whatever_prefix_is_given_the_records_are_a_prefix_of_those_appended(
    bodies: list[bytes], cut: int
) -> None:
    """Cut anywhere, also inside a body that holds another segment: whole records before the cut remain."""
    framed = [record(body) for body in bodies]
    prefix = b"".join(framed)[:cut]
    whole = sum(1 for end in accumulate(len(one) for one in framed) if end <= len(prefix))
    assert bodies_of(prefix) == bodies[:whole]
    left = len(prefix) - sum(len(one) for one in framed[:whole])
    assert kinds(prefix)[whole:] in ([], [DamageKind.TORN], [DamageKind.ZEROS])
    assert bool(left) == (len(kinds(prefix)) > whole)


@given(bodies=BODIES.filter(bool), at=st.integers(0), bit=st.integers(0, 7))
def test_a_flipped_bit_costs_at_most_the_record_it_hits(bodies: list[bytes], at: int, bit: int) -> None:
    """Reading goes on behind the damage: every other record comes back, in order, none is made up."""
    framed = [record(body) for body in bodies]
    data = bytearray(b"".join(framed))
    at %= len(data)
    data[at] ^= 1 << bit
    hit = next(i for i, end in enumerate(accumulate(map(len, framed))) if at < end)
    assert bodies_of(bytes(data)) == bodies[:hit] + bodies[hit + 1 :]


@given(bodies=BODIES, noise=st.binary(max_size=200))
def test_what_is_read_covers_every_byte_once(bodies: list[bytes], noise: bytes) -> None:
    """Records and damage lie end to end from the first byte to the last."""
    data = b"".join(record(body) for body in bodies) + noise + record(b"last")
    found = list(segment.read(data, BATCH))
    assert [one.start for one in found] == [0, *[one.end for one in found[:-1]]]
    assert found[-1].end == len(data)


def test_a_torn_tail_is_named_torn() -> None:
    """The process died while it wrote: the file ends before its last record does."""
    data = record(b"whole") + record(b"cut short")[:-1]
    assert kinds(data) == [None, DamageKind.TORN]


def test_a_zero_filled_tail_is_named_zeros_and_never_read_as_empty_requests() -> None:
    """A zero length would be a valid empty message to the engine, so no zero may survive."""
    assert kinds(record(b"whole") + bytes(4096)) == [None, DamageKind.ZEROS]
    assert kinds(bytes(1)) == [DamageKind.ZEROS]


def test_a_flipped_bit_is_named_flipped() -> None:
    """The checksum does not hold: the medium changed the record."""
    data = bytearray(record(b"first") + record(b"second") + record(b"third"))
    data[len(record(b"first")) + 3] ^= 1
    assert kinds(bytes(data)) == [None, DamageKind.FLIPPED, None]


def test_a_record_of_another_segment_is_named_foreign() -> None:
    """Only records that carry the segment's own batch number belong to it."""
    assert kinds(record(b"mine") + record(b"not mine", batch=BATCH + 1)) == [None, DamageKind.FOREIGN]


def test_a_length_that_was_damaged_does_not_hide_the_records_behind_it() -> None:
    """The next record is found by the trailer before it when the length cannot be trusted."""
    data = record(b"x" * 200) + record(b"second")
    for broken in (b"\xff\xff\xff\xff\x7f", b"\xff" * 5):
        damaged = broken + data[5:]
        assert bodies_of(damaged) == [b"second"]
        assert kinds(damaged) == [DamageKind.FLIPPED, None]


def test_forged_trailer_fields_in_the_body_change_nothing() -> None:
    """A sender's own fields 1001 to 1006 stay part of the body; ours are the ones that count."""
    forged = b"\xe2\x3e\x05admin\xe8\x3e\x63\xf5\x3e\x00\x00\x00\x00"
    data = record(forged, project="mine", items=2)
    (whole,) = segment.records(data, BATCH)
    assert (whole.project, whole.items, bytes(whole.body(data))) == ("mine", 2, forged)
    assert isinstance(whole, Record)

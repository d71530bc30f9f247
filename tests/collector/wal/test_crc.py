"""Sums of stretches: the same as summed directly, whatever the stretch."""

import zlib
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sightline_collector.wal import segment
from sightline_collector.wal.crc import DIRECT_BYTES, STEP_BYTES, Sums
from sightline_collector.wal.segment import Damage, DamageKind

DATA = Random(5).randbytes(3 * DIRECT_BYTES + STEP_BYTES // 2)
SUMS = Sums(DATA)
SIZES = st.integers(0, len(DATA))


@given(SIZES, SIZES)
def test_a_stretchs_sum_is_its_crc32(one: int, other: int) -> None:
    """By difference of two prefixes or directly, it is what zlib says."""
    start, end = sorted((one, other))
    assert SUMS.of(start, end) == zlib.crc32(DATA[start:end])


def test_thousands_of_places_that_claim_all_that_follows_are_no_records() -> None:
    """Bytes made so that each place looks like a record up to the end cost a sum each, not a reading."""
    length, trailer = segment.frame(segment.Entry(b"", 1, "default", 1), 42, "5f3a01bc" * 4)
    unit = 5 + len(trailer)
    claims = ((number * unit - 5, trailer[:-4] + b"\0\0\0\0") for number in range(4000, 0, -1))
    padded = b"".join(
        bytes((size >> 7 * n & 0x7F) | (0x80 if n < 4 else 0) for n in range(5)) + end for size, end in claims
    )
    assert len(length) == 1
    torn = b"\xff\xff\xff\xff\x0f" + padded
    assert list(segment.read(torn, 42)) == [Damage(0, len(torn), DamageKind.TORN)]

"""What a statement may be packed in: all of it, or it is refused."""

import gzip
import zlib

import lz4.frame
import pytest
import zstandard

from sightline_collector.gateway.encodings import inflated

STATEMENT = b"select service, cost_usd from cost_by_model where service = 'shop' " * 20
PACKED = {
    "gzip": gzip.compress(STATEMENT, mtime=0),
    "deflate": zlib.compress(STATEMENT),
    "zstd": zstandard.compress(STATEMENT),
    "lz4": lz4.frame.compress(STATEMENT),
}
BOUND = 1 << 20

each = pytest.mark.parametrize("coding", PACKED)


@each
def test_a_whole_body_is_unpacked_up_to_its_bound(coding: str) -> None:
    """None is a body that is larger than the bound."""
    assert inflated(PACKED[coding], coding, BOUND) == STATEMENT
    assert inflated(PACKED[coding], coding, len(STATEMENT)) == STATEMENT
    assert inflated(PACKED[coding], coding, len(STATEMENT) - 1) is None


@each
@pytest.mark.parametrize("missing", [1, 5, 20])
def test_half_a_statement_is_never_run(coding: str, missing: int) -> None:
    """A body that was cut off is refused, however much of it could be read."""
    with pytest.raises(ValueError, match=f"it is no {coding}"):
        inflated(PACKED[coding][:-missing], coding, BOUND)


@each
def test_what_follows_the_end_is_refused(coding: str) -> None:
    """Something else than the sender meant may have come."""
    with pytest.raises(ValueError, match=f"it is no {coding}"):
        inflated(PACKED[coding] + b"or 1", coding, BOUND)


def test_frames_of_zstd_may_follow_each_other() -> None:
    """As a sender that flushes between parts makes them."""
    assert inflated(PACKED["zstd"] * 2, "zstd", BOUND) == STATEMENT * 2


@each
def test_nothing_is_nothing_in_every_coding(coding: str) -> None:
    """The statement stands in the URL then."""
    assert inflated(b"", coding, BOUND) == b""

"""What is inflated, and how a bomb is stopped."""

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from sightline_collector.errors import Malformed, TooLarge, UnsupportedMedia
from sightline_collector.receive.inflate import inflate
from sightline_collector.receive.limits import DEFAULT, Limits

MIB = 1 << 20


def raw_deflate(plain: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(plain) + compressor.flush()


def zstd(plain: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(plain)


def zstd_stream(plain: bytes) -> bytes:
    """Without the content's size in its head, as a streaming sender writes it."""
    compressor = zstandard.ZstdCompressor().compressobj()
    return compressor.compress(plain) + compressor.flush()


Compress = Callable[[bytes], bytes]

SPOKEN: list[tuple[str, Compress]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("zstd", zstd),
    ("zstd", zstd_stream),
    ("GZip ", gzip.compress),
]


@pytest.mark.parametrize(("encoding", "compress"), SPOKEN)
@given(plain=st.binary(max_size=5000))
def test_every_spoken_encoding_gives_the_plain_bytes_back(
    encoding: str, compress: Compress, plain: bytes
) -> None:
    """gzip, deflate with and without its header, zstd with and without its size."""
    assert inflate(compress(plain), encoding) == plain


@pytest.mark.parametrize("encoding", ["", "identity", "Identity"])
def test_no_encoding_leaves_the_body_as_it_is(encoding: str) -> None:
    """The very same bytes come back, not a copy."""
    body = b"plain"
    assert inflate(body, encoding) is body


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstd)])
def test_members_that_follow_each_other_are_one_body(encoding: str, compress: Compress) -> None:
    """Both formats may be concatenated."""
    assert inflate(compress(b"one, ") + compress(b"two, ") + compress(b""), encoding) == b"one, two, "


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "snappy", "ünknown"])
def test_an_unknown_encoding_is_named_with_those_that_are_spoken(encoding: str) -> None:
    """The sender reads what to use instead."""
    with pytest.raises(UnsupportedMedia, match="Use one of gzip, deflate, zstd, or none") as refused:
        inflate(b"body", encoding)
    assert refused.value.reason == "unsupported_encoding"


@pytest.mark.parametrize(("encoding", "compress"), SPOKEN)
def test_a_body_that_ends_too_early_is_refused(encoding: str, compress: Compress) -> None:
    """Cut anywhere, it is never taken for a shorter body."""
    whole = compress(b"some text that is worth compressing " * 100)
    for end in range(len(whole)):
        with pytest.raises(Malformed) as refused:
            inflate(whole[:end], encoding)
        assert refused.value.reason == "malformed_encoding"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_what_is_not_of_its_encoding_is_refused(encoding: str) -> None:
    """A plain body under a compressed name, and rubbish behind a whole body, are malformed."""
    compressors: dict[str, Compress] = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd}
    compress = compressors[encoding]
    for body in (b"\xffplain", compress(b"body") + b"rubbish"):
        with pytest.raises(Malformed, match=f"not valid {encoding}"):
            inflate(body, encoding)


@pytest.mark.parametrize(("encoding", "compress"), SPOKEN)
def test_a_bomb_is_stopped_at_the_ratio(encoding: str, compress: Compress) -> None:
    """100 MB of zeros in 100 KB or less: refused, with no more memory taken than the bound and a step."""
    bomb = compress(bytes(100 * MIB))
    bound = max(MIB, DEFAULT.inflate_ratio * len(bomb))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge) as refused:
            inflate(bomb, encoding)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.reason == ("inflate_ratio" if bound < 64 * MIB else "too_large")
    assert peak < 2.5 * bound + 20 * MIB


@pytest.mark.parametrize(("encoding", "compress"), SPOKEN)
def test_a_body_may_not_inflate_beyond_the_byte_limit(encoding: str, compress: Compress) -> None:
    """The limit holds after inflating as it does before; up to it, the body is taken."""
    small = Limits(body_bytes=2000)
    text = bytes(range(250)) * 8
    assert inflate(compress(text), encoding, small) == text
    with pytest.raises(TooLarge, match="larger than 2000 bytes"):
        inflate(compress(text + b"!"), encoding, small)


def test_a_prompt_that_each_call_repeats_is_no_bomb() -> None:
    """An agent's batch with zstd, whose window holds the calls before: beyond two hundredfold, and taken."""
    prompt, ids = random.Random(0).randbytes(20_000), random.Random(1)
    batch = b"".join(ids.randbytes(24) + prompt for _ in range(600))
    shrunk = zstd(batch)
    assert len(batch) > 200 * len(shrunk)
    assert inflate(shrunk, "zstd") == batch


def test_below_one_mebibyte_any_ratio_is_allowed() -> None:
    """A small repetitive batch shrinks a thousandfold, and is no bomb."""
    assert inflate(gzip.compress(bytes(MIB)), "gzip") == bytes(MIB)


def test_a_zstd_window_beyond_8_mib_is_refused() -> None:
    """RFC 9659 bounds what a sender may make a receiver remember."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(Malformed, match="not valid zstd"):
        inflate(compressor.compress(bytes(16 * MIB)) + compressor.flush(), "zstd")

"""Compressed bodies become plain ones, within a bound that a bomb cannot pass. Pure.

The bound comes first: a body inflates to no more than the ratio allows (above one MiB, where it begins to
matter), and never to more than a request may have.
"""

import zlib
from collections.abc import Callable

import zstandard

from sightline_collector.errors import Malformed, TooLarge, UnsupportedMedia
from sightline_collector.receive.check import too_many_bytes
from sightline_collector.receive.limits import DEFAULT, Limits

_RATIO_FREE_BYTES = 1 << 20

ENCODINGS = "gzip, deflate, zstd"

# RFC 9659: what a zstd content coding may ask a receiver to remember.
_ZSTD_WINDOW_BYTES_MAX = 8 << 20
# A zstd block of 4 bytes can become 128 KiB, and the library cannot be told where to stop: fed a little at a
# time, it oversteps the bound by 8 MiB at most.
_ZSTD_STEP_BYTES = 256


def inflate(body: bytes, encoding: str, limits: Limits = DEFAULT) -> bytes:
    """The plain bytes of a body under a Content-Encoding; "" and "identity" mean that it is plain already.

    Raises UnsupportedMedia, Malformed (not of that encoding, or cut short) and TooLarge (beyond the bound).
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    decode = _DECODERS.get(name)
    if decode is None:
        raise UnsupportedMedia(
            f"The content encoding {encoding[:50]!r} is not spoken here",
            hint=f"Use one of {ENCODINGS}, or none",
            reason="unsupported_encoding",
        )
    try:
        plain = decode(body, _bound(body, limits))
    except (zlib.error, zstandard.ZstdError) as error:
        raise _broken(name, str(error)) from None
    if plain is None:
        raise _bomb(body, limits)
    return plain


def _bound(body: bytes, limits: Limits) -> int:
    return min(limits.body_bytes, max(_RATIO_FREE_BYTES, limits.inflate_ratio * len(body)))


def _gzip(body: bytes, bound: int) -> bytes | None:
    return _zlib(body, bound, "gzip", 16 + zlib.MAX_WBITS)


def _deflate(body: bytes, bound: int) -> bytes | None:
    """HTTP's deflate is the zlib format; some senders leave its header out, and are understood."""
    has_header = len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _zlib(body, bound, "deflate", zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)


def _zlib(body: bytes, bound: int, name: str, window_bits: int) -> bytes | None:
    """One member after the other, as gzip allows; None beyond the bound."""
    plain: list[bytes] = []
    size_bytes = 0
    rest = body
    while True:
        decoder = zlib.decompressobj(window_bits)
        plain.append(decoder.decompress(rest, bound + 1 - size_bytes))
        size_bytes += len(plain[-1])
        if size_bytes > bound:
            return None
        if not decoder.eof:
            raise _broken(name, "it ends too early")
        rest = decoder.unused_data
        if not rest:
            return plain[0] if len(plain) == 1 else b"".join(plain)


def _zstd(body: bytes, bound: int) -> bytes | None:
    """One frame after the other; None beyond the bound."""
    plain = bytearray()
    context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES_MAX)
    decoder = context.decompressobj()
    for start in range(0, len(body), _ZSTD_STEP_BYTES):
        step = body[start : start + _ZSTD_STEP_BYTES]
        while step:
            if decoder.eof:
                decoder = context.decompressobj()
            plain += decoder.decompress(step)
            step = decoder.unused_data
            if len(plain) > bound:
                return None
    if not decoder.eof:
        raise _broken("zstd", "it ends too early")
    return bytes(plain)


_DECODERS: dict[str, Callable[[bytes, int], bytes | None]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}


def _bomb(body: bytes, limits: Limits) -> TooLarge:
    if _bound(body, limits) == limits.body_bytes:
        return too_many_bytes(limits)
    return TooLarge(
        f"The body inflates to more than {limits.inflate_ratio} bytes a byte",
        hint="Send it with less compression, or none",
        reason="inflate_ratio",
    )


def _broken(name: str, why: str) -> Malformed:
    return Malformed(
        f"The body is not valid {name}: {why}",
        hint="Compress the whole body once and name that in Content-Encoding",
        reason="malformed_encoding",
    )

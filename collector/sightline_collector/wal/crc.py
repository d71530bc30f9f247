"""CRC-32 of any stretch of a segment, at a cost that does not grow with the stretch. Pure.

Whoever looks for records behind damage may have to check hundreds of thousands of places that claim to be
records of megabytes: bytes that a sender chose may look so on purpose. Summed directly that takes hours. So
the sums of all prefixes are taken once, STEP_BYTES apart, and a stretch's sum is the difference of two:
crc(a + b) is crc(a), moved by the length of b, xor crc(b), as zlib's crc32_combine has it.
"""

from __future__ import annotations

import zlib
from functools import cached_property, lru_cache

STEP_BYTES = 4096
DIRECT_BYTES = 64 << 10
"""What is summed directly sooner than by difference."""

_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31


class Sums:
    """The CRC-32 of stretches of bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)

    def of(self, start: int, end: int) -> int:
        """The CRC-32 of data[start:end], for 0 <= start <= end <= its length."""
        if end - start <= DIRECT_BYTES:
            return zlib.crc32(self._data[start:end])
        return self._of_prefix(end) ^ _moved(self._of_prefix(start), end - start)

    @cached_property
    def _prefixes(self) -> list[int]:
        sums = [0]
        for start in range(0, len(self._data) - STEP_BYTES + 1, STEP_BYTES):
            sums.append(zlib.crc32(self._data[start : start + STEP_BYTES], sums[-1]))
        return sums

    def _of_prefix(self, end: int) -> int:
        steps = end // STEP_BYTES
        return zlib.crc32(self._data[steps * STEP_BYTES : end], self._prefixes[steps])


def _times(one: int, other: int) -> int:
    """The product of two polynomials over GF(2), modulo CRC-32's; the highest bit is the lowest power."""
    product = 0
    while one:
        if one & _ONE:
            product ^= other
        one = one << 1 & 0xFFFF_FFFF
        other = other >> 1 ^ (_POLYNOMIAL if other & 1 else 0)
    return product


def _squares() -> tuple[int, ...]:
    """x ** (2 ** n) for n = 0, 1, 2 …: enough for the bits of the longest stretch."""
    powers = [_ONE >> 1]
    while len(powers) < 48:
        powers.append(_times(powers[-1], powers[-1]))
    return tuple(powers)


_SQUARES = _squares()


def _moved(crc: int, size_bytes: int) -> int:
    """What a sum becomes when so many zero bytes follow."""
    steps, rest = divmod(size_bytes, STEP_BYTES)
    return _times(_times(crc, _power(8 * rest)), _power(8 * STEP_BYTES * steps))


@lru_cache(maxsize=1 << 16)
def _power(exponent: int) -> int:
    """x ** exponent."""
    power, bit = _ONE, 0
    while exponent:
        if exponent & 1:
            power = _times(_SQUARES[bit], power)
        exponent >>= 1
        bit += 1
    return power

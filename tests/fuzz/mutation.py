"""Changes known inputs as a medium, a proxy or an attacker would. Pure but for the random numbers given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

CHANGES_MAX = 6
SIZE_MAX = 64 << 10
LENGTHS = (1, 1, 1, 2, 2, 4, 8, 16, 64)
EXTREMES = tuple(
    bytes.fromhex(said)
    for said in (
        "00",
        "ff",
        "7f",
        "80",
        "ffffffff0f",
        "ffffffffffffffffff01",
        "80808080808080808080",
        "0000000000000000",
    )
)


def mutated(seeds: Sequence[bytes], tokens: Sequence[bytes], random: Random) -> bytes:
    """One of the seeds with one to six changes."""
    data = random.choice(seeds)
    for _ in range(random.randint(1, CHANGES_MAX)):
        data = random.choice(CHANGES)(data, seeds, tokens or EXTREMES, random)
    return data[:SIZE_MAX]


Change = Callable[[bytes, Sequence[bytes], Sequence[bytes], Random], bytes]


def _place(data: bytes, random: Random) -> tuple[int, int]:
    """A stretch, mostly a short one."""
    start = random.randint(0, len(data))
    return start, min(len(data), start + random.choice(LENGTHS))


def _flip(data: bytes, seeds: Sequence[bytes], tokens: Sequence[bytes], random: Random) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def _drop(data: bytes, seeds: Sequence[bytes], tokens: Sequence[bytes], random: Random) -> bytes:
    start, end = _place(data, random)
    return data[:start] + data[end:]


def _cut(data: bytes, seeds: Sequence[bytes], tokens: Sequence[bytes], random: Random) -> bytes:
    return data[: random.randint(0, len(data))]


def _repeat(data: bytes, seeds: Sequence[bytes], tokens: Sequence[bytes], random: Random) -> bytes:
    start, end = _place(data, random)
    return data[:start] + data[start:end] * random.choice((2, 3, 100)) + data[end:]


def _insert(data: bytes, seeds: Sequence[bytes], tokens: Sequence[bytes], random: Random) -> bytes:
    start, end = _place(data, random)
    return data[:start] + random.choice(tokens) + data[random.choice((start, end)) :]


def _extreme(data: bytes, seeds: Sequence[bytes], tokens: Sequence[bytes], random: Random) -> bytes:
    start, end = _place(data, random)
    return data[:start] + random.choice(EXTREMES) + data[end:]


def _splice(data: bytes, seeds: Sequence[bytes], tokens: Sequence[bytes], random: Random) -> bytes:
    other = random.choice(seeds)
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


def _word(data: bytes, seeds: Sequence[bytes], tokens: Sequence[bytes], random: Random) -> bytes:
    """What stands between two spaces becomes a token, or a word of another seed."""
    words = data.split(b" ")
    other = random.choice((*tokens, *random.choice(seeds).split(b" ")))
    words[random.randrange(len(words))] = other
    return b" ".join(words)


CHANGES: tuple[Change, ...] = (_flip, _drop, _cut, _repeat, _insert, _extreme, _splice, _word, _word)

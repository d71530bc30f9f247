"""The command: by atheris, led by coverage, where that is installed and fits; else by chance."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzz.target import Target

READERS = ("protobuf", "json", "encodings", "accept-encoding", "segment", "recovery", "statement")
SERVED = ("http", "http-2", "grpc", "gateway-sql", "gateway-http", "store")
FOUND = Path(__file__).parent / "found"
"""A folder for each target: what once broke its law, tried again in every run of the suite."""
DEFAULT_SECONDS = 60
INPUT_S = 20
MEMORY_MB = 4096


def main(arguments: Sequence[str]) -> int:
    """Fuzz one target; 1 when its law was broken, with the input in a file."""
    asked = _arguments(arguments)
    found = FOUND / asked.target
    if asked.target in READERS and importlib.util.find_spec("atheris"):
        _guided(asked.target, asked.seconds, found)
        return 0
    with opened(asked.target) as target:
        return _by_chance(target, asked, found)


def opened(name: str) -> AbstractContextManager[Target]:
    """A target, with what it needs to run while the block lasts."""
    from fuzz import doors, readers, sql_port, store

    served = {
        "http": doors.http,
        "http-2": doors.http_2,
        "grpc": doors.grpc_frames,
        "gateway-sql": sql_port.statements,
        "gateway-http": sql_port.requests,
        "store": store.segments,
    }
    if name in served:
        return served[name]()
    return nullcontext(next(one for one in readers.TARGETS if one.name == name))


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=(*READERS, *SERVED))
    parser.add_argument("--seconds", type=int, default=DEFAULT_SECONDS, help="how long (default 60)")
    parser.add_argument("--seed", type=int, default=0, help="of chance: the same inputs again (default 0)")
    return parser.parse_args(arguments)


def _guided(name: str, seconds: int, found: Path) -> None:
    """Ends the process when the time is over, or with the input in a file when the law is broken."""
    import atheris

    with atheris.instrument_imports(include=["sightline_collector"]):
        from fuzz import readers
    target = next(one for one in readers.TARGETS if one.name == name)
    found.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for seed in target.seeds:
            (Path(corpus) / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
        options = (f"max_total_time={seconds}", f"artifact_prefix={found}/", f"timeout={INPUT_S}")
        flags = [f"-{option}" for option in (*options, f"rss_limit_mb={MEMORY_MB}", "max_len=65536")]
        atheris.Setup(["fuzz", *flags, corpus], target.hold)
        atheris.Fuzz()


def _by_chance(target: Target, asked: argparse.Namespace, found: Path) -> int:
    from fuzz.mutation import mutated

    random = Random(asked.seed)
    end_s = time.monotonic() + asked.seconds
    inputs = 0
    while time.monotonic() < end_s:
        data = mutated(target.seeds, target.tokens, random)
        inputs += 1
        if broken := target.broken_by(data):
            found.mkdir(parents=True, exist_ok=True)
            kept = found / hashlib.sha256(data).hexdigest()[:16]
            kept.write_bytes(data)
            print(f"input {inputs} of seed {asked.seed} broke the law:\n{broken}")
            print(f"it is kept as {kept}, and the suite tries it from now on")
            return 1
    print(f"{inputs:,} inputs in {asked.seconds} s: the law held")
    return 0

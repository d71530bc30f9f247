"""Observes the step with one SDK, inside the environment where only that SDK is installed.

    python -m tests.bench.sdk_peer_run tests.bench.sdk_peer_langfuse http://127.0.0.1:4318 4317

It speaks one line of JSON at a time with `sdk_peer_process`, on standard input and output:

    out {"init_cpu_s", "rss_mb"}                the SDK is imported and set up
    in  10000                                   so many steps, please
    out {"caller_s", "wall_s"}                  all are made, and flushed as far as the SDK can
    in                                          the sink has them all, or no more come
    out {"all_s", "rss_mb", "peak_mb"}          CPU of all threads since the first step; memory
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from itertools import islice
from pathlib import Path
from typing import TextIO

from tests.bench.sdk_peer_step import Observed, Sink, chats


def main() -> None:
    """Serve until standard input ends."""
    module, url, grpc_port = sys.argv[1:4]
    replies = _replies()
    cpu_s = time.process_time()
    observed: Observed = importlib.import_module(module).start(Sink(url, int(grpc_port)))
    _say(replies, init_cpu_s=time.process_time() - cpu_s, rss_mb=_memory_mb("VmRSS"))
    with observed.around():
        for line in sys.stdin:
            _turn(observed, int(line), replies)


def _turn(observed: Observed, count: int, replies: TextIO) -> None:
    burst, ask = list(islice(chats(), count)), observed.ask
    gc.collect()
    wall_s, all_s, caller_s = time.perf_counter(), time.process_time(), time.thread_time()
    for messages in burst:
        ask(messages)
    caller_s = time.thread_time() - caller_s
    wall_s = time.perf_counter() - wall_s
    observed.flush()
    _say(replies, caller_s=caller_s, wall_s=wall_s)
    sys.stdin.readline()
    all_s = time.process_time() - all_s
    _say(replies, all_s=all_s, rss_mb=_memory_mb("VmRSS"), peak_mb=_memory_mb("VmHWM"))


def _replies() -> TextIO:
    """Standard output, for us alone: what an SDK prints there goes to standard error from now on."""
    ours = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return ours


def _say(replies: TextIO, **figures: float) -> None:
    print(json.dumps(figures), file=replies, flush=True)


def _memory_mb(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


if __name__ == "__main__":
    main()

"""How well the time to the first token is told: streams of a server that knows when it wrote the first words.

The truth is the server's own note, on the clock that all processes of a machine share, counted from the
moment before the client's call. Beside it what the span says, for each client with its instrumentation, and
by hand; and how far off the time to the first chunk would have been, which others call the first token.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import anthropic
import openai

import sightline
from sightline import attributes, testing

STREAMS = 10
"""Of each client, for each repeat asked for; one takes half a second."""
_MS = 1e6


def measure(repeats: int) -> dict[str, float]:
    """Milliseconds that the first token was told too late, median and worst of each client."""
    figures: dict[str, float] = {}
    with _server() as url, testing.capture(instrument_libraries=("openai", "anthropic")) as seen:
        for name, call in _clients(url).items():
            late = [_late_ms(call, url, seen) for _ in range(repeats * STREAMS)]
            tokens, chunks = zip(*late, strict=True)
            figures[f"{name}: first token late, median ms"] = statistics.median(tokens)
            figures[f"{name}: first token late, worst ms"] = max(tokens, key=abs)
            figures[f"{name}: first chunk is off by, median ms"] = statistics.median(chunks)
    return figures


def _late_ms(call: Callable[[], None], url: str, seen: testing.Captured) -> tuple[float, float]:
    began_ns = time.perf_counter_ns()
    call()
    with urlopen(f"{url}/truth") as answer:
        truth_ms = (int(answer.read()) - began_ns) / _MS
    values: dict[str, Any] = next(s.attributes for s in reversed(seen.spans) if _is_model_call(s))
    token_ms = values[attributes.TIME_TO_FIRST_TOKEN] * 1000
    chunk_ms = values.get(attributes.TIME_TO_FIRST_CHUNK, values[attributes.TIME_TO_FIRST_TOKEN]) * 1000
    return token_ms - truth_ms, chunk_ms - truth_ms


def _is_model_call(span: testing.CapturedSpan) -> bool:
    return attributes.TIME_TO_FIRST_TOKEN in span.attributes


def _clients(url: str) -> dict[str, Callable[[], None]]:
    chat = openai.OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0)
    claude = anthropic.Anthropic(base_url=url, api_key="k", max_retries=0)
    asked: Any = [{"role": "user", "content": "Say ten words."}]

    def by_openai() -> None:
        for _ in chat.chat.completions.create(model="gpt-4o-mini", messages=asked, stream=True):
            pass

    def by_anthropic() -> None:
        for _ in claude.messages.create(
            model="claude-sonnet-4-5", messages=asked, max_tokens=100, stream=True
        ):
            pass

    def by_hand() -> None:
        with (
            sightline.llm_call(provider="openai", model="gpt-4o-mini", messages=asked) as call,
            chat.with_streaming_response.chat.completions.create(
                model="gpt-4o-mini", messages=asked, stream=True
            ) as response,
        ):
            for chunk in response.parse():
                call.chunk(chunk)

    return {"openai": by_openai, "anthropic": by_anthropic, "by hand": by_hand}


@contextmanager
def _server() -> Iterator[str]:
    program = Path(__file__).with_name("stream_server.py")
    process = subprocess.Popen(
        [sys.executable, program], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()

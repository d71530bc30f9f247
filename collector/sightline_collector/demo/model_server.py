"""A stand-in for a model provider: real HTTP, real chat completions, no model behind them.

    POST /v1/chat/completions     whole or as a stream of server-sent events
    GET  /v1/models               the models that it plays
    GET  /                        says what it is

It never hides what it is: each answer has the header `x-stand-in`, an id with `standin` in it and a
`system_fingerprint` that says so. Waiting times are modelled and divided by `--speed`. A request may say
with the header `x-stand-in-day` which day it plays (0 is today, -3 three days ago).
"""

import argparse
import asyncio
import hashlib
import json
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import uvicorn
from pydantic import BaseModel, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sightline_collector.demo import answers
from sightline_collector.demo.answers import Answer, Usage
from sightline_collector.demo.characters import ANY_OTHER, CHARACTERS, Character

NOTICE: Final = "a stand-in of the Sightline demo: no model is behind this, answers are cut from the prompt"
HEADERS: Final = {"x-stand-in": NOTICE}
DAY_HEADER: Final = "x-stand-in-day"
CHUNK_TOKENS: Final = 12
LIMITED_SHARE: Final = 0.03  # requests refused at first
LIMITED_STILL_SHARE: Final = 0.2  # of those that are tried again
RETRY_AFTER_MS: Final = 40


@dataclass(frozen=True, slots=True)
class Settings:
    """`speed` divides all waiting; from day `changed_from` on, models with a second manner use it."""

    seed: int = 1
    speed: float = 1.0
    changed_from: int = 1


class StreamOptions(BaseModel):
    include_usage: bool = False


class ChatRequest(BaseModel):
    """What is read of a chat-completions request; whatever else it says is taken and ignored."""

    model: str
    messages: list[dict[str, Any]] = Field(min_length=1)
    tools: list[dict[str, Any]] = Field(default_factory=list)
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    max_tokens: int | None = None
    max_completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One request under way: its answer, and how long its parts take in seconds."""

    id: str
    model: str
    answer: Answer
    first_token_s: float
    rest_s: float

    def head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": int(time.time()),
            "model": self.model,
            "system_fingerprint": "sightline-stand-in",
        }


class StandIn:
    """The server's handlers. Asked the same again it answers anew, as a model does; but the first, second,
    third ... answers to a request of a day are always the same, whatever came in between.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asked: Counter[bytes] = Counter()

    async def complete(self, http: HttpRequest) -> Response:
        body = await http.body()
        try:
            request = ChatRequest.model_validate_json(body)
        except ValidationError as error:
            return _error(400, "invalid_request_error", f"the request cannot be read: {error}")
        day = int(http.headers.get(DAY_HEADER, "0"))
        rng = self._dice(body, day)
        character = CHARACTERS.get(request.model, ANY_OTHER)
        tried_again = http.headers.get("x-stainless-retry-count", "0") != "0"
        if rng.random() < (LIMITED_STILL_SHARE if tried_again else LIMITED_SHARE):
            return _rate_limited(request.model)
        if rng.random() < character.failing_share:
            return _error(500, "server_error", f"{request.model} failed on purpose")
        turn = self._turn(request, character, day, rng)
        if request.stream:
            chunks = _stream(turn, request.stream_options.include_usage)
            return StreamingResponse(chunks, media_type="text/event-stream", headers=HEADERS)
        await asyncio.sleep(turn.first_token_s + turn.rest_s)
        return JSONResponse(_completion(turn), headers=HEADERS)

    def _dice(self, body: bytes, day: int) -> random.Random:
        """A generator of its own for each request of a day, and each time that it is asked."""
        asked = hashlib.sha256(b"%d %d " % (self._settings.seed, day) + body).digest()
        self._asked[asked] += 1
        return random.Random(asked + b"%d" % self._asked[asked])  # noqa: S311  # play, not secrets

    def _turn(self, request: ChatRequest, character: Character, day: int, rng: random.Random) -> Turn:
        changed = character.changed if day >= self._settings.changed_from else None
        limit = request.max_completion_tokens or request.max_tokens
        asked = answers.Request(request.messages, request.tools, limit)
        answer = answers.compose(asked, character, changed or character.manner, rng)
        thinking_s = answer.usage.reasoning / character.tokens_per_s
        first_s = character.first_token_ms / 1000 * rng.lognormvariate(0, 0.35) + thinking_s
        visible = answer.usage.completion - answer.usage.reasoning
        rest_s = visible / (character.tokens_per_s * rng.lognormvariate(0, 0.15))
        speed = self._settings.speed
        identity = f"chatcmpl-standin-{rng.getrandbits(64):016x}"
        return Turn(identity, request.model, answer, first_s / speed, rest_s / speed)


def app(settings: Settings) -> Starlette:
    """The server as an ASGI application."""
    stand_in = StandIn(settings)
    return Starlette(
        routes=[
            Route("/v1/chat/completions", stand_in.complete, methods=["POST"]),
            Route("/v1/models", _models),
            Route("/", _notice),
        ]
    )


def _completion(turn: Turn) -> dict[str, Any]:
    message = {"role": "assistant", "content": turn.answer.text or None, "refusal": None}
    choice = {"index": 0, "message": message | _tool_calls(turn), "finish_reason": turn.answer.finish_reason}
    return turn.head("chat.completion") | {"choices": [choice], "usage": _usage(turn.answer.usage)}


async def _stream(turn: Turn, include_usage: bool) -> AsyncIterator[bytes]:
    """Role first, as providers do: it comes before there is anything to read."""
    pieces = _pieces(turn.answer.text)
    await asyncio.sleep(turn.first_token_s * 0.7)
    yield _event(turn, {"role": "assistant", "content": ""})
    await asyncio.sleep(turn.first_token_s * 0.3)
    for number, piece in enumerate(pieces):
        if number:
            await asyncio.sleep(turn.rest_s / len(pieces))
        yield _event(turn, {"content": piece})
    if turn.answer.tool_call:
        yield _event(turn, _tool_calls(turn))
    yield _event(turn, {}, turn.answer.finish_reason)
    if include_usage:
        head = turn.head("chat.completion.chunk")
        yield _sse(head | {"choices": [], "usage": _usage(turn.answer.usage)})
    yield b"data: [DONE]\n\n"


def _pieces(text: str) -> Sequence[str]:
    size = CHUNK_TOKENS * answers.CHARACTERS_A_TOKEN
    return [text[start : start + size] for start in range(0, len(text), size)]


def _event(turn: Turn, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return _sse(turn.head("chat.completion.chunk") | {"choices": [choice]})


def _sse(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _tool_calls(turn: Turn) -> dict[str, Any]:
    call = turn.answer.tool_call
    if call is None:
        return {}
    function = {"name": call.name, "arguments": call.arguments}
    return {
        "tool_calls": [{"index": 0, "id": f"call_{turn.id[-8:]}", "type": "function", "function": function}]
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def _rate_limited(model: str) -> Response:
    message = f"Rate limit reached for {model}. Please try again in {RETRY_AFTER_MS}ms."
    wait = {"retry-after-ms": str(RETRY_AFTER_MS), "retry-after": "1"}
    return _error(429, "rate_limit_exceeded", message, wait)


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    error = {"message": f"{message} ({NOTICE})", "type": code, "param": None, "code": code}
    return JSONResponse({"error": error}, status_code=status, headers=HEADERS | (headers or {}))


async def _models(_: HttpRequest) -> Response:
    rows = [{"id": name, "object": "model", "owned_by": "sightline-stand-in"} for name in CHARACTERS]
    return JSONResponse({"object": "list", "data": rows}, headers=HEADERS)


async def _notice(_: HttpRequest) -> Response:
    return PlainTextResponse(NOTICE + "\n", headers=HEADERS)


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until the process is told to stop; prints the base URL for the client when it listens."""
    listening = socket.create_server((host, port))
    print(f"http://{host}:{listening.getsockname()[1]}/v1 is {NOTICE}", flush=True)
    config = uvicorn.Config(app(settings), log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


def main() -> None:
    usual = Settings()
    parser = argparse.ArgumentParser(prog="model_server", description=NOTICE)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--speed", type=float, default=usual.speed, help="divides all waiting times")
    parser.add_argument("--changed-from", type=int, default=usual.changed_from, metavar="DAY")
    given = parser.parse_args()
    try:
        serve(Settings(given.seed, given.speed, given.changed_from), given.host, given.port)
    except (OSError, OverflowError) as error:
        why = str(getattr(error, "strerror", None) or error).partition(" (while ")[0]
        sys.exit(f"model_server cannot listen on {given.host}:{given.port} ({why}): name another --port")


if __name__ == "__main__":
    main()

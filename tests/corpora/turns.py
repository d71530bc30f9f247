"""What the model server answers a recorded program, whatever the language it is asked in.

Four things happen to a program: a plain question, a streamed one, a question with tools, which calls the
first tool once, and the answer after the tool's result. Each has a usage of its own, so that a number on a
span tells which answer it came from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

ARGUMENTS = {"city": "Lisbon"}


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer and its usage. `cached` and `written` are parts of `input`, `reasoning` is of `output`."""

    text: str
    input: int
    output: int
    cached: int = 0
    written: int = 0
    reasoning: int = 0
    tool: str = ""

    @property
    def total(self) -> int:
        return self.input + self.output


PLAIN = Turn("A lighthouse warns ships.", input=120, output=30)
STREAMED = Turn("One two three.", input=90, output=25)
ANSWERED = Turn("It is 19 degrees in Lisbon.", input=2106, output=40, cached=1920, written=100, reasoning=16)
EMBEDDED_TOKENS = 8


def answer_id(prefix: str, number: int) -> str:
    """As long as the providers' own are: a short one could be any small server's constant."""
    return f"{prefix}{number:024d}"


def calling(tool: str) -> Turn:
    """The model wants a tool run first."""
    return Turn("", input=2006, output=20, cached=1920, written=80, tool=tool)


def turn_for(request: Json, tool: str, has_result: bool) -> Turn:
    """Which of the four this request is. In a thread that its server keeps, a result comes without tools."""
    if has_result:
        return ANSWERED
    if tool:
        return calling(tool)
    return STREAMED if is_streamed(request) else PLAIN


def is_streamed(request: Json) -> bool:
    """Google's requests do not say whether they are: there the question says so."""
    if "contents" in request:
        return "stream" in json.dumps(request["contents"]).lower()
    return bool(request.get("stream"))

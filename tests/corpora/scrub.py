"""Takes out of a recorded request what says where it was recorded, and nothing else."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

OF_THE_MACHINE = re.compile(
    r"^((host|os|container|k8s|cloud)\..*|process\.(?!runtime).*|service\.instance\.id|thread\.(id|name))$"
)
"""Attributes that describe the machine or its processes: of no dialect. Their values become NEUTRAL."""

NEUTRAL = "neutral"


def words_of_here(*folders: Path) -> dict[str, str]:
    """What is looked for in every text, and what stands for it; longer words first: one may hold another."""
    words = {str(folder): "/app" for folder in folders} | {str(Path.home()): "/home/user"}
    return dict(sorted(words.items(), key=lambda pair: -len(pair[0])))


def scrub(request: Message, words: Mapping[str, str]) -> None:
    """In place, whatever the signal."""
    for message in _messages(request):
        if message.DESCRIPTOR.name == "KeyValue" and OF_THE_MACHINE.match(message.key):
            message.value.Clear()
            message.value.string_value = NEUTRAL
        for field, value in message.ListFields():
            if isinstance(value, str):
                setattr(message, field.name, _neutral(value, words))


def _messages(message: Any) -> Iterator[Any]:
    """The message and all inside it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type:
            for inner in value if field.is_repeated else [value]:
                yield from _messages(inner)


def _neutral(text: str, words: Mapping[str, str]) -> str:
    if text == socket.gethostname():
        return NEUTRAL
    for word, stands in words.items():
        text = text.replace(word, stands)
    return text

"""Token counts for calls whose provider reported none. Estimates, and marked so wherever they go.

With a vocabulary of tiktoken's in its cache folder the text is counted with it; without, four characters
are taken for a token (the usual ratio of English text; code and other languages need more). Nothing is ever
downloaded: tiktoken fetches a missing vocabulary by itself, so it is only asked for one that is there.
"""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from sightline.usage import Usage

CHARS_PER_TOKEN: Final = 4
# What chat formats add, as OpenAI documents it: to each message, and to open the answer.
TOKENS_PER_MESSAGE: Final = 3
TOKENS_PER_ANSWER: Final = 3
MAX_CHARS: Final = 2_000_000  # counting a longer text would take a second; beyond it the ratio is good enough

# encoding -> the name tiktoken caches it under (sha1 of its address), and its content's sha256
_VOCABULARIES: Final = {
    "o200k_base": (
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    "cl100k_base": (
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
}
_OLDER_MODELS: Final = ("gpt-4-", "gpt-3.5", "text-embedding-")


def estimate(messages: Sequence[str], answer: str, model: str | None) -> Usage:
    """The usage of a call that sent these texts, one a message, and got this answer."""
    overhead = TOKENS_PER_MESSAGE * len(messages) + TOKENS_PER_ANSWER if messages else 0
    return Usage(
        input_tokens=sum(count_tokens(text, model) for text in messages) + overhead,
        output_tokens=count_tokens(answer, model),
    )


def count_tokens(text: str, model: str | None) -> int:
    """How many tokens the text is for this model, or about how many."""
    encoding = _encoding(_encoding_name(model)) if text and len(text) <= MAX_CHARS else None
    if encoding is None:
        return -(-len(text) // CHARS_PER_TOKEN)
    return len(encoding.encode(text, disallowed_special=()))


def _encoding_name(model: str | None) -> str:
    """Models of other vendors have vocabularies of their own; the newest public one is nearest to them."""
    known = (model or "").lower()
    return "cl100k_base" if known == "gpt-4" or known.startswith(_OLDER_MODELS) else "o200k_base"


@lru_cache(maxsize=len(_VOCABULARIES))
def _encoding(name: str) -> Any | None:
    if not _is_cached(*_VOCABULARIES[name]):
        return None
    import tiktoken

    return tiktoken.get_encoding(name)


def _is_cached(file_name: str, sha256: str) -> bool:
    """Whether tiktoken will find the file where it looks first, whole: a broken one it would fetch again."""
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder == "":  # its way of saying: no cache
        return False
    path = Path(folder or Path(tempfile.gettempdir()) / "data-gym-cache") / file_name
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False

"""Providers' answers, whole or in events of a stream: one file a shape, each reads it into pieces. Pure.

    thing ─► the reader that knew the last one ─► pieces
             │ None: not its shape
             └► every reader in turn ─► pieces, and the reader to begin with next time

No provider's library is imported: shapes are told by what they have. To add one: a file here with a
`read(thing) -> Sequence[Piece] | None`, its name in READERS, a test with the provider's own client.
"""

from collections.abc import Callable, Sequence
from typing import Final

from sightline.providers import (
    anthropic,
    bedrock,
    bedrock_models,
    cohere,
    google,
    ollama,
    openai_chat,
    openai_responses,
)
from sightline.providers.piece import Piece

Reader = Callable[[object], Sequence[Piece] | None]

READERS: Final[tuple[Reader, ...]] = (
    openai_chat.read,
    anthropic.read,
    openai_responses.read,
    google.read,
    bedrock.read,
    ollama.read,
    cohere.read,
    bedrock_models.read,
)


def recognised(thing: object) -> tuple[Reader, Sequence[Piece]] | None:
    """The reader that knows this shape, and what it read; None when nobody knows it."""
    for reader in READERS:
        pieces = reader(thing)
        if pieces is not None:
            return reader, pieces
    inner = bedrock.body(thing)
    return None if inner is None else recognised(inner)

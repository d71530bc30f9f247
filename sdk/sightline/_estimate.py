"""Token counts for calls whose provider reported none. Estimates, and marked so wherever they go.

    the program's thread      its bytes, four to a token: microseconds        (what budgets see)
    the shipping thread       counted with a vocabulary, where one is here    (what leaves)

A vocabulary takes a third of a second to load, once, and never on the program's thread. With it, texts for
OpenAI's models are counted exactly, but for what a chat format adds; other vendors' models have vocabularies
of their own, and the newest public one is nearest to them. Bytes, measured against that one, are within a
tenth for English, German and Python, a quarter too few for Chinese and Japanese, nearly half too many for
Russian and Arabic, and half too few for dense JSON. Pictures and sounds are not counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sightline import _vocabulary, attributes
from sightline.latency import tokens_per_second
from sightline.usage import Usage

BYTES_PER_TOKEN: Final = 4
# What chat formats add, as OpenAI documents it: to each message, and to open the answer.
TOKENS_PER_MESSAGE: Final = 3
TOKENS_PER_ANSWER: Final = 3
MAX_CHARS: Final = 200_000  # a longer text is judged by its beginning: counting this much takes 10 ms

_OLDER_MODELS: Final = ("gpt-4-", "gpt-3.5", "text-embedding-")


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A call of which something was not counted: what was sent, one text a message, and what was said.

    `said` is None when nothing could be: an embedding has no output. `known` is what was reported, and stays.
    `spoken_s` is when generation began and ended, for its speed.
    """

    sent: Sequence[str]
    said: str | None
    model: str | None
    known: Usage
    spoken_s: tuple[float, float] | None = None

    @property
    def chars(self) -> int:
        """About what holding on to it costs."""
        return sum(map(len, self.sent)) + len(self.said or "")

    def guessed(self) -> Usage:
        """By its bytes, at once."""
        return self._with(bytes_as_tokens)

    def counted(self) -> Usage:
        """With the model's vocabulary, or the nearest; by its bytes where none is here. May take its time."""
        return self._with(lambda text: count_tokens(text, self.model))

    def to_attributes(self, usage: Usage) -> dict[str, Any]:
        """What its span says of this estimate."""
        values: dict[str, Any] = {**usage.to_attributes(), attributes.USAGE_ESTIMATED: True}
        if self.spoken_s is not None:
            speed = tokens_per_second(usage.buckets()["visible_output"], *self.spoken_s)
            values |= {} if speed is None else {attributes.TOKENS_PER_SECOND: speed}
        return values

    def _with(self, count: Callable[[str], int]) -> Usage:
        known_in, known_out = self.known.input_tokens, self.known.output_tokens
        if known_in is None:
            framing = TOKENS_PER_MESSAGE * len(self.sent) + TOKENS_PER_ANSWER if self.sent else 0
            known_in = sum(map(count, self.sent)) + framing
        if known_out is None and self.said is not None:
            known_out = count(self.said)
        return self.known._replace(input_tokens=known_in, output_tokens=known_out)


def bytes_as_tokens(text: str) -> int:
    """About how many tokens a text is. Bytes, not characters: other scripts take more of both."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return -(-size // BYTES_PER_TOKEN)


def count_tokens(text: str, model: str | None) -> int:
    """How many tokens the text is for this model, or about how many. May load a vocabulary."""
    encoding = _encoding(_encoding_name(model)) if text else None
    if encoding is None:
        return bytes_as_tokens(text)
    beginning = text[:MAX_CHARS].encode("utf-8", "replace").decode()
    tokens = len(encoding.encode(beginning, disallowed_special=()))
    return tokens if len(text) <= MAX_CHARS else round(tokens * len(text) / MAX_CHARS)


def _encoding_name(model: str | None) -> str:
    """Models of other vendors have vocabularies of their own; the newest public one is nearest to them."""
    known = (model or "").lower()
    return "cl100k_base" if known == "gpt-4" or known.startswith(_OLDER_MODELS) else "o200k_base"


@lru_cache(maxsize=len(_vocabulary.VOCABULARIES))
def _encoding(name: str) -> Any | None:
    return _vocabulary.load(name)

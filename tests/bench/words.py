"""What all texts of the measurements are made of."""

from __future__ import annotations

import random
from collections.abc import Sequence

WORDS = (  # noqa: SIM905 - a list of 96 quoted words is harder to read
    "the model returned a long answer about invoices and refunds with details for customer order"
    " delivery date address number payment method card bank transfer amount currency tax discount"
    " product price stock warehouse shipping return policy warranty repair contact phone mail agent"
    " manager ticket status open closed waiting reply question problem solution step first second third"
    " check account login password reset security code message history profile setting language region"
    " country city street please thank you sorry can could would should must will not is are was were"
    " have has that this which when where why how before after between"
).split()


def sentence(chance: random.Random, words: int, of: Sequence[str] = WORDS) -> str:
    """A sentence of so many words, about 6.3 characters each."""
    said = [chance.choice(of) for _ in range(words)]
    return " ".join(said).capitalize() + f", order {chance.randint(1, 99_999)}."

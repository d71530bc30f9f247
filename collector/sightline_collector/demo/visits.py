"""Who comes to the desk, when, and with what: a week of visits, made from one seed. Pure.

Pilot users come first, everybody from OPEN_DAY on. The drift views judge a day on which a model has 200
answers, against the days before when those have 200 together: the pilot's days are just that many.

| feature | model                                 | why it is there                                     |
|---------|---------------------------------------|-----------------------------------------------------|
| support | A: gpt-4o, B: gpt-5-mini              | two variants, two prompt versions, tools, a budget  |
| search  | gpt-4o-mini                           | the model whose answers change half-way             |
| digest  | house-llama-70b                       | a model of one's own: no price; too few for drift   |
"""

import csv
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Final

from sightline_collector.demo.agent import Reply, Request
from sightline_collector.demo.answers import NOT_FOUND, REFUSAL

NEW_PROMPT_DAY: Final = -4  # the first day of prompt version 4
OPEN_DAY: Final = -2  # the first day of the desk for everybody
CHANGE_DAY: Final = -1  # the first day on which gpt-4o-mini answers in its new manner
PILOT_PART: Final = 4  # one visitor in so many belongs to the pilot
OPENS_S: Final = 7 * 3600  # of a day, UTC
CLOSES_S: Final = 22 * 3600
USERS: Final = 24
SESSIONS_A_DAY: Final = 4  # of one user
MODELS: Final = {
    ("support", "A"): "gpt-4o",
    ("support", "B"): "gpt-5-mini",
    ("search", ""): "gpt-4o-mini",
    ("digest", ""): "house-llama-70b",
}
RATING_SHARE: Final = 0.25  # of visitors who press a thumb
UP_SHARE: Final = {"good": 0.9, "cut": 0.35, "useless": 0.1}


@dataclass(frozen=True, slots=True)
class Scale:
    """How much traffic: days, and visits of each feature on one that is open to everybody."""

    days: int = 7
    support: int = 384
    search: int = 208
    digest: int = 8
    pilot: bool = True

    def on(self, day: int) -> "Scale":
        """That of one day."""
        part = PILOT_PART if self.pilot and day < OPEN_DAY else 1
        return replace(
            self, support=self.support // part, search=self.search // part, digest=self.digest // part
        )


REAL_MODEL_SCALE: Final = Scale(support=3, search=3, digest=1, pilot=False)


@dataclass(frozen=True, slots=True)
class Visit:
    """`day` is 0 today and negative before; `second` is its time of that day, UTC."""

    day: int
    second: int
    request: Request


@dataclass(frozen=True, slots=True)
class Rating:
    thumbs: str  # up or down
    comment: str | None = None
    correction: str | None = None


def plan(scale: Scale, seed: int, digests: Sequence[str], model: str | None = None) -> list[Visit]:
    """All visits, day by day and in the order of their times; `model` takes the place of every model."""
    questions = _questions() | {"digest": list(digests)}
    days = range(1 - scale.days, 1)
    return [visit for day in days for visit in _one_day(scale.on(day), seed, day, questions, model)]


def rating(visit: Visit, reply: Reply, seed: int) -> Rating | None:
    """What the visitor thinks of the reply, if they say so: a cut or useless answer seldom pleases."""
    rng = random.Random(f"{seed} {visit.request.session_id} {visit.second} {reply.text}")  # noqa: S311
    if reply.outcome == "blocked" or rng.random() > RATING_SHARE:
        return None
    if rng.random() < UP_SHARE[quality(reply)]:
        return Rating("up")
    if rng.random() < 0.7:
        return Rating("down")
    if quality(reply) == "cut":
        return Rating("down", comment="it stops in the middle")
    return Rating("down", comment="does not answer it", correction="name the view that I need")


def quality(reply: Reply) -> str:
    """good, cut (ends in the middle of a sentence) or useless (refused, failed, nothing found)."""
    if reply.outcome == "failed" or reply.text in (REFUSAL, NOT_FOUND, ""):
        return "useless"
    return "good" if reply.text.rstrip().endswith((".", "!", "?")) else "cut"


def _one_day(
    scale: Scale, seed: int, day: int, questions: Mapping[str, Sequence[str]], model: str | None
) -> list[Visit]:
    rng = random.Random(f"{seed} {day}")  # noqa: S311  # play, not secrets
    kinds = [("support", "AB"[n % 2]) for n in range(scale.support)]
    kinds += [("search", "")] * scale.search + [("digest", "")] * scale.digest
    rng.shuffle(kinds)
    seconds = sorted(rng.randrange(OPENS_S, CLOSES_S) for _ in kinds)
    return [
        Visit(day, second, _request(rng, day, feature, variant, rng.choice(questions[feature]), model))
        for second, (feature, variant) in zip(seconds, kinds, strict=True)
    ]


def _request(
    rng: random.Random, day: int, feature: str, variant: str, question: str, model: str | None
) -> Request:
    user = f"user-{int(USERS * rng.random() ** 2):02d}"  # some come often, most seldom
    return Request(
        feature=feature,
        question=question,
        user_id=user,
        session_id=f"{user}-{-day}-{rng.randrange(SESSIONS_A_DAY)}",
        model=model or MODELS[feature, variant],
        prompt_version="4" if feature == "support" and day >= NEW_PROMPT_DAY else _first_version(feature),
        variant=variant,
    )


def _first_version(feature: str) -> str:
    return {"support": "3"}.get(feature, "1")


def _questions() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for feature, question in _rows():
        found.setdefault(feature, []).append(question)
    return found


def _rows() -> Iterator[tuple[str, str]]:
    text = (resources.files(__package__) / "questions.csv").read_text(encoding="utf8")
    for row in csv.DictReader(text.splitlines()):
        yield row["feature"], row["question"]

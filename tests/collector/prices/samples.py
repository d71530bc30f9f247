"""Calls that cover the price data: every cell of every model, and random usage over every name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby, product
from random import Random

from collector.prices.calls import Call
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ClauseContains,
    ClauseEndsWith,
    ClauseRegex,
    ClauseStartsWith,
    ModelInfo,
    Provider,
    StartDateConstraint,
    TimeOfDateConstraint,
)

from sightline_collector.prices.cells import cube
from sightline_collector.prices.names import reachable
from sightline_collector.prices.rules import Condition, alternatives

PROVIDERS = get_snapshot().providers
CONTEXTS = [
    *(("service_tier", tier) for tier in ("default", "flex", "priority", "fast", "standard")),
    ("processing", "batch"),
    ("speed", "fast"),
    ("search_type", "web"),
    ("search_type", "fast"),
    ("route", "mistral/eu"),
    ("inference_geo", "mars"),
]
SIZES = (0, 1, 999, 32000, 32001, 128000, 128001, 199999, 200000, 200001, 272000, 272001, 900000)
"""Counts of input tokens on both sides of every tier in the data."""


def cell_calls() -> Iterator[Call]:
    """One call in each cell of each model, at its first second and first token."""
    for provider in PROVIDERS:
        for model in provider.models:
            yield from _calls_of(provider, model)


def _calls_of(provider: Provider, model: ModelInfo) -> Iterator[Call]:
    prices = cube(model)
    pairs = sorted(pair.partition("=")[::2] for pair in prices.offsets)
    choices = [[None, *group] for _, group in groupby(pairs, key=lambda pair: pair[0])]
    days = [datetime(2020, 1, 1, tzinfo=UTC)]
    days += [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in prices.days]
    for chosen, day, second, start in product(
        product(*choices), days, (0, *prices.seconds), (0, *prices.starts)
    ):
        yield Call(
            provider.id,
            _name_of(provider, model),
            {"input_tokens": start + 1, "cache_read_tokens": (start + 1) // 2, "output_tokens": 700},
            day + timedelta(seconds=second),
            dict(pair for pair in chosen if pair is not None),
        )


def _name_of(provider: Provider, model: ModelInfo) -> str:
    names = [model.id, *(example(conditions[0]) for conditions in alternatives(model.match))]
    own = (name for name in names if provider.find_model(name, all_providers=PROVIDERS) is model)
    return next(own, model.id)


def random_calls(seed: int, *, each: int, share: float = 1.0) -> Iterator[Call]:
    """`each` calls for a random share of the names of every provider: listed, matched, bent and unknown."""
    rnd = Random(seed)
    for provider in PROVIDERS:
        for name in names(rnd, provider):
            if rnd.random() < share:
                yield from (_random_call(rnd, provider, name) for _ in range(each))


def _random_call(rnd: Random, provider: Provider, name: str) -> Call:
    spelled = rnd.choice(
        [provider.id] * 9 + [provider.id.upper(), f" {provider.id}", f"{provider.id}-eu", "", "litellm"]
    )
    model = f"{provider.id}/{name}" if spelled == "litellm" and rnd.random() < 0.7 else name
    context = dict(rnd.sample(CONTEXTS, rnd.choice([0, 0, 1, 2])))
    return Call(spelled, model, usage(rnd), _moment(rnd, provider, name), context)


def names(rnd: Random, provider: Provider) -> Iterator[str]:
    """Every name in a provider's data, for each pattern a name that nobody listed, and some bent ones."""
    for model in reachable(provider, PROVIDERS):
        yield model.id
        for conditions in alternatives(model.match):
            name = example(conditions[0])
            if isinstance(conditions[0], ClauseContains | ClauseEndsWith):
                name = rnd.choice(["us.", "arn:aws:bedrock:x/", ""]) + name
            if isinstance(conditions[0], ClauseContains | ClauseStartsWith):
                name += rnd.choice(["-v9", "-tts", "-preview-tts", "-20260704", "-preview-07-04", "-latest"])
            yield name
            if rnd.random() < 0.2:
                yield _bent(rnd, name)


def _bent(rnd: Random, name: str) -> str:
    compact = re.sub(r"-(20\d\d)-(\d\d)-(\d\d)", r"-\1\2\3", name)
    return rnd.choice(
        [name.upper(), f"{name}-20260704", f"{name}-2026-07-04", f"x{name}", f"{name}:free", compact]
    )


def example(condition: Condition) -> str:
    """A name that meets the condition."""
    if not isinstance(condition, ClauseRegex):
        return str(next(iter(vars(condition).values())))
    text = re.sub(r"\(([^)]*)\)\?", r"\1", condition.regex.strip("^$"))
    for digits, instead in ((r"\d{8}", "20260704"), (r"\d{4}", "2026"), (r"\d{2}", "07"), (r"\d", "7")):
        text = text.replace(digits, instead)
    return text.replace("[-@]", "@").replace("\\", "")


def usage(rnd: Random) -> dict[str, int]:
    """Random usage of some kind; some contradicts itself, and some lacks a count that others need."""
    tokens = rnd.choice([*SIZES, rnd.randint(1, 50000)])
    plain = {"input_tokens": tokens, "output_tokens": rnd.randint(0, 9999)}
    kind = rnd.choice(["plain", "cache", "media", "other"] * 9 + ["bad", "bad media", "gaps", "gaps"])
    if kind == "cache":
        return _cached(rnd, plain)
    if kind == "media":
        return _media(rnd, _cached(rnd, plain))
    if kind == "gaps":
        return _with_gaps(rnd, _media(rnd, _cached(rnd, plain)))
    if kind == "other":
        return plain | _other(rnd, plain)
    if kind == "bad":
        return plain | {"cache_read_tokens": tokens + 1}
    return plain | ({"input_audio_tokens": tokens + 1} if kind == "bad media" else {})


def _part(rnd: Random, limit: int) -> int:
    return rnd.choice([0, rnd.randint(0, limit)])


def _cached(rnd: Random, plain: dict[str, int]) -> dict[str, int]:
    read = _part(rnd, plain["input_tokens"])
    write = _part(rnd, plain["input_tokens"] - read)
    parts = {"cache_read_tokens": read, "cache_write_tokens": write}
    parts["cache_write_1h_tokens"] = _part(rnd, write)
    parts["output_reasoning_tokens"] = _part(rnd, plain["output_tokens"])
    return plain | parts


def _media(rnd: Random, cached: dict[str, int]) -> dict[str, int]:
    rest = cached["input_tokens"] - cached["cache_read_tokens"] - cached["cache_write_tokens"]
    read, out = cached["cache_read_tokens"], cached["output_tokens"] - cached["output_reasoning_tokens"]
    media: dict[str, int] = {}
    for medium in ("audio", "image", "video"):
        fresh, said = _part(rnd, rest), _part(rnd, out)
        reused = 0 if medium == "video" else _part(rnd, read)
        rest, read, out = rest - fresh, read - reused, out - said
        media |= {f"input_{medium}_tokens": fresh + reused, f"output_{medium}_tokens": said}
        if medium != "video":
            media[f"cache_{medium}_read_tokens"] = reused
    return cached | media


def _with_gaps(rnd: Random, counts: dict[str, int]) -> dict[str, int]:
    """What is left when some of the counts were not reported; input mostly is."""
    return {
        unit: count for unit, count in counts.items() if rnd.random() < (0.9 if "put_tokens" in unit else 0.6)
    }


def _other(rnd: Random, plain: dict[str, int]) -> dict[str, int]:
    seconds = rnd.choice([0, 3, rnd.randint(0, 900)])
    return {
        "web_searches": rnd.randint(0, 9),
        "storage_searches": rnd.randint(0, 3),
        "audio_seconds": seconds,
        "input_audio_seconds": seconds,
        "input_characters": rnd.randint(0, 9999),
        "input_document_pages": 20,
        "input_annotated_document_pages": rnd.randint(0, 20),
        "input_text_messages": rnd.randint(0, 4),
        "output_citation_tokens": _part(rnd, plain["output_tokens"]),
    }


def _moment(rnd: Random, provider: Provider, name: str) -> datetime:
    """A random second, or one beside an edge of the model's prices."""
    at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=rnd.randint(0, 100_000_000))
    model = provider.find_model(name, all_providers=PROVIDERS)
    if model is None:
        return at
    conditions = model.prices if isinstance(model.prices, list) else []
    dated = [one.constraint for one in (*conditions, *(model.price_variants or ()))]
    match rnd.choice(dated) if dated else None:
        case StartDateConstraint(start_date=day):
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            return midnight + timedelta(seconds=rnd.choice([-1, 0, 1, 86399]))
        case TimeOfDateConstraint(start_time=start, end_time=end):
            edge = datetime.combine(at.date(), rnd.choice([start, end]))
            return edge.replace(tzinfo=UTC) + timedelta(seconds=rnd.choice([-1, 0, 1]))
    return at

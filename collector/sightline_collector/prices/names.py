"""
Which names mean which model: exact names first, then patterns in the library's order. Pure.

A provider reaches its own models, then those of the providers it falls back to. Whose an exact name is, is
told by the library's order, and patterns are asked from it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from genai_prices.types import ClauseEquals, ClauseRegex, ClauseStartsWith, ModelInfo, Provider

from sightline_collector.prices.rules import (
    Condition,
    RuleTree,
    UnsupportedPatternError,
    alternatives,
    literal,
    shape,
)

NUMBER_OF_NO_MODEL = 0
"""What a name without a price resolves to."""

_NOT_CONTAINING = re.compile(r"\^\(\?!(\.\*.*)\)")
"""The one look-ahead at a name's start that can be said otherwise: "does not contain"."""

_SOME_DAY = "20260101"
"""Behind a name: whether a pattern takes dated names for the model."""

NumberOf = Callable[[Provider, ModelInfo], int]
"""The number under which a provider sells a model."""


@dataclass(frozen=True, slots=True)
class ModelRule:
    """All conditions together mean this model."""

    conditions: list[Condition]
    model: ModelInfo


def reachable(provider: Provider, providers: Sequence[Provider]) -> Iterator[ModelInfo]:
    """The provider's own models, then those of its fallbacks, one step, in the library's order."""
    yield from provider.models
    by_id = {other.id: other for other in providers}
    for fallback in provider.fallback_model_providers or ():
        yield from by_id[fallback].models


def exact_names(provider: Provider, providers: Sequence[Provider]) -> Iterator[tuple[str, ModelInfo]]:
    """Every name that a model of the provider lists, lower case, once, and the model that it means.

    That is the first that lists it, unless the pattern of one before it matches.
    """
    seen: set[str] = set()
    patterned: list[ModelInfo] = []
    for model in reachable(provider, providers):
        rules = [ModelRule(conditions, model) for conditions in alternatives(model.match)]
        for name in filter(None, map(_exact, rules)):
            if name not in seen:
                seen.add(name)
                yield name, next((one for one in patterned if one.is_match(name)), model)
        if any(_exact(rule) is None for rule in rules):
            patterned.append(model)


def dated_variant(provider: Provider, providers: Sequence[Provider], name: str) -> str:
    """A name of the same model that has a date behind this one, as answers name it; '' when there is none."""
    meant = next((model for model in reachable(provider, providers) if model.is_match(name)), None)
    if meant is None or name.endswith("*"):
        return ""
    dated = re.compile(re.escape(name) + r"[-@]\d[\d-]+")
    listed = (other for other, model in exact_names(provider, providers) if model is meant)
    found = next(filter(dated.fullmatch, listed), "")
    return found or (f"{name}-{_SOME_DAY}" if meant.is_match(f"{name}-{_SOME_DAY}") else "")


def add_model_rules(
    tree: RuleTree,
    provider: Provider,
    providers: Sequence[Provider],
    number_of: NumberOf,
    *,
    parent: int = 0,
    only: Callable[[Sequence[Condition]], bool] = lambda conditions: True,
) -> None:
    """Appends the provider's names and patterns to the tree, each with the value `model`: a number.

    `only` says whether a name that meets all of some conditions can come to this place of the tree.
    """
    prefix = rf"^{literal(provider.id)}\|"
    for name, model in exact_names(provider, providers):
        if only([ClauseEquals(name)]):
            tree.add(f"{prefix}{literal(name)}$", parent=parent, model=number_of(provider, model))
    rules = [rule for rule in _rules(provider, providers) if _exact(rule) is None and only(rule.conditions)]
    _add(tree, prefix, rules, lambda model: number_of(provider, model), parent)


def _rules(provider: Provider, providers: Sequence[Provider]) -> Iterator[ModelRule]:
    for model in reachable(provider, providers):
        yield from (ModelRule(conditions, model) for conditions in alternatives(model.match))


def _exact(rule: ModelRule) -> str | None:
    match rule.conditions:
        case [ClauseEquals(equals=name)]:
            return name.lower()
    return None


def _add(
    tree: RuleTree,
    prefix: str,
    rules: Sequence[ModelRule],
    number_of: Callable[[ModelInfo], int],
    parent: int = 0,
) -> None:
    for place, rule in enumerate(rules):
        positive = [condition for condition in rule.conditions if not _excludes(condition)]
        for exclusion in filter(_excludes, rule.conditions):
            branch = tree.add(prefix + _excluded(positive, exclusion), parent=parent)
            _add(tree, prefix, _without(exclusion, rules[place + 1 :]), number_of, branch)
            tree.add(".", parent=branch, model=NUMBER_OF_NO_MODEL)
        *outer, last = (f"{prefix}{shape(condition)}$".removesuffix(".*$") for condition in positive)
        at = parent
        for pattern in outer:
            at = tree.add(pattern, parent=at)
        tree.add(last, parent=at, model=number_of(rule.model))


def _excludes(condition: Condition) -> bool:
    return isinstance(condition, ClauseRegex) and "(?!" in condition.regex


def _excluded(positive: Sequence[Condition], exclusion: Condition) -> str:
    """The names that a rule would match, were it not for its exclusion."""
    found = _NOT_CONTAINING.fullmatch(_text(exclusion))
    match positive:
        case [ClauseStartsWith(starts_with=start)] if found:
            return literal(start) + found[1]
    raise UnsupportedPatternError(_text(exclusion), "only `^(?!.*x)` beside one `starts with` can be said")


def _text(condition: Condition) -> str:
    return condition.regex if isinstance(condition, ClauseRegex) else ""


def _without(exclusion: Condition, later: Sequence[ModelRule]) -> list[ModelRule]:
    """The later rules that can hold for a name which the exclusion took out."""
    if any(_excludes(one) and one != exclusion for rule in later for one in rule.conditions):
        raise UnsupportedPatternError(_text(exclusion), "two different exclusions in one provider")
    return [rule for rule in later if exclusion not in rule.conditions]

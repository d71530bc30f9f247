"""
Everything that is sold: the providers of the first source, the models that only a second one has, and the
sellers that only overrides name. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from genai_prices.types import ClauseEquals, ClauseOr, ClauseStartsWith, ModelInfo, Provider

from sightline_collector.prices.override import ANY_SELLER, Override
from sightline_collector.prices.providers import PROVIDER_OF_LITELLM_NAME, PROVIDER_OF_OTEL_NAME
from sightline_collector.prices.published import Published


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Providers in the order in which names are looked for; `source` is that of most models."""

    providers: Sequence[Provider]
    source: str
    second_source: str = ""
    from_second: Mapping[int, ModelInfo] = field(default_factory=dict)
    """By identity: the models of the second source."""

    def source_of(self, model: ModelInfo) -> str:
        """Who published the model's price."""
        return self.second_source if id(model) in self.from_second else self.source


def catalogue(
    first: Published, second: Published | None = None, overrides: Sequence[Override] = ()
) -> Catalogue:
    """What both sources sell, of the second only what the first lacks, and what only overrides name."""
    made = Catalogue(first.providers, first.source) if second is None else _with_second(first, second)
    known = {provider.id for provider in made.providers}
    sellers = sorted({one.provider for one in overrides} - known - {""})
    providers = [*made.providers, *(Provider(name, name, "") for name in sellers)]
    return replace(made, providers=_with_any_seller(providers, overrides))


def _with_second(first: Published, second: Published) -> Catalogue:
    known = {provider.id: provider for provider in first.providers}
    merged = {provider.id: provider for provider in first.providers}
    taken: dict[int, ModelInfo] = {}
    for provider in second.providers:
        seller = known.get(provider.id)
        news = [model for model in provider.models if not _sells(seller, model, first.providers)]
        taken |= {id(model): model for model in news}
        if seller is not None:
            merged[provider.id] = replace(seller, models=[*seller.models, *news])
        elif news:
            merged[provider.id] = replace(provider, models=news)
    return Catalogue(list(merged.values()), first.source, second.source, taken)


def _sells(seller: Provider | None, model: ModelInfo, providers: Sequence[Provider]) -> bool:
    return seller is not None and seller.find_model(model.id, all_providers=list(providers)) is not None


def _with_any_seller(providers: Sequence[Provider], overrides: Sequence[Override]) -> list[Provider]:
    """The providers, and before them one that sells what overrides price whoever the provider is."""
    models = [one.model for one in overrides if not one.provider]
    if not models:
        return list(providers)
    clauses = [ClauseStartsWith(m[:-1]) if m.endswith("*") else ClauseEquals(m) for m in models]
    fallbacks = [provider.id for provider in providers if provider.model_match]
    seller = Provider(
        ANY_SELLER, "any", "", model_match=ClauseOr(list(clauses)), fallback_model_providers=fallbacks
    )
    return [seller, *providers]


def seller_of(name: str, providers: Sequence[Provider]) -> str:
    """The id of the seller that a provider's name means, the name itself when nobody is called so.

    Raises ValueError for a name that means another seller: its calls are priced as that one's.
    """
    known = (PROVIDER_OF_OTEL_NAME | PROVIDER_OF_LITELLM_NAME).get(name, name)
    if known in {provider.id for provider in providers}:
        return known
    for provider in providers:
        if provider.provider_match is not None and provider.provider_match.is_match(name):
            raise ValueError(
                f"calls of {name!r} are priced as those of {provider.id}: set the override for that provider"
            )
    return name

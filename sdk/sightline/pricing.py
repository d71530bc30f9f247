"""What a model call cost: usage times the price in force that day, in USD. Pure.

Prices are the dated rows of the `genai-prices` data set, which ships with the package: nothing is fetched.
A call without a price has a named reason and no amount; it is never free.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Final, Literal, NamedTuple

from sightline.usage import Usage

Reason = Literal["no_usage", "no_model_name", "no_provider", "no_model", "bad_usage"]

# OpenTelemetry's provider names that the price data knows under another name, or takes for another's.
PROVIDER_ALIASES: Final = {
    "x_ai": "x-ai",
    "gcp.gen_ai": "google",
    "azure.ai.openai": "azure",
    "az.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "az.ai.inference": "azure",
}


class Price(NamedTuple):
    """An amount, or the reason that there is none.

    `assumed` is true when the provider has no such model and the bare model name decided. A tuple, not a
    dataclass: made for each call, in half the time.
    """

    usd: Decimal | None
    reason: Reason | None = None
    assumed: bool = False


def price(
    usage: Usage, *, provider: str | None, model: str | None, at: datetime, service_tier: str | None = None
) -> Price:
    """Price one call made at `at` (aware; prices are dated). Never raises on strange names or counts.

    `service_tier` is the one that was billed (flex, priority, batch, fast, ...), if the provider said so; a
    tier that has no price of its own costs what others do. A model may be named as LiteLLM does it, with its
    provider before it: `vertex_ai/gemini-2.5-pro`.
    """
    if not usage:
        return Price(None, "no_usage")
    if not model:
        return Price(None, "no_model_name")
    known = (PROVIDER_ALIASES.get(provider, provider) or None) if provider else None
    tier = None if service_tier in _ORDINARY_TIERS else service_tier
    try:
        return Price(_calculate(usage, model, known, at, tier))
    except LookupError:
        prefixed = _by_prefix(usage, model, at, tier)
        return _by_model_name(usage, model, known, at, tier) if prefixed is None else prefixed
    except ValueError:
        return Price(None, "bad_usage")


def _by_prefix(usage: Usage, model: str, at: datetime, tier: str | None) -> Price | None:
    """`azure/eu/gpt-4o` is the provider, its way to the model, and the model; None when it is not."""
    provider, *rest = model.split("/", _PREFIXES_MAX)
    while rest:
        try:
            return Price(
                _calculate(usage, "/".join(rest), PROVIDER_ALIASES.get(provider, provider), at, tier)
            )
        except LookupError:
            rest = rest[1:]
        except ValueError:
            return Price(None, "bad_usage")
    return None


def _by_model_name(usage: Usage, model: str, provider: str | None, at: datetime, tier: str | None) -> Price:
    """Gateways and clouds resell models under their own name: the bare model name is the next best fact."""
    missing: Reason = "no_model" if provider is None or _knows_provider(provider) else "no_provider"
    if provider is None:
        return Price(None, missing)
    try:
        return Price(_calculate(usage, model, None, at, tier), assumed=True)
    except LookupError:
        return Price(None, missing)
    except ValueError:
        return Price(None, "bad_usage")


def _calculate(usage: Usage, model: str, provider: str | None, at: datetime, tier: str | None) -> Decimal:
    """LookupError when there is no such provider or model, ValueError when parts exceed their whole."""
    rates = _rates_of(model, provider, at)
    if rates is None or tier or usage.cache_write_1h_tokens or usage.web_searches:
        return _from_library(usage, model, provider, at, tier)
    return _from_plain_rates(usage, *rates)


_ORDINARY_TIERS: Final = frozenset({None, "", "auto", "default", "standard"})
# Nearly all models have these rates only, beside some for what is seldom or never counted. The library's
# general way through its lattice of units takes ten times as long to the same amount.
_SELDOM_COUNTED: Final = frozenset({"cache_write_1h_mtok", "web_searches_kcount", "storage_searches_kcount"})
_PLAIN_RATES: Final = ("input_mtok", "cache_read_mtok", "cache_write_mtok", "output_mtok")
_PER_MTOK: Final = 1_000_000
_RATES_MAX: Final = 1_024  # the library has as many models

_PREFIXES_MAX: Final = 4  # LiteLLM's longest: bedrock/<region>/<commitment>/<model>
# The price list says what is unlike other calls in more words than providers do.
_CONTEXTS: Final = {
    "batch": {"processing": "batch"},
    "fast": {"service_tier": "fast", "speed": "fast"},  # OpenAI's word for it, and Anthropic's
}

Rates = tuple[Any, Any, Any, Any]  # as _PLAIN_RATES: a Decimal, tiers of them, or None
_rates: Final[dict[int, tuple[object, Rates | None]]] = {}  # by identity, which is why prices are held
# By model and provider: the list it is of, the model, and its rates where no date changes them.
_listed: Final[dict[tuple[str, str | None], tuple[object, Any, Rates | None]]] = {}


def _rates_of(model: str, provider: str | None, at: datetime) -> Rates | None:
    """The model's rates in force; None when it has others than the plain ones. LookupError for no model."""
    snapshot = _snapshot()
    listed = _listed.get((model, provider))
    if listed is None or listed[0] is not snapshot:
        _, known = snapshot.find_provider_model(model, None, provider, None)
        always = None if isinstance(known.prices, list) else _plain_rates(known.get_prices(at))
        if len(_listed) >= _RATES_MAX:
            _listed.clear()
        listed = _listed[model, provider] = snapshot, known, always
    return listed[2] or _plain_rates(listed[1].get_prices(at))


def _plain_rates(prices: object) -> Rates | None:
    """A model's rates; None when it has others than the plain ones."""
    known = _rates.get(id(prices))
    if known is None:
        listed = {name for name, rate in vars(prices).items() if rate is not None}
        plain = (listed - _SELDOM_COUNTED).issubset(_PLAIN_RATES)
        input_, read, write, output = (getattr(prices, name) for name in _PLAIN_RATES)
        if len(_rates) >= _RATES_MAX:
            _rates.clear()
        known = _rates[id(prices)] = prices, (input_, read, write, output) if plain else None
    return known[1]


def _from_plain_rates(usage: Usage, of_input: Any, of_read: Any, of_write: Any, of_output: Any) -> Decimal:
    """Cached tokens that have no rate of their own are input like any other."""
    whole = usage.input_tokens or 0
    read = usage.cache_read_tokens or 0 if of_read is not None else 0
    write = usage.cache_write_tokens or 0 if of_write is not None else 0
    if read + write > whole:
        raise ValueError("more tokens were cached than sent")
    said = usage.output_tokens or 0
    if type(of_input) is Decimal and type(of_output) is Decimal and not read and not write:
        return (of_input * whole + of_output * said) / _PER_MTOK
    amount = _amount(of_input, whole - read - write, whole) + _amount(of_output, said, whole)
    if read:
        amount += _amount(of_read, read, whole)
    if write:
        amount += _amount(of_write, write, whole)
    return amount


def _amount(rate: Any, count: int, whole: int) -> Decimal:
    """So many tokens at this rate; a tier is chosen by the whole input."""
    if type(rate) is Decimal:
        return rate * count / _PER_MTOK
    return _library().calc_unit_price(rate, count, whole, _PER_MTOK)


def _from_library(usage: Usage, model: str, provider: str | None, at: datetime, tier: str | None) -> Decimal:
    import genai_prices

    counts = genai_prices.Usage(
        input_tokens=usage.input_tokens or 0,
        output_tokens=usage.output_tokens or 0,
        cache_read_tokens=usage.cache_read_tokens or None,
        cache_write_tokens=usage.cache_write_tokens or None,
        output_reasoning_tokens=usage.reasoning_tokens or None,
        input_audio_tokens=usage.audio_input_tokens or None,
        output_audio_tokens=usage.audio_output_tokens or None,
        input_image_tokens=usage.image_input_tokens or None,
        output_image_tokens=usage.image_output_tokens or None,
        cache_write_1h_tokens=usage.cache_write_1h_tokens or None,
        web_searches=usage.web_searches or None,
    )
    context = _CONTEXTS.get(tier, {"service_tier": tier}) if tier else None
    return genai_prices.calc_price(
        counts, model, provider_id=provider, genai_request_timestamp=at, price_context=context
    ).total_price


@lru_cache(maxsize=256)
def _knows_provider(provider: str) -> bool:
    try:
        _snapshot().find_provider("", provider, None)
    except LookupError:
        return False
    return True


def _snapshot() -> Any:
    return _library().get_snapshot()


@dataclass(frozen=True, slots=True)
class _Library:
    """Of `genai-prices`, what every price asks for."""

    get_snapshot: Callable[[], Any]
    calc_unit_price: Callable[[Any, int, int, int], Decimal]


@cache
def _library() -> _Library:
    """Imported at the first price: it costs a third of a second, and a program may never need it."""
    from genai_prices.data_snapshot import get_snapshot
    from genai_prices.types import calc_unit_price

    return _Library(get_snapshot, calc_unit_price)

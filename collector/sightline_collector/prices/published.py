"""
Price lists as they are published: the installed `genai-prices`, a file of it, and LiteLLM's data.

A file is `prices/new_data/v2/data.json` of the genai-prices project: a list of providers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from sightline_collector.errors import BadConfiguration
from sightline_collector.sql.catalog import DATA

if TYPE_CHECKING:
    from genai_prices.types import Provider

LIBRARY = "genai-prices"
SECOND = DATA / "litellm_prices.json"

SETS_PRICES = ("data.py", "data_units.py", "types.py", "units.py")
"""The library's files that decide what a call costs; an export is made again when one of them changes."""

PROVIDERS_MIN = 10
"""A file with fewer is no price list but a piece of one: it would leave most calls without a price."""

WHERE = "take prices/new_data/v2/data.json of the genai-prices project, whole; nothing was changed"


@dataclass(frozen=True, slots=True)
class Published:
    """A price list as it was published; `source` is what spans say that were priced by it."""

    providers: Sequence[Provider]
    source: str


@cache
def installed_source() -> str:
    """The library and its version, as spans say it.

    Asked once a process, as its prices are read once: a release that is installed meanwhile is another's.
    """
    return f"{LIBRARY} {version(LIBRARY)}"


def installed() -> Published:
    """The installed library's prices; 0.2 s for the first time."""
    from genai_prices.data_snapshot import get_snapshot

    return Published(get_snapshot().providers, installed_source())


def second() -> Published:
    """The second source's prices."""
    read = json.loads(SECOND.read_text("utf8"))
    return Published(parsed(read["providers"]), read["source"])


def parsed(raw: Any) -> Sequence[Provider]:
    """Providers from the JSON of a file. Raises ValueError when they are none."""
    from genai_prices.types import _providers_from_raw

    return _providers_from_raw(raw)


def as_text(published: Published) -> str:
    """A price list as a file has it."""
    raw = to_jsonable_python(list(published.providers), fallback=vars, exclude_none=True)
    return json.dumps(_with_published_names(raw))


def _with_published_names(value: Any) -> Any:
    """`or` and `and` are words of Python's, so the library's classes cannot use them."""
    if isinstance(value, list):
        return [_with_published_names(one) for one in value]
    if isinstance(value, dict):
        named = {name.removesuffix("_") if name in ("or_", "and_") else name: value[name] for name in value}
        return {name: _with_published_names(one) for name, one in named.items() if name != "extractors"}
    return value


def from_file(text: str, source: str) -> Published:
    """The price list that a file holds. Raises BadConfiguration that says what to do."""
    try:
        raw = json.loads(text)
        providers = parsed(raw) if isinstance(raw, list) else []
        odd = next(_odd_prices(raw), None)
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as e:
        raise BadConfiguration(f"this is no price list: {_first_line(e)}", hint=WHERE) from None
    sold = sum(len(provider.models) for provider in providers)
    if len(providers) < PROVIDERS_MIN or not sold:
        raise BadConfiguration(
            f"this is no whole price list: it has {len(providers)} providers and {sold} models", hint=WHERE
        )
    if odd is not None:
        raise BadConfiguration(f"{odd} has a price that nobody can ask", hint=WHERE)
    return Published(providers, source)


def _odd_prices(raw: Any) -> Iterator[str]:
    """The models of a file whose prices are missing, below 0, or no numbers of money."""
    for provider in raw if isinstance(raw, list) else ():
        for model in provider["models"]:
            if "prices" not in model or not all(map(_can_be_asked, _numbers(model["prices"]))):
                yield f"{provider['id']}'s {model['id']}"


def _numbers(prices: Any) -> Iterator[Decimal]:
    """All amounts and thresholds in a model's prices; when they hold is no number."""
    if isinstance(prices, dict):
        for name, value in prices.items():
            yield from _numbers(value) if name != "constraint" else ()
    elif isinstance(prices, list):
        for value in prices:
            yield from _numbers(value)
    elif prices is not None:
        yield Decimal(str(prices))


def _can_be_asked(usd: Decimal) -> bool:
    from sightline_collector.prices.override import MOST_LISTED_USD

    return usd.is_finite() and 0 <= usd < MOST_LISTED_USD


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


@cache
def fingerprint() -> str:
    """Changes when the library's prices do, the second source's, or our way of turning them into rows.

    Asked once a process, for the same reason.
    """
    digest = hashlib.sha256()
    for file in (*_library_files(), *sorted(Path(__file__).parent.glob("*.py"))):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    digest.update(SECOND.read_bytes())
    return digest.hexdigest()


def _library_files() -> Iterator[Path]:
    """The library's files, found without importing it."""
    found = find_spec("genai_prices")
    folders = (found.submodule_search_locations or ()) if found else ()
    for folder in folders:
        yield from (Path(folder) / name for name in SETS_PRICES)

"""What the command line and the HTTP port may do with prices.

One change at a time, also of collectors that share a store: each makes an export.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from threading import Lock
from typing import Any

from sightline_collector.errors import BadConfiguration, StoreRefused
from sightline_collector.prices.catalogue import catalogue, seller_of
from sightline_collector.prices.load import LoadedPrices, load, published_in_force
from sightline_collector.prices.names import dated_variant, exact_names
from sightline_collector.prices.overridden import lies_in
from sightline_collector.prices.override import Override
from sightline_collector.prices.published import from_file, installed_source, second
from sightline_collector.prices.rules import UnsupportedPatternError
from sightline_collector.store.engine import Engine
from sightline_collector.store.migration_lock import alone
from sightline_collector.store.verdict import Verdict, judge

_CHANGING = Lock()
UNCHANGED = "the prices in force are unchanged"

_NEWEST = """
select * except (set_at) from price_overrides_v1 where id = {id:String} order by set_at desc limit 1
"""
_CHARGES = """
select id, charge from price_overrides where isNull(replaced_at) and id = {id:String}
"""
_IN_FORCE = """
select id from price_overrides
where isNull(replaced_at) and ifNull(valid_until > toDate(now('UTC')), 1)
order by id
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """An override that was set: what it charges, and what the same id charged before, if anything."""

    id: str
    charge: str
    replaced: str | None
    unreached: str = ""
    """A name by which the price list knows the model too, and which the override does not reach."""
    until: str = ""
    """The first day without it, of one that was ended."""


def set_override(engine: Engine, override: Override, now: datetime | None = None) -> Setting:
    """Charge what an override says, for calls from its first day on, from now on.

    Raises BadConfiguration when it could change no price; the prices in force then stay.
    """
    with _CHANGING, alone(engine):
        found, unreached = _placed(engine, override)
        before = _charge(engine, found.id)
        load(engine, {"price_overrides_v1": _row(found, now)})
        return Setting(found.id, _charge(engine, found.id) or "", before, unreached)


def end_override(engine: Engine, override_id: str, last: date, now: datetime | None = None) -> Setting:
    """Let an override hold until a day, which is the first without it, and no longer than it did. Raises
    BadConfiguration."""
    with _CHANGING, alone(engine):
        rows = engine.rows(_NEWEST, {"id": override_id})
        if not rows:
            known = ", ".join(row["id"] for row in engine.rows(_IN_FORCE))
            hint = f"there are: {known}" if known else "none is set"
            raise BadConfiguration(f"there is no override {override_id!r}", hint=hint)
        held = Override.model_validate({**rows[0], "prices": rows[0]["prices"] or None})
        until = min(max(last, held.valid_from), held.valid_until or last.max)
        load(engine, {"price_overrides_v1": _row(held.model_copy(update={"valid_until": until}), now)})
        charge = _charge(engine, override_id) or ""
        return Setting(override_id, charge, charge, until=until.isoformat())


def import_prices(engine: Engine, text: str, source: str, set_by: str = "") -> LoadedPrices:
    """Charge by a published price list from now on, until another library is installed.

    Raises BadConfiguration for a file that is none, or that the engine cannot run; nothing is changed then.
    """
    with _CHANGING, alone(engine):
        from_file(text, source)
        row = {
            "imported_at": _stored(None),
            "set_by": set_by,
            "source": source,
            "installed": installed_source(),
            "data": text,
        }
        try:
            return load(engine, {"price_imports_v1": row})
        except UnsupportedPatternError as e:
            raise BadConfiguration(str(e), hint=UNCHANGED) from None
        except (ValueError, TypeError, LookupError, ArithmeticError) as e:
            raise BadConfiguration(
                f"this price list has what no call can be priced by: {e}", hint=UNCHANGED
            ) from None
        except StoreRefused as e:
            if judge(e) is not Verdict.BISECT:
                raise
            raise BadConfiguration(
                f"the store cannot price by this list: {e.message[:200]}", hint=UNCHANGED
            ) from None


def _placed(engine: Engine, override: Override) -> tuple[Override, str]:
    """The override under the id of its seller, and a name that it does not reach.

    Raises BadConfiguration when nothing can match it.
    """
    made = catalogue(published_in_force(engine), second())
    try:
        seller = seller_of(override.provider, made.providers) if override.provider else ""
    except ValueError as e:
        raise BadConfiguration(str(e), hint="nothing was changed") from None
    placed = override.model_copy(update={"provider": seller})
    sold = next((one for one in made.providers if one.id == seller), None)
    if placed.discount_pct is not None:
        names = exact_names(sold, made.providers) if sold else ()
        if not any(lies_in(name, placed.model) for name, _ in names):
            raise BadConfiguration(
                f"{seller} publishes no price of a model called {placed.model!r}",
                hint=f"`sightline prices list --provider {seller}` shows its models; * stands for any ending",
            )
    return placed, dated_variant(sold, made.providers, placed.model) if sold else ""


def _charge(engine: Engine, override_id: str) -> str | None:
    return next((str(row["charge"]) for row in engine.rows(_CHARGES, {"id": override_id})), None)


def _row(override: Override, now: datetime | None) -> dict[str, Any]:
    """As price_overrides_v1 has it."""
    fields: Mapping[str, Any] = override.model_dump(mode="json")
    return {**fields, "prices": fields["prices"] or {}, "set_at": _stored(now)}


def _stored(now: datetime | None) -> str:
    return (now or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M:%S.%f")

"""Frozen baselines: from now on every slice is compared with its answers of chosen days, until released."""

from __future__ import annotations

from datetime import date

from sightline_collector.errors import BadConfiguration
from sightline_collector.store.engine import Engine

_FREEZE = """
insert into baselines_v1 (
    project, name, slice_key, slice_value, column_name, first_day, last_day, calls, nulls, tokens, histogram,
    categories, created_by)
select
    project, {name:String}, slice_key, slice_value, column_name, min(day), max(day), sum(calls), sum(nulls),
    sum(tokens), sumForEach(histogram), sumMap(categories), {created_by:String}
from drift_profiles
where project = {project:String} and day between {first_day:Date} and {last_day:Date}
group by project, slice_key, slice_value, column_name
"""
_RELEASE = """
insert into baselines_v1 (project, name, slice_key, slice_value, column_name, calls, created_by)
select project, name, slice_key, slice_value, column_name, 0, {created_by:String}
from drift_baselines
where project = {project:String}
"""
_SEEN = "select min(day) as first, max(day) as last from drift_profiles where project = {project:String}"
_FROZEN = "select count() from drift_baselines where project = {project:String}"


def freeze_baseline(
    engine: Engine,
    name: str,
    first_day: date,
    last_day: date,
    *,
    project: str = "default",
    created_by: str = "",
) -> int:
    """Freeze the answers of some UTC days, both included, of every slice. How many series are frozen now.

    Raises BadConfiguration when the project answered nothing on those days, or they are out of the view's
    reach.
    """
    seen = engine.rows(_SEEN, {"project": project})[0]
    if not (seen["first"] <= last_day and first_day <= seen["last"]) or first_day > last_day:
        raise BadConfiguration(
            f"project {project!r} has no answers from {first_day} to {last_day}",
            hint=f"drift_profiles reaches from {seen['first']} to {seen['last']}",
        )
    days = {"first_day": first_day.isoformat(), "last_day": last_day.isoformat()}
    engine.command(_FREEZE, {"name": name, "project": project, "created_by": created_by, **days})
    return int(engine.value(_FROZEN, {"project": project}))


def release_baseline(engine: Engine, *, project: str = "default", created_by: str = "") -> None:
    """Compare every slice of a project with the seven days before again."""
    engine.command(_RELEASE, {"project": project, "created_by": created_by})

"""Which traces may need settling for what they say themselves.

Most need nothing: each of their calls is told by one span. The store says in one pass which do not: those
with corrections, weights, repeated spans, usage above usage, or two scopes that tell of a call.
"""

from __future__ import annotations

from collections.abc import Mapping

from sightline_collector.settle.groups import Group
from sightline_collector.store.engine import Engine

CLAIM = "(entry = 'span' and (sightline_model_call(operation) or {used}))".format(
    used="(ifNull(input_tokens, 0) + ifNull(output_tokens, 0) > 0 or notEmpty(extra_usage)"
    " or ifNull(reported_cost_usd, 0) > 0)"
)

ODD = f"entry = 'correction' or {CLAIM} and (not sightline_model_call(operation) or weight != 1)"

OF_ARRIVED = "(project, trace_id) in (select project, trace_id from spans_v1 where {arrived})"
"""Two projects may have a trace of one id: what comes of one's says nothing of the other's."""

NEAR = """
started_at >= fromUnixTimestamp64Nano({first:Int64} - {reach:Int64}, 'UTC')
    and started_at <= fromUnixTimestamp64Nano({last:Int64} + {reach:Int64}, 'UTC')"""

READ_THROUGH = " settings use_skip_indexes = 0, optimize_use_projections = 0"
"""Of thousands of ids some are in every granule, and no roll-up has them: looking costs more than reading."""

DOUBTFUL = f"""
with arrived as (
    select project, trace_id
    from spans_v1
    where {{among}}
    group by project, trace_id
    having countIf({CLAIM}) > 1
        or countIf({ODD}) > 0
)
select project, trace_id
from spans_v1
where {{among}} and (project, trace_id) in (select project, trace_id from arrived)
group by project, trace_id
having countIf({ODD}) > 0
    or uniqExactIf(span_id, {CLAIM}) < countIf({CLAIM})
    or uniqExactIf(scope_name, {CLAIM}) > 1
    or uniqExactIf(response_id, {CLAIM} and response_id != '') < countIf({CLAIM} and response_id != '')
    or hasAny(groupArrayIf(span_id, {CLAIM}) as claims, groupUniqArrayIf(parent_span_id, {CLAIM}))
    or hasAny(
        arrayMap(s -> s.1, arrayFilter(
            s -> has(claims, s.2), groupArrayIf((span_id, parent_span_id), entry = 'span' and not {CLAIM}))),
        groupUniqArray(parent_span_id))
"""  # noqa: S608 - our own text


def doubts(
    engine: Engine, among: str, parameters: Mapping[str, int | str | list[str]], settings: str = ""
) -> list[Group]:
    """The traces, each alone, among some spans that may need settling for what these say."""
    rows = engine.rows(DOUBTFUL.replace("{among}", among) + settings, parameters)
    return [frozenset({(str(row["project"]), str(row["trace_id"]))}) for row in rows]

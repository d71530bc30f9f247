"""Which claims cost something else by the prices in force now than the ledger holds of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sightline_collector.settle.doubts import CLAIM
from sightline_collector.settle.entries import Place
from sightline_collector.settle.groups import Stretch
from sightline_collector.settle.status import NO_CALL
from sightline_collector.sql.catalog import Catalog
from sightline_collector.store.engine import Engine

AMONG = """started_at >= fromUnixTimestamp64Nano({first:Int64}, 'UTC')
        and started_at <= fromUnixTimestamp64Nano({last:Int64}, 'UTC')"""

OF_TRACES = " and trace_id in {traces:Array(String)}"

DIFFERENCES = """
with mapped_spans as (
    select
        project, trace_id, span_id, toUnixTimestamp64Nano(span_received_at) as received_ns, started_at,
        -- What may be paid is priced as a call: of an agent, too, the status is wanted.
        if(sightline_model_call(s.operation), toString(s.operation), 'embedding') as operation,
        provider, model, request_model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
        cache_write_1h_tokens, reasoning_tokens, extra_usage, tokens_estimated, gateway_cached, price_context,
        reported_cost_usd, notes, own_cost_usd as first_usd, toString(cost_status) as first_status
    from (
        -- Apart: above, `operation` is another one.
        select * from spans_v1
        where entry = 'span' and {among} and ({project:String} = '' or project = {project:String})
            and {claim}) as s
),
{steps:priced_spans},
changed as (
    select
        c.project as project, c.trace_id as trace_id, c.span_id as span_id,
        toUnixTimestamp64Nano(c.span_received_at) as received_ns,
        ifNull(sumIf(c.cost_usd, c.why = 'repriced'), 0) as usd,
        sumIf(c.priced, c.why = 'repriced') as priced,
        argMaxIf(toString(c.cost_status), c.received_at, c.unpriced >= 0) as status
    from spans_v1 as c
    where c.entry = 'correction' and c.why in ('repriced', 'promoted')
        and {among}
    group by project, trace_id, span_id, received_ns
)
select
    p.project as project, p.trace_id as trace_id, p.span_id as span_id, p.received_ns as received_ns,
    toUnixTimestamp64Nano(p.started_at) as started_ns, p.provider as provider, p.model as model,
    ifNull(changed.status, '') as changed_to,
    if(isNotNull(p.first_usd) + ifNull(changed.priced, 0) <= 0, null,
        ifNull(p.first_usd, 0) + ifNull(changed.usd, 0)) as old_usd,
    p.own_cost_usd as new_usd,
    if(changed_to = '', p.first_status, changed_to) as old_status,
    toString(p.cost_status) as new_status, p.price_id as price_id, p.price_source as price_source
from priced_spans as p
left any join changed
    on changed.project = p.project and changed.trace_id = p.trace_id and changed.span_id = p.span_id
        and changed.received_ns = p.received_ns
where old_usd is distinct from new_usd
order by started_ns, trace_id, span_id, received_ns
"""


@dataclass(frozen=True, slots=True)
class Repriced:
    """A claim whose price has changed; an amount is None when there was or is none."""

    project: str
    trace_id: str
    span_id: str
    received_ns: int
    started_ns: int
    provider: str
    model: str
    old_usd: Decimal | None
    new_usd: Decimal | None
    old_status: str
    new_status: str
    price_id: int
    price_source: str

    @property
    def place(self) -> Place:
        """Which span of which project."""
        return self.project, self.trace_id, self.span_id, self.received_ns

    @property
    def decides(self) -> bool:
        """Whether it can change a bill by itself: no span does that is not paid and has a price as before."""
        return self.old_status != NO_CALL or (self.old_usd is None) != (self.new_usd is None)

    @property
    def price(self) -> dict[str, Any]:
        """What a span says of its price, as columns."""
        return {
            "cost_status": self.new_status, "price_id": self.price_id, "price_source": self.price_source
        }  # fmt: skip

    @property
    def because(self) -> str:
        """The reason that the correction tells."""
        was, now = _said(self.old_usd, self.old_status), _said(self.new_usd, self.new_status)
        source = f" by {self.price_source}" if self.price_source else ""
        return f"priced again{source}: it was {was}, it is {now}"


def _said(usd: Decimal | None, status: str) -> str:
    return f"{status}" if usd is None else f"{usd.normalize():f} USD ({status})"


def differing(
    engine: Engine, time: Stretch, project: str = "", traces: Iterable[str] | None = None
) -> list[Repriced]:
    """The claims of a time, both ends included, of a project, or ('') of all, whose price has changed; with
    `traces` those of them alone. Raises StoreRefused."""
    among = AMONG + (OF_TRACES if traces is not None else "")
    sql = Catalog(engine.database).render(DIFFERENCES.replace("{among}", among).replace("{claim}", CLAIM))
    bounds = {"first": time[0], "last": time[1], "project": project, "traces": sorted(traces or ())}
    rows = engine.rows(sql, bounds)
    return [Repriced(**{name: row[name] for name in Repriced.__slots__}) for row in rows]

"""What the store's own rows say about how well things go: losses, unpriced calls, prices, clocks, and who is
told of what."""

from __future__ import annotations

from collections.abc import Iterator

from sightline_collector.errors import Fault
from sightline_collector.operate.finding import Finding, duration, fail, graded, ok, warn
from sightline_collector.operate.growth import growth
from sightline_collector.store.engine import Engine

TESTED_ENGINE = "26.9"
"""The release of ClickHouse that the test suite runs on."""
OLDEST_ENGINE = 25
"""Projections that follow deletes, and Protobuf with a schema in the statement, came with 25.x."""
UNPRICED_WARN, UNPRICED_FAIL = 0.01, 0.5
PRICES_DAYS_WARN = 90
"""Providers have changed a price or brought a model every few weeks for years."""
SKEW_WARN = 0.001

LOSSES = """
select place, signal, reason, sum(items) as items
from losses_v1 where at > now() - interval 1 day
group by place, signal, reason order by items desc limit 5
"""
SHED = """
select what, max(before) as before from sheddings_v1
where at > now() - interval 1 day group by what order by what
"""
UNPRICED = """
select sum(calls) as calls, sum(unpriced_calls) as unpriced from cost_daily where day >= yesterday()
"""
PRICES = """
select dateDiff('day', max(valid_from), today()) as days
from prices where valid_from <= today() and source not like 'override %'
"""
SKEW = """
select count() as spans, countIf(started_at > received_at + interval 60 second) as ahead,
    anyIf(service, started_at > received_at + interval 60 second) as service
from spans where started_at > now() - interval 1 hour
"""

SILENT = "select budget from budget_limits where empty(channels) order by budget"
UNDELIVERED = """
select shown, count() as messages, argMax(error, last) as error
from (
    select shown, argMax(outcome, attempt) as outcome, argMax(error, attempt) as error, max(at) as last
    from alert_deliveries_v1 where at > now() - interval 1 day
    group by event_id, channel, shown
)
where outcome != 'delivered' group by shown order by messages desc limit 3
"""


def stored(engine: Engine, limit_bytes: float = 0.0) -> Iterator[Finding]:
    """Asks the store, whose budget may be `limit_bytes`; a question that it refuses is a finding, too."""
    try:
        yield _version(engine)
        for check in (_losses, _shed, _unpriced, _prices, _skew, _silent, _undelivered):
            yield check(engine)
        yield growth(engine, limit_bytes)
    except Fault as e:
        yield fail("store", e.message, e.hint)


def _version(engine: Engine) -> Finding:
    engine.answers()
    version = engine.version
    says = f"ClickHouse {version} answers at {engine.url}"
    if version.startswith(f"{TESTED_ENGINE}."):
        return ok("store", says)
    if int(version.partition(".")[0]) < OLDEST_ENGINE:
        return fail("store", says, f"upgrade it: Sightline is tested with {TESTED_ENGINE}")
    return warn("store", f"{says}; Sightline is tested with {TESTED_ENGINE}", "upgrade when you can")


def _losses(engine: Engine) -> Finding:
    rows = engine.rows(LOSSES)
    if not rows:
        return ok("losses", "nothing was reported lost in the last day")
    worst = "; ".join(f"{r['items']:,} {r['signal']} at {r['place']}: {r['reason']}" for r in rows)
    return warn("losses", f"lost in the last day: {worst}", '`sightline sql "select * from span_loss"`')


def _shed(engine: Engine) -> Finding:
    rows = engine.rows(SHED)
    if not rows:
        return ok("budget", "nothing was let go for the store's budget in the last day")
    gone = "; ".join(f"{row['what']} before {row['before']:%Y-%m-%d %H:%M}" for row in rows)
    step = "allow more with --store-gb, or keep less with --keep-content-days"
    return warn("budget", f"let go in the last day: {gone}", step)


def _unpriced(engine: Engine) -> Finding:
    row = engine.rows(UNPRICED)[0]
    calls, unpriced = int(row["calls"] or 0), int(row["unpriced"] or 0)
    if not calls:
        return ok("prices", "no model calls since yesterday")
    says = f"{unpriced:,} of {calls:,} model calls since yesterday have no price"
    step = '`sightline sql "select * from unpriced_calls"` says why, and what to do for each'
    return graded("prices", unpriced / calls, UNPRICED_WARN, UNPRICED_FAIL, says, step)


def _prices(engine: Engine) -> Finding:
    days = engine.value(PRICES)
    if days is None:
        return fail("price list", "there are no prices", "restart the collector: it loads them")
    says = f"the newest price took effect {days} days ago"
    step = "pip install --upgrade genai-prices, and restart the collector"
    return warn("price list", says, step) if days > PRICES_DAYS_WARN else ok("price list", says)


def _skew(engine: Engine) -> Finding:
    row = engine.rows(SKEW)[0]
    spans, ahead = int(row["spans"]), int(row["ahead"])
    if not ahead:
        return ok("clocks", "no span of the last hour comes from the future")
    says = f"{ahead:,} of {spans:,} spans of the last hour began {duration(60)} or more after they arrived"
    step = f"set the clock of what sends them, such as {row['service']}, by NTP"
    return graded("clocks", ahead / max(1, spans), SKEW_WARN, 2.0, says, step)


def _silent(engine: Engine) -> Finding:
    names = [str(row["budget"]) for row in engine.rows(SILENT)]
    if not names:
        return ok("budgets", "none is without a channel")
    says = f"{len(names)} tell nobody: {', '.join(names[:5])}"
    return warn("budgets", says, "set each again, with --notify: `sightline budget set --help`")


def _undelivered(engine: Engine) -> Finding:
    rows = engine.rows(UNDELIVERED)
    if not rows:
        return ok("channels", "each message of the last day was delivered, if there was any")
    worst = "; ".join(f"{row['messages']:,} to {row['shown']}: {row['error'][:100]}" for row in rows)
    return warn(
        "channels", f"not delivered in the last day: {worst}", "`sightline alerts test URL` tries one"
    )

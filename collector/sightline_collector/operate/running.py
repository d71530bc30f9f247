"""What the parts of a running collector say: its log, its dead letters, its alerts, where it listens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from prometheus_client import CollectorRegistry

from sightline_collector.access.gate import Gate
from sightline_collector.access.tls import Tls
from sightline_collector.health import LogState, fullness
from sightline_collector.operate.finding import Finding, duration, fail, graded, ok, size, warn
from sightline_collector.receive.serve import Serving
from sightline_collector.wal.dead_letter import DeadLetters
from sightline_collector.wal.segment import Signal

FULL_WARN, FULL_FAIL = 0.5, 0.9
NEARLY_FULL = 0.9
"""Disk and memory are well used up to here; at 1 requests are refused."""
LAG_S_WARN, LAG_S_FAIL = 15.0, 60.0
ALERT_LAG_S_WARN, ALERT_LAG_S_FAIL = 120.0, 600.0
"""On top of the interval between looks."""
SETTLE_LAG_S_WARN, SETTLE_LAG_S_FAIL = 300.0, 3600.0
CONNECT_S = 2.0
MEMORY_LIMIT = 241
"""The engine's number for a statement that wanted more memory than it may have."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is looked at. `registry` is the collector's own: what others count is read from it. `failing` are
    the signals whose last insert failed, with why."""

    log: LogState
    dead_letters: DeadLetters
    registry: CollectorRegistry
    alert_interval_s: float
    listening: Sequence[Serving]
    gate: Gate = field(default_factory=Gate)
    tls: Tls | None = None
    failing: Mapping[Signal, str] = field(default_factory=dict)


def running(parts: Parts) -> Iterator[Finding]:
    """Everything but the ports."""
    yield from _log(parts.log)
    yield _inserts(parts.failing)
    yield _fullness(parts.registry)
    yield _damage(parts.registry)
    yield _size(parts.registry)
    yield _dead_letters(parts.dead_letters)
    yield _alerts(parts)
    yield _settlement(parts.registry)
    yield from _exposure(parts.listening, parts.gate.shut)


async def ports(listening: Sequence[Serving]) -> list[Finding]:
    """Whether each door takes a connection."""
    return [await _port(serving) for serving in listening]


async def _port(serving: Serving) -> Finding:
    host = "127.0.0.1" if serving.host == "0.0.0.0" else "::1" if serving.host == "::" else serving.host  # noqa: S104
    where = f"{serving.host}:{serving.port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host, serving.port)
            writer.close()
    except OSError as e:  # a timeout is one
        step = "look for a firewall on this machine; restart the collector"
        return fail(serving.name, f"{where} does not take a connection ({e or 'no answer'})", step)
    return ok(serving.name, f"listens on {where}")


def _log(log: LogState) -> Iterator[Finding]:
    held, limit, age_s = log.size_bytes, log.limit_bytes, log.oldest_age_s()
    waiting = sum(log.waiting_segments(signal) for signal in Signal)
    says = f"{size(held)} of {size(limit)}; {waiting} segments wait for the store"
    step = "see whether the store keeps up; allow more with --log-gb"
    yield graded("log", held / max(1, limit), FULL_WARN, FULL_FAIL, says, step)
    says = f"the oldest record that is not stored came {duration(age_s)} ago" if age_s else "all is stored"
    step = "read the collector's log for what the store answers; nothing is lost meanwhile"
    yield graded("lag", age_s, LAG_S_WARN, LAG_S_FAIL, says, step)


def _inserts(failing: Mapping[Signal, str]) -> Finding:
    says = "; ".join(f"{signal} are tried again: {why}" for signal, why in sorted(failing.items()))
    if not says:
        return ok("inserts", "none has to be tried again")
    step = "mend what it says of the store or the disk: what was acknowledged waits in the log"
    return warn("inserts", says, step)


def _fullness(registry: CollectorRegistry) -> Finding:
    shares = fullness(registry)
    if not shares:
        return ok("fullness", "nothing is bounded here")
    name, share = max(shares.items(), key=lambda one: one[1])
    step = "senders are told to come again: see deploy/README.md for each of sightline_fullness_ratio"
    return graded("fullness", share, NEARLY_FULL, 1.0, f"{share:.0%} of {name}, of all the fullest", step)


def _damage(registry: CollectorRegistry) -> Finding:
    bad = sum(_samples(registry, "sightline_log_damage_bytes_total"))
    if not bad:
        return ok("log damage", "none was found at the start")
    step = "look at the disk; wal/torn in the data folder keeps what was cut out"
    return warn("log damage", f"{size(bad)} of left segments were no record", step)


def _size(registry: CollectorRegistry) -> Finding:
    held = sum(_samples(registry, "sightline_store_bytes"))
    limit = store_limit_bytes(registry)
    if not limit:
        return ok("store size", f"{size(held)}, without a budget")
    step = "nothing older is left to let go: allow more with --store-gb"
    return graded("store size", held / limit, 1.0, 1.2, f"{size(held)} of {size(limit)}", step)


def store_limit_bytes(registry: CollectorRegistry) -> float:
    """The store's budget; 0 when it has none."""
    return sum(_samples(registry, "sightline_store_limit_bytes"))


def _dead_letters(dead_letters: DeadLetters) -> Finding:
    letters = dead_letters.letters()
    if not letters:
        return ok("dead letters", "none of what the store has answered for")
    items = sum(letter.items for letter in letters)
    says = f"{len(letters):,} requests with {items:,} items, the last: {letters[-1].why[:120]}"
    step = "`sightline dead-letter list` shows them; replay or drop each"
    if any(letter.code == MEMORY_LIMIT for letter in letters):
        step += "; what needed too much memory is refused again: let its sender send less at once"
    return warn("dead letters", says, step)


def _alerts(parts: Parts) -> Finding:
    lag_s = sum(_samples(parts.registry, "sightline_alert_lag_seconds")) - parts.alert_interval_s
    failed = sum(_samples(parts.registry, "sightline_alert_failed_rules_total"))
    says = f"rules and budgets were last looked at {duration(max(0.0, lag_s + parts.alert_interval_s))} ago"
    step = "read the collector's log for why the last look failed"
    if failed and lag_s < ALERT_LAG_S_FAIL:
        return warn("alerts", f"{says}; {failed:.0f} questions of rules failed since the start", step)
    return graded("alerts", lag_s, ALERT_LAG_S_WARN, ALERT_LAG_S_FAIL, says, step)


def _settlement(registry: CollectorRegistry) -> Finding:
    lag_s = sum(_samples(registry, "sightline_settle_lag_seconds"))
    says = f"calls that several spans tell of were last settled {duration(lag_s)} ago"
    step = "totals may count them twice until then: read the collector's log for why it fails"
    return graded("settlement", lag_s, SETTLE_LAG_S_WARN, SETTLE_LAG_S_FAIL, says, step)


def _exposure(listening: Sequence[Serving], asks_for_keys: bool) -> Iterator[Finding]:
    for host in sorted({serving.host for serving in listening}):
        if host != "localhost" and not ip_address(host).is_loopback:
            if asks_for_keys:
                yield ok("exposure", f"{host} is not loopback, and every request needs a key")
                return
            says = f"{host} is not loopback: whoever reaches these ports may send and read everything"
            step = "make keys: `sightline key add --scope ingest`, then --scope read, or use --host 127.0.0.1"
            yield warn("exposure", says, step)
            return
    yield ok("exposure", "only this machine reaches the ports")


def _samples(registry: CollectorRegistry, name: str) -> Iterator[float]:
    for metric in registry.collect():
        yield from (sample.value for sample in metric.samples if sample.name == name)

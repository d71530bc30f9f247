"""What a doctor says of who comes in: connections, keys, the certificate, and who may read their files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry

from sightline_collector.access.gate import Gate
from sightline_collector.access.key import Key, Scope
from sightline_collector.access.tls import Tls
from sightline_collector.operate.finding import Finding, duration, fail, graded, ok, warn
from sightline_collector.receive.connections import (
    CONNECTIONS_MAX,
    FILES_WANTED,
    affordable,
    files_allowed,
)

HELD_WARN, HELD_FAIL = 0.7, 1.0
DAY_S = 86_400
CERTIFICATE_DAYS_WARN, CERTIFICATE_DAYS_FAIL = 21, 3
"""Authorities renew a month before the end, and tell nobody when that fails."""
KEY_DAYS_WARN = 7


def entry(registry: CollectorRegistry, gate: Gate, tls: Tls | None, now_s: float) -> Iterator[Finding]:
    """All of it."""
    yield _connections(registry)
    yield open_files(files_allowed())
    yield _keys(gate, now_s)
    if tls:
        yield _certificate(tls, now_s)
    yield _secrets([path for path in (gate.path, tls.files.key if tls else None) if path])


def _connections(registry: CollectorRegistry) -> Finding:
    held, most, cut = 0.0, 0.0, 0.0
    for metric in registry.collect():
        for sample in metric.samples:
            if sample.name == "sightline_connections":
                held = max(held, sample.value)
            elif sample.name == "sightline_connections_limit":
                most = max(most, sample.value)
            elif sample.name == "sightline_connections_cut_total":
                cut += sample.value
    says = f"at most {held:.0f} of {most:.0f} on a port over HTTP; {cut:.0f} were cut off since the start"
    step = "look for what opens so many: `ss -tn`"
    return graded("connections", held / most if most else 0.0, HELD_WARN, HELD_FAIL, says, step)


def open_files(allowed: int) -> Finding:
    """Whether the ports hold as many connections as they are made for."""
    each = affordable(allowed)
    says = f"{allowed:,} may be open: {each:,} connections a port"
    if each == CONNECTIONS_MAX:
        return ok("open files", says)
    step = f"allow more: `ulimit -Hn {FILES_WANTED}`, systemd's LimitNOFILE=, a container's ulimits.nofile"
    return warn("open files", f"{says}, not {CONNECTIONS_MAX:,}", step)


def _keys(gate: Gate, now_s: float) -> Finding:
    if not gate.shut:
        return ok("keys", "none is asked for")
    if not gate.readable:
        meanwhile = "those of before hold" if gate.keys else "nobody is let in"
        step = f"mend or restore it; the collector's own user has to be able to read it: `ls -l {gate.path}`"
        return fail("keys", f"{gate.path} cannot be read: {meanwhile}", step)
    active = [key for key in gate.keys if key.state(now_s) == "active"]
    if not active:
        return fail("keys", "none is in force: nothing is taken", "make one: `sightline key add`")
    for scope in (Scope.INGEST, Scope.READ):
        if not any(_may(key, scope) for key in active):
            says = f"{len(active)} in force, and none may {'send' if scope is Scope.INGEST else 'read'}"
            return warn("keys", says, f"make one: `sightline key add --scope {scope} --project NAME`")
    ending = sorted((key.ends_at, key.id) for key in active if key.ends_at)
    if ending and ending[0][0] - now_s < KEY_DAYS_WARN * DAY_S:
        at_s, name = ending[0]
        says = f"{name} expires in {duration(at_s - now_s)}: what it is used by is refused then"
        return warn("keys", says, f"make another, give it to its users, then `sightline key revoke {name}`")
    return ok("keys", f"{len(active)} in force")


def _may(key: Key, scope: Scope) -> bool:
    return scope in key.scopes or (scope is Scope.READ and Scope.ADMIN in key.scopes)


def _certificate(tls: Tls, now_s: float) -> Finding:
    ends_s = tls.expires_at
    if ends_s is None:
        return warn("certificate", "when it expires cannot be read", f"look at {tls.files.cert}")
    left_s = ends_s - now_s
    says = f"it expires in {duration(left_s)}" if left_s > 0 else f"it expired {duration(-left_s)} ago"
    step = f"renew {tls.files.cert} and {tls.files.key}: the ports show new ones without a new start"
    return graded(
        "certificate", -left_s, -CERTIFICATE_DAYS_WARN * DAY_S, -CERTIFICATE_DAYS_FAIL * DAY_S, says, step
    )


def _secrets(paths: list[Path]) -> Finding:
    """Files that only the collector's user should be able to read."""
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            continue
        if status.st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
            mode = stat.filemode(status.st_mode)
            return warn("permissions", f"others may read or change {path} ({mode})", f"chmod 600 {path}")
    return ok("permissions", "nobody else may read or change keys")

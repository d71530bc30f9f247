"""`sightline doctor` on who comes in: each thing in the state that it names, with what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from collector.access.keeping_keys import Kept
from prometheus_client import CollectorRegistry

from sightline_collector.access.certificate import Files, expires_at
from sightline_collector.access.gate import Gate
from sightline_collector.access.key import Scope
from sightline_collector.access.tls import Tls
from sightline_collector.operate.entry import DAY_S, entry, open_files
from sightline_collector.operate.finding import Finding, State
from sightline_collector.receive.connections import (
    FILES_KEPT,
    PORTS,
    TURNED_AWAY_MAX,
    ConnectionMetrics,
    Connections,
    affordable,
)


def found(check: str, gate: Gate | None = None, tls: Tls | None = None, now_s: float = 0.0) -> Finding:
    """What is said of one thing."""
    findings = entry(CollectorRegistry(), gate or Gate(), tls, now_s)
    return next(finding for finding in findings if finding.check == check)


@pytest.mark.parametrize(("held", "state"), [(1, State.OK), (7, State.WARN), (10, State.FAIL)])
def test_connections_near_their_bound(held: int, state: State) -> None:
    """A port that holds as many as it may turns senders away."""
    registry = CollectorRegistry()
    port = Connections("otlp", ConnectionMetrics(registry), limit=10)
    port.watch(range(held))
    said = next(iter(entry(registry, Gate(), None, 0.0)))
    assert (said.state, said.says.partition(";")[0]) == (state, f"at most {held} of 10 on a port over HTTP")


def test_few_open_files_bound_the_connections_of_all_ports_together() -> None:
    """What all three may hold, those that are turned away and the store's own files are not too many."""
    for allowed in (1024, 4096):
        assert PORTS * (affordable(allowed) + TURNED_AWAY_MAX) + FILES_KEPT <= allowed
    assert [open_files(allowed).state for allowed in (1024, 65_536)] == [State.WARN, State.OK]
    assert "192 connections a port, not 2,000" in open_files(1024).says


def test_keys_that_are_about_to_expire(tmp_path: Path) -> None:
    """A week before, with its name; once the last is gone nothing is taken any more."""
    kept = Kept(tmp_path)
    assert found("keys", kept.gate).says == "none is asked for"
    key, _ = kept.add(Scope.INGEST, Scope.READ, lasts_s=30 * DAY_S)
    ends_s = float(key.expires_at)
    assert found("keys", kept.gate, now_s=ends_s - 8 * DAY_S).state is State.OK
    soon = found("keys", kept.gate, now_s=ends_s - 5 * DAY_S)
    assert (soon.state, soon.says.partition(":")[0]) == (State.WARN, f"{key.id} expires in 5 days")
    assert found("keys", kept.gate, now_s=ends_s + 1).state is State.FAIL


def test_keys_of_which_none_may_send_or_none_may_read(tmp_path: Path) -> None:
    """A door that asks for keys takes nothing without the one, and answers nobody without the other."""
    kept = Kept(tmp_path)
    kept.add(Scope.READ)
    assert found("keys", kept.gate).says == "1 in force, and none may send"
    kept.add(Scope.INGEST)
    assert found("keys", kept.gate).state is State.OK
    (tmp_path / "another").mkdir()
    alone = Kept(tmp_path / "another")
    alone.add(Scope.INGEST)
    said = found("keys", alone.gate)
    assert (said.state, said.says) == (State.WARN, "1 in force, and none may read")


def test_keys_that_others_may_read(tmp_path: Path) -> None:
    """Their file is for the collector's own user."""
    kept = Kept(tmp_path)
    kept.add(Scope.INGEST)
    assert found("permissions", kept.gate).state is State.OK
    kept.path.chmod(0o644)
    said = found("permissions", kept.gate)
    assert (said.state, said.next_step) == (State.WARN, f"chmod 600 {kept.path}")


def test_keys_whose_file_is_damaged(tmp_path: Path) -> None:
    """What was known before holds, or nobody is let in, and that is said."""
    kept = Kept(tmp_path)
    kept.path.write_text("{")
    kept.gate.refresh()
    said = found("keys", kept.gate)
    assert (said.state, said.says) == (State.FAIL, f"{kept.path} cannot be read: nobody is let in")
    kept.path.unlink()
    kept.add(Scope.INGEST)
    kept.path.write_text("{")
    kept.gate.refresh()
    said = found("keys", kept.gate)
    assert (said.state, said.says) == (State.FAIL, f"{kept.path} cannot be read: those of before hold")


@pytest.mark.parametrize(
    ("days", "state"), [(30, State.OK), (10, State.WARN), (2, State.FAIL), (-1, State.FAIL)]
)
def test_a_certificate_that_is_about_to_expire(tmp_path: Path, days: int, state: State) -> None:
    """Three weeks before, and when it is too late, with the files to renew."""
    now = datetime.now(UTC)
    issued = trustme.CA().issue_cert("127.0.0.1", not_after=now + timedelta(days=days, hours=1))
    files = Files(tmp_path / "cert.pem", tmp_path / "key.pem")
    issued.private_key_pem.write_to_path(files.key)
    issued.cert_chain_pems[0].write_to_path(files.cert)
    files.key.chmod(0o600)
    said = found("certificate", tls=Tls(files), now_s=now.timestamp())
    assert (said.state, str(files.cert) in said.next_step) == (state, state is not State.OK)


def test_what_is_no_certificate_has_no_end() -> None:
    """Nothing is guessed."""
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
    assert [expires_at(pem) for pem in (b"", b"x", broken)] == [None] * 3

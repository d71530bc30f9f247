"""Nothing that is secret is in what a run says: logs, errors, pages, metrics, and the list of processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from collector.access.test_running import Secured
from collector_process import wait_until

from sightline_collector.access.key import Scope
from sightline_collector.errors import Fault
from sightline_collector.store.engine import Engine
from sightline_collector.store.url import parse_store_url

PASSWORD = "p4ssw0rd-of-the-store"
CHANNEL = "t0ken-0f-the-channel"
GUESSED = "sightline_00000000_" + "g" * 43


def processes() -> str:
    """What every user of this machine can read of ours: the arguments of each process."""
    return subprocess.run(
        ["ps", "-e", "-ww", "-o", "args"], capture_output=True, text=True, check=True
    ).stdout


def test_a_run_says_no_secret(tmp_path: Path) -> None:
    """Keys that are used, guessed and revoked, and a channel's token, are in none of its outputs."""
    secured = Secured(tmp_path / "data")
    sender = secured.add(Scope.INGEST)
    secrets = [token.rpartition("_")[2] for token in (secured.admin, sender, GUESSED)] + [CHANNEL]
    with secured.collector as collector:
        (tmp_path / "sightline.toml").write_text(f'notify = ["json://user:{CHANNEL}@127.0.0.1:9/hook"]\n')
        collector.start()
        said = [processes()]
        for token in (sender, GUESSED, secured.admin, f"{sender}x", "Basic"):
            secured.send(token, "x")
            said.append(secured.ask("select * from alerts", token).text)
        admin = {"authorization": f"Bearer {secured.admin}"}
        for path in ("/metrics", "/api/status", "/api/doctor", "/api/budgets", "/api/alerts"):
            said.append(httpx.get(f"{collector.http}{path}", headers=admin, timeout=60).text)
        asked = "select value from system.settings union all select toString(channels) from alert_history"
        said.append(secured.ask(asked, secured.admin).text)
        environment = {"SIGHTLINE_KEY": secured.admin, "PATH": "/usr/bin"}
        command = [sys.executable, "-m", "sightline_collector.cli", "status", "--url", collector.http]
        status = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert status.returncode == 0, status.stderr
        said += [status.stdout, status.stderr]
        collector.stop()
        said.append(collector.output)
    everything = "\n".join(said)
    assert "Sightline is up" in everything
    assert [secret for secret in secrets if secret in everything] == []


def test_no_file_holds_a_key(tmp_path: Path) -> None:
    """After a run the data folder has hashes of keys, and no key."""
    secured = Secured(tmp_path / "data")
    sender = secured.add(Scope.INGEST)
    with secured.collector as collector:
        collector.start()
        wait_until(lambda: secured.send(sender, "x") == 200)
        secured.ask("select input from spans", secured.admin)
        collector.stop()
    secrets = [token.rpartition("_")[2].encode() for token in (sender, secured.admin)]
    files = [path for path in secured.keys.parent.rglob("*") if path.is_file()]
    held = [path for path in files if any(secret in path.read_bytes() for secret in secrets)]
    assert len(files) > 10
    assert held == []


def test_a_stores_password_is_in_no_error() -> None:
    """A server that does not answer, and an address that is none, are told without the password."""
    url = parse_store_url(f"clickhouse://ann:{PASSWORD}@127.0.0.1:1/x")
    assert PASSWORD not in str(url)
    for call in (lambda: Engine(url), lambda: parse_store_url(f"clickhous://ann:{PASSWORD}@127.0.0.1")):
        with pytest.raises(Fault) as refused:
            call()
        assert PASSWORD not in f"{refused.value} {refused.value!r} {refused.value.hint}"

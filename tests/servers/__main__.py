"""Runs what must hold on a ClickHouse server, too.

    python -m tests.servers [--url URL] [--cluster] [PYTEST ARGUMENTS]

Without an address a server is played by the embedded engine, with --cluster a cluster of one shard.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOLDS = (
    "tests/sql/views/test_cases.py",
    "tests/sql/ingest",
    "tests/collector/store/test_insert.py",
    "tests/collector/store/test_insert_logs.py",
    "tests/collector/store/test_migrate.py",
    "tests/collector/store/test_mutations.py",
    "tests/collector/access/test_redaction.py",
    "tests/collector/settle",
    "tests/collector/prices/test_money.py",
    "tests/collector/alerts/test_budget_views.py",
    "tests/servers/test_on_servers.py",
    "tests/corpora/test_corpora.py",
    "tests/soak",
)
"""Rows in, rows out: whatever does not ask how the embedded engine does it."""


def main(arguments: Sequence[str]) -> int:
    """pytest's exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    parser.add_argument("--url", default="", help="clickhouse://user:password@host:8123[?cluster=NAME]")
    parser.add_argument("--cluster", action="store_true", help="without an address: play a cluster")
    given, others = parser.parse_known_args(arguments)
    if given.url:
        return _run(re.sub(r"^http(s?)://", r"clickhouse\1://", given.url), others)
    with (
        tempfile.TemporaryDirectory(prefix="sightline-server-") as folder,
        _played(Path(folder), cluster=given.cluster) as url,
    ):
        return _run(url, others)


def _run(url: str, others: Sequence[str]) -> int:
    environment = os.environ | {"SIGHTLINE_TEST_STORE": url}
    named = any((ROOT / one.partition("::")[0]).exists() for one in others)
    command = [sys.executable, "-m", "pytest", *others, *(() if named else HOLDS)]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


@contextmanager
def _played(folder: Path, *, cluster: bool) -> Iterator[str]:
    """A server's address, for as long as it is needed."""
    command = [sys.executable, "-m", "servers.played_server", str(folder / "store")]
    with subprocess.Popen(
        command + ["--shards"] * cluster, cwd=ROOT / "tests", text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin and process.stdout
        port = process.stdout.readline().strip()
        yield f"clickhouse://127.0.0.1:{port}{'?cluster=played' if cluster else ''}"
        process.stdin.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Prints the bytes that a span takes in a store: python -m tests.bench.disk STORE"""

from __future__ import annotations

import sys
from pathlib import Path

from sightline_collector.store.engine import Engine
from sightline_collector.store.url import StoreUrl

LIVE = (
    "select sum(bytes_on_disk) / sum(rows) from system.parts where active and table = 'spans_v1'"
    " and database = currentDatabase()"
)


def main(store: Path) -> None:
    """What merges have replaced is not counted: it waits some minutes for its deletion."""
    engine = Engine(StoreUrl(store, "", 0, "", "", "sightline", secure=False))
    print(engine.value(LIVE))
    engine.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What a store holds when all is over: python -m tests.soak.stored FOLDER prints it as JSON.

In a process of its own: a process opens the embedded engine on one folder only.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

TOTALS = (
    "select model, count() as n, sum(calls), sum(cost_usd), sum(input_tokens) from spans_v1 group by model"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """Spans by trace, and whether the roll-ups say what the rows say."""

    spans: dict[str, int]
    roll_ups_agree: bool


def stored(store: Path) -> Stored:
    """Look into a store that nobody has open."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.soak.stored", str(store)]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return Stored(**json.loads(done.stdout))


def main(folder: Path) -> None:
    """Print what is there."""
    from sightline_collector.store.engine import Engine
    from sightline_collector.store.url import StoreUrl

    engine = Engine(StoreUrl(folder, "", 0, "", "", "sightline", secure=False))
    rows = engine.rows("select trace_id, count() as n from spans_v1 where entry = 'span' group by trace_id")
    totals = [
        engine.rows(f"{TOTALS} order by model settings optimize_use_projections = {used}") for used in (0, 1)
    ]
    found = Stored({row["trace_id"]: row["n"] for row in rows}, str(totals[0]) == str(totals[1]))
    engine.close()
    json.dump(asdict(found), sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

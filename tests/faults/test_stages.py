"""kill -9 at chosen calls; every stage, many times: python -m tests.faults kills migration --times 20"""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.killing import Kills, Untraceable
from faults.made import made_folder
from faults.oracle import Held
from faults.stages import STAGES
from faults.syscalls import is_known_machine

SHORT = (
    "store: between two parts' renames",
    "repair: before short rows are deleted",
    "log: stored, not let go",
)


@pytest.mark.timeout(300)
@pytest.mark.skipif(not is_known_machine(), reason="calls are traced on Linux, x86-64 and arm64")
def test_a_kill_at_any_call_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    """Killed at one stage after the other on one folder, a collector holds what it acknowledged, once."""
    made_folder(tmp_path / "data")
    kills = Kills(tmp_path / "data")
    try:
        kills.run(stage for stage in STAGES if stage.name in SHORT)
    except Untraceable as e:
        pytest.skip(str(e))
    assert kills.reached == list(SHORT)
    assert kills.loads.acknowledged
    assert kills.judge() == Held()

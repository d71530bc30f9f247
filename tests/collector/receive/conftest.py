"""What the tests of the doors share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from collector.receive.receiving import Receiving


@pytest.fixture
def receiving(tmp_path: Path) -> Iterator[Receiving]:
    """A receiving collector with the default limits."""
    with Receiving(tmp_path / "log") as running:
        yield running

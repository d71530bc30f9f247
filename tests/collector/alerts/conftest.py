"""A webhook for each test that asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from collector.alerts.webhook import Webhook, listening


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A webhook that listens while the test runs."""
    with listening() as hook:
        yield hook

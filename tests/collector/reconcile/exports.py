"""The providers' files that the tests read, and what they say."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sightline_collector.reconcile.formats import statements
from sightline_collector.reconcile.line import Rates, Statement

FOLDER = Path(__file__).parent / "exports"
FIRST, SECOND = date(2026, 9, 1), date(2026, 9, 2)
"""The days that the files speak of."""


def read(name: str, rates: Rates | None = None) -> Statement:
    """The one statement of a file."""
    (statement,) = statements((FOLDER / name).read_bytes(), rates or Rates())
    return statement


def read_text(text: str, rates: Rates | None = None) -> Statement:
    """The one statement of a text."""
    (statement,) = statements(text.encode(), rates or Rates())
    return statement

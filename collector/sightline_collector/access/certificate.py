"""Where a certificate lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Files:
    """PEM files. `client_ca`: who signs the certificates that clients must show; None asks for none."""

    cert: Path
    key: Path
    client_ca: Path | None = None

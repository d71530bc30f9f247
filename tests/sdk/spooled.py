"""What lies in a spool's folder."""

from pathlib import Path


def files(folder: Path) -> list[Path]:
    """The spool's files, the oldest first."""
    return sorted(folder.glob("*.spool"))

"""Environments of their own for the systems we are compared with, made once under .bench/."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2] / ".bench"
INSTALL_S = 900
NEWEST = 3
"""Lines of an installer's complaint that are worth repeating."""


class PeerMissing(Exception):  # noqa: N818 - it is reported, not raised at a user
    """A peer cannot be installed or started; the reason, in a line."""


def environment(package: str, *, prerelease: bool = False) -> Path:
    """The folder of an environment that holds the package. Raises PeerMissing."""
    folder = ROOT / package
    done = folder / "installed"
    if done.exists():
        return folder
    print(f"installing {package} into {folder}", file=sys.stderr, flush=True)
    for command in _commands(folder, package, prerelease):
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S)
        except (OSError, subprocess.TimeoutExpired) as e:
            raise PeerMissing(f"{package} cannot be installed: {e}") from None
        if ran.returncode:
            said = " ".join(ran.stderr.strip().splitlines()[-NEWEST:])
            raise PeerMissing(f"{package} cannot be installed: {said[:300]}")
    done.touch()
    return folder


def _commands(folder: Path, package: str, prerelease: bool) -> list[list[str]]:
    python = str(folder / "bin" / "python")
    if uv := shutil.which("uv"):
        allowed = ["--prerelease", "allow"] if prerelease else []
        return [
            [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", python, *allowed, package],
        ]
    return [
        [sys.executable, "-m", "venv", str(folder)],
        [python, "-m", "pip", "install", "--quiet", *(["--pre"] if prerelease else []), package],
    ]

"""Environments of their own for the systems we are compared with, made once under .bench/."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).absolute().parents[2]
ROOT = REPOSITORY / ".bench"
INSTALL_S = 900
NEWEST = 3
"""Lines of an installer's complaint that are worth repeating."""


class PeerMissing(Exception):  # noqa: N818 - it is reported, not raised at a user
    """A peer cannot be installed or started; the reason, in a line."""


def environment(package: str, *, prerelease: bool = False) -> Path:
    """The folder of an environment that holds the package. Raises PeerMissing."""
    return environment_of(package, [package], prerelease=prerelease)


def environment_of(name: str, wanted: Sequence[str], *, prerelease: bool = False) -> Path:
    """The folder of an environment that holds what is wanted, made anew when that has changed.

    `wanted` is what an installer takes: requirements, `--editable`, a folder. Raises PeerMissing.
    """
    folder, asked = ROOT / name, "\n".join(wanted)
    done = folder / "installed"
    if done.exists() and done.read_text() == asked:
        return folder
    print(f"installing {name} into {folder}", file=sys.stderr, flush=True)
    for command in _commands(folder, wanted, prerelease):
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S)
        except (OSError, subprocess.TimeoutExpired) as e:
            raise PeerMissing(f"{name} cannot be installed: {e}") from None
        if ran.returncode:
            said = " ".join(ran.stderr.strip().splitlines()[-NEWEST:])
            raise PeerMissing(f"{name} cannot be installed: {said[:300]}")
    done.write_text(asked)
    return folder


def _commands(folder: Path, wanted: Sequence[str], prerelease: bool) -> list[list[str]]:
    """Make it empty, fill it, compile: a first import that compiles is nobody's usual one."""
    python = str(folder / "bin" / "python")
    if uv := shutil.which("uv"):
        allowed = ["--prerelease", "allow"] if prerelease else []
        return [
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *allowed, *wanted],
        ]
    return [
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [python, "-m", "pip", "install", "--quiet", *(["--pre"] if prerelease else []), *wanted],
    ]

"""Environments of programs that run on Node, each made once under .bench/."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.bench.environments import INSTALL_S, ROOT, PeerMissing

PROGRAM, PACKAGES = "make.mjs", "package.json"
INSTALL = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")


def node_environment(name: str, folder: Path) -> Path:
    """A folder that holds the program beside its packages, where its imports look for them.

    Raises PeerMissing when npm is not there or cannot install them.
    """
    home, asked = ROOT / name, (folder / PACKAGES).read_text("utf8")
    home.mkdir(parents=True, exist_ok=True)
    for file in (PROGRAM, PACKAGES):
        shutil.copy(folder / file, home)
    done = home / "installed"
    if not done.exists() or done.read_text("utf8") != asked:
        _install(name, home)
        done.write_text(asked, "utf8")
    return home


def _install(name: str, home: Path) -> None:
    try:
        subprocess.run(INSTALL, cwd=home, check=True, capture_output=True, text=True, timeout=INSTALL_S)
    except subprocess.CalledProcessError as e:
        raise PeerMissing(f"{name} cannot be installed: {e.stderr.strip()[-300:]}") from None
    except (OSError, subprocess.TimeoutExpired) as e:
        raise PeerMissing(f"{name} cannot be installed: {e}") from None

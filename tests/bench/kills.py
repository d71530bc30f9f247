"""The kill test of tests/faults, at length: what was acknowledged before each kill -9, and what is there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

TEST = "tests/faults/test_kill.py::test_acknowledged_spans_survive_kills_exactly_once"
ROOT = Path(__file__).absolute().parents[2]


class KillsFailed(Exception):  # noqa: N818 - it is reported
    """The test did not pass; its last words."""


def measure(kills: int) -> dict[str, float]:
    """Acknowledged, stored, lost and duplicate spans. Raises KillsFailed when the test says no."""
    with tempfile.TemporaryDirectory(prefix="sightline-bench-kills-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", TEST, "-p", "no:cacheprovider", f"--junitxml={report}"]
        command += [f"--basetemp={folder}/data", "-o", "junit_family=xunit1"]
        settings = os.environ | {"SIGHTLINE_KILLS": str(kills)}
        ran = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True)
        counted = _counted(report) if report.exists() else {}
    if ran.returncode and "lost spans" not in counted:
        said = " ".join((ran.stdout + ran.stderr).strip().splitlines()[-3:])[-400:]
        raise KillsFailed(f"pytest ended with {ran.returncode}: {said}")
    return {"kills": kills, **counted}


def _counted(report: Path) -> dict[str, float]:
    """What the test has recorded; nothing when it broke off before."""
    properties = ET.parse(report).iter("property")  # noqa: S314 - our own file
    return {p.attrib["name"]: float(p.attrib["value"]) for p in properties}

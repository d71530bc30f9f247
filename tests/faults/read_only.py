"""Disks that take no writes for a while, one for each folder of a collector that goes on running."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from urllib.error import HTTPError

from collector_process import CollectorProcess, wait_until
from faults.mounts import PLACES, read_only
from faults.oracle import caught_up
from faults.sender import POISON, RETRIES, Sender, counter

SAYS = "Read-only file system"


def lock_and_unlock(sender: Sender, places: Iterable[str] = PLACES) -> dict[str, str]:
    """Make disks of a running collector read-only in turn. What was not as promised, by fault."""
    folder = sender.collector.folder
    return {f"{name}, read-only": _one(sender, folder / name) for name in places}


def _one(sender: Sender, place: Path) -> str:
    """What was not as promised; empty when nothing was."""
    collector = sender.collector
    sender.send()
    caught_up(collector)
    with read_only(place):
        wrong = _log(sender) if place.name == "wal" else _behind_the_log(sender)
        wrong = wrong or _told(collector, place)
    if wrong:
        return wrong
    if (again := sender.come_again()).status != 200:
        return f"writable again: {again}"
    held = sender.compared()
    if (ready := _ready(collector))[0] != 200:
        return f"not ready again: {ready}"
    return "" if held.as_promised else str(held)


def _log(sender: Sender) -> str:
    """Nothing can be made durable, so nothing is taken."""
    wrong = [a for a in (sender.send() for _ in range(3)) if not a.says_when_to_come_again]
    if wrong:
        return f"answered {wrong}"
    status, reasons = _ready(sender.collector)
    return "" if status == 503 and SAYS in reasons else f"/readyz says {status} {reasons}"


def _behind_the_log(sender: Sender) -> str:
    """The log takes what cannot be stored, nor put aside; that is tried again."""
    retried = counter(sender.collector, RETRIES)
    answers = [sender.send(), sender.send(POISON)]
    if any(answer.status != 200 for answer in answers):
        return f"answered {answers}"
    wait_until(lambda: counter(sender.collector, RETRIES) > retried, 60)
    return ""


def _told(collector: CollectorProcess, place: Path) -> str:
    """Whether the doctor names the place, and what is not done there, among what is not as it should be."""
    with urllib.request.urlopen(f"{collector.http}/api/doctor", timeout=60) as answer:
        findings = json.load(answer)["findings"]
    said = {one["check"]: one["says"] for one in findings if one["state"] != "ok" and one["next_step"]}
    wrong = f"the doctor says {said}"
    if f"{place} takes no writes" not in said.get("disk", ""):
        return wrong
    return "" if place.name == "wal" or SAYS in said.get("inserts", "") else wrong


def _ready(collector: CollectorProcess) -> tuple[int, str]:
    """The status of /readyz, and its reasons."""
    try:
        with urllib.request.urlopen(f"{collector.http}/readyz", timeout=30) as answer:
            return answer.status, ""
    except HTTPError as e:
        with e:
            return e.code, e.read().decode()

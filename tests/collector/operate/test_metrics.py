"""Every queue and file has a bound; every bound has metrics: what is held, what may be, what was refused."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from collector.operate.conftest import Command
from collector_process import CollectorProcess
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from sightline_collector import health

ROOT = Path(__file__).parents[3]
DOCUMENTS = [ROOT / "README.md", ROOT / "collector" / "README.md", *sorted((ROOT / "deploy").glob("*.md"))]

BOUNDS = {
    "bodies of unanswered requests": (
        "receive_in_flight_bytes", "receive_in_flight_limit_bytes", "receive_refused_requests",
    ),
    "bodies that wait to be unpacked": ("receive_unpack_waiting", "receive_in_flight_limit_bytes"),
    "records that wait for their sync": (
        "log_pending_records", "log_pending_limit_records", "receive_refused_requests",
    ),
    "bytes of the log": ("log_bytes", "log_limit_bytes", "receive_refused_requests"),
    "segments that wait for the store": ("log_waiting_segments", "log_limit_bytes", "log_oldest_age_seconds"),
    "damaged bytes that are kept": ("disk_torn_bytes", "log_damage_bytes"),
    "inserts that are tried again": ("store_retries", "store_lag_seconds", "store_up"),
    "inserts that stand open": (
        "store_standing_inserts", "store_standing_ends", "store_standing_segments",
    ),
    "requests put aside": (
        "dead_letter_bytes", "dead_letter_limit_bytes", "dead_letter_requests", "loss_items",
    ),
    "losses to be told": ("loss_unreported_items", "loss_items"),
    "statements that run and wait": ("sql_running", "sql_waiting", "sql_limit", "sql_statements"),
    "looks at alerts": ("alert_lag_seconds", "alert_failed_rounds", "alert_failed_rules", "alert_deliveries"),
    "bytes of the store": ("store_bytes", "store_limit_bytes", "store_sheddings"),
    "how full it is, by what": ("fullness_ratio", "fullness_refused_requests"),
    "connections of a port": ("connections", "connections_limit", "connections_cut"),
    "the disk": ("disk_free_bytes", "disk_size_bytes", "disk_free_inodes"),
}  # fmt: skip
"""What is bounded, with the metrics (after `sightline_`) of how near the bound is and what it refused."""


@pytest.fixture(scope="module")
def families(collector: CollectorProcess) -> dict[str, Metric]:
    """What the running collector exposes, by name."""
    return {family.name: family for family in text_string_to_metric_families(collector.metrics())}


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_bound_has_its_metrics(families: dict[str, Metric], bound: str) -> None:
    """What is held, how much may be, and what was refused or dropped there can all be watched."""
    assert {f"sightline_{name}" for name in BOUNDS[bound]} <= families.keys()


def test_no_metric_stands_alone(families: dict[str, Metric]) -> None:
    """Each metric of ours says in words what it counts, and none is an invalid number."""
    ours = [family for name, family in families.items() if name.startswith("sightline_")]
    assert [family.name for family in ours if not family.documentation] == []
    assert [s.name for family in ours for s in family.samples if math.isnan(s.value)] == []


def test_limits_are_the_settings(families: dict[str, Metric]) -> None:
    """The bounds that a collector exposes are those that it keeps."""

    def value(name: str) -> float:
        return families[f"sightline_{name}"].samples[0].value

    assert value("log_limit_bytes") == 8e9
    assert value("log_pending_limit_records") == 65_536
    assert value("dead_letter_limit_bytes") == 1 << 30
    assert value("store_limit_bytes") == 1e9
    assert 0 < value("disk_free_bytes") < value("disk_size_bytes")
    limits = {s.labels["of"]: s.value for s in families["sightline_sql_limit"].samples}
    assert limits == {"running": 4, "waiting": 32}


def test_ready_and_alive(sightline: Command, collector: CollectorProcess) -> None:
    """A collector whose log takes and whose store answers is ready; asking leaves nothing in its folder."""
    assert sightline("status")[0] == 0
    assert not (collector.folder / "wal" / "probe").exists()


def test_every_metric_is_of_a_kind_that_is_written_down(families: dict[str, Metric]) -> None:
    """The module that owns the counters says what each prefix is about, and names none that is not there."""
    written = set(re.findall(r"sightline_([a-z]+)_\*", health.__doc__ or ""))
    ours = {name.split("_")[1] for name in families if name.startswith("sightline_")}
    assert written == ours | {"tls"}  # which is there with a certificate only


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_metrics_that_documents_name_are_there(families: dict[str, Metric], document: Path) -> None:
    """A name in a README or a runbook can be asked for as it is written."""
    named = set(re.findall(r"sightline_[a-z_]+[a-z]", document.read_text()))
    known = {*families, *(f"{name}_total" for name in families), "sightline_collector"}
    assert {name for name in named if name not in known} == set()

"""The counters: every refusal, byte and wait has one, with its unit in its name."""

import httpx
from collector.receive.receiving import Receiving
from prometheus_client.parser import text_string_to_metric_families

from sightline_collector.health import Health
from sightline_collector.wal.segment import Damage, DamageKind, Signal

PROTOBUF = {"content-type": "application/x-protobuf"}


def test_the_way_of_a_request_is_counted(receiving: Receiving) -> None:
    """Requests, items, bytes, acknowledgement, syncs, log bytes and age; refusals by reason."""
    span = b"\x0a\x04\x12\x02\x12\x00"
    assert httpx.post(receiving.url("traces"), content=span, headers=PROTOBUF).status_code == 200
    assert httpx.post(receiving.url("traces"), content=b"bad", headers=PROTOBUF).status_code == 400
    assert httpx.post(receiving.url("nothing"), content=b"", headers=PROTOBUF).status_code == 404
    assert receiving.count("receive_requests_total", signal="traces") == 1
    assert receiving.count("receive_items_total", signal="traces") == 1
    assert receiving.count("receive_bytes_total", signal="traces") == len(span)
    assert receiving.count("receive_ack_seconds_count", signal="traces") == 1
    assert receiving.count("log_sync_seconds_count", signal="traces") == 1
    assert receiving.count("log_group_records_sum", signal="traces") == 1
    assert receiving.count("receive_refused_requests_total", signal="traces", reason="malformed") == 1
    assert receiving.count("receive_refused_requests_total", signal="unknown", reason="unknown_path") == 1
    assert receiving.count("loss_items_total", signal="traces", reason="malformed") == 1
    assert receiving.count("log_bytes") == receiving.log.size_bytes > len(span)
    assert receiving.count("log_limit_bytes") == 1 << 30
    assert receiving.count("log_oldest_age_seconds") > 0
    assert receiving.count("log_waiting_segments", signal="traces") == 0


def test_the_way_into_the_store_is_counted() -> None:
    """Inserts with their time and lag, retries, doubts, dead letters, losses, damage."""
    health = Health()
    health.inserted(Signal.LOGS, items=500, insert_s=0.2, lag_s=1.2)
    health.retried(Signal.LOGS, "243")
    health.repaired(Signal.LOGS, "short")
    health.dead_letter(Signal.LOGS, "444", items=9)
    health.lost(Signal.LOGS, "dead_letter_dropped", items=4)
    health.damage_found(Signal.LOGS, Damage(100, 160, DamageKind.TORN))

    def count(name: str, **labels: str) -> float | None:
        return health.registry.get_sample_value(f"sightline_{name}", {"signal": "logs", **labels})

    assert (count("store_segments_total"), count("store_items_total")) == (1, 500)
    assert (count("store_insert_seconds_sum"), count("store_lag_seconds_sum")) == (0.2, 1.2)
    assert count("store_retries_total", reason="243") == 1
    assert count("store_in_doubt_segments_total", found="short") == 1
    assert count("dead_letter_requests_total", reason="444") == 1
    assert count("dead_letter_items_total", reason="444") == 9
    assert count("loss_items_total", reason="dead_letter_dropped") == 4
    assert count("log_damage_bytes_total", kind="torn") == 60


def test_prometheus_reads_the_exposition() -> None:
    """Every metric says what it is, and the process's own CPU and memory are among them."""
    families = {
        family.name: family for family in text_string_to_metric_families(Health().exposition().decode())
    }
    assert {"process_cpu_seconds", "process_resident_memory_bytes", "sightline_log_bytes"} <= families.keys()
    assert all(family.documentation for family in families.values())

"""`sightline doctor`: each thing it looks at, in the state that it names."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from collector.operate.conftest import LETTERS, Command, put_aside
from collector.operate.logs import SPANS, only_segment, traces, write_log
from collector_process import CollectorProcess
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import insert
from prometheus_client import CollectorRegistry, Gauge

from sightline_collector.cli import main
from sightline_collector.health import Health
from sightline_collector.operate.disk_gauges import measure_disk
from sightline_collector.operate.finding import Finding, State, as_lines, graded, healthy, ok, warn
from sightline_collector.operate.growth import paced
from sightline_collector.operate.machine import machine
from sightline_collector.operate.running import Parts, ports, running
from sightline_collector.operate.stored import TESTED_ENGINE, stored
from sightline_collector.receive.loss import loss_request
from sightline_collector.receive.serve import Serving
from sightline_collector.store.engine import Engine
from sightline_collector.wal.dead_letter import DeadLetters
from sightline_collector.wal.log import Log, LogLimits
from sightline_collector.wal.segment import Damage, DamageKind, Signal


def states(findings: Sequence[Finding]) -> dict[str, str]:
    """Of each thing that was looked at."""
    return {finding.check: finding.state for finding in findings}


async def _never(_: float) -> None:
    """Stops nothing."""


def listening(host: str, port: int = 1) -> Serving:
    """A door at an address."""
    return Serving("OTLP/HTTP", host, port, _never)


def examined(
    folder: Path, health: Health, *, limit_bytes: int = 1 << 20, host: str = "127.0.0.1"
) -> list[Finding]:
    """What is said of a log that holds one request of 3 spans, an hour old."""
    write_log(folder / "wal", [traces(1)])
    hour_ago = time.time() - 3600
    os.utime(only_segment(folder / "wal"), (hour_ago, hour_ago))

    async def look() -> list[Finding]:
        log = await Log.open(folder / "wal", limits=LogLimits(size_bytes=limit_bytes))
        letters = DeadLetters(folder / "dead-letter", health)
        found = list(running(Parts(log, letters, health.registry, 30.0, [listening(host)])))
        await log.close()
        return found

    return asyncio.run(look())


class TestCommand:
    """sightline doctor"""

    def test_a_collector_that_is_well(self, sightline: Command) -> None:
        """Nothing fails, and nothing is warned of but what other tests have refused or dropped."""
        code, out, _ = sightline("doctor")
        said = {line[6:20].strip(): line[:5].strip() for line in out.splitlines() if line[:1].strip()}
        assert code == 0
        assert said == {
            "collector": "ok", "clock": "ok", "OTLP/gRPC": "ok", "OTLP/HTTP": "ok", "disk space": "ok",
            "inodes": "ok", "sync": said["sync"], "memory": "ok", "inserts": "ok", "log": "ok", "lag": "ok",
            "log damage": "ok", "dead letters": said["dead letters"], "alerts": "ok", "exposure": "ok",
            "store": "ok", "losses": said["losses"], "store size": "ok", "budget": "ok", "prices": "ok",
            "price list": "ok", "clocks": "ok", "settlement": "ok",
            "fullness": "ok", "connections": "ok", "open files": said["open files"], "keys": "ok",
            "permissions": "ok", "budgets": said["budgets"], "channels": "ok", "growth": "ok",
        }  # fmt: skip

    def test_json_has_the_same(self, sightline: Command) -> None:
        """--format json is a list of check, state, says and next_step."""
        code, out, _ = sightline("doctor", "--format", "json")
        assert code == 0
        assert {tuple(one) for one in json.loads(out)} == {("check", "state", "says", "next_step")}

    def test_no_collector_is_a_failure(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Where nothing answers, the one line says how to start it and how to look at a stopped one."""
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        assert main(["doctor", "--url", f"http://127.0.0.1:{port}"]) == 1
        said = capsys.readouterr().out
        assert said.startswith("fail  collector")
        assert "doctor --store`" in said

    def test_a_folder_in_use_is_left_alone(
        self, collector: CollectorProcess, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """--store of a running collector looks at disk and log, and sends on to the collector itself."""
        assert main(["doctor", "--store", f"chdb:{collector.folder}", "--format", "json"]) == 0
        found = {one["check"]: one for one in json.loads(capsys.readouterr().out)}
        assert found["folder"]["state"] == "warn"
        assert "is in use by another collector" in found["folder"]["says"]
        assert found["sync"]["state"] in ("ok", "warn")
        assert "store" not in found

    def test_a_stopped_collectors_log(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """What waits, what is damaged and what was refused is told of a folder that no one uses."""
        write_log(tmp_path / "wal", [traces(1), traces(2)])
        segment = only_segment(tmp_path / "wal")
        segment.write_bytes(segment.read_bytes()[:-10])
        put_aside(DeadLetters(tmp_path / "dead-letter", Health()))
        assert main(["doctor", "--store", f"chdb:{tmp_path}", "--format", "json"]) == 0
        found = {one["check"]: one for one in json.loads(capsys.readouterr().out)}
        assert found["log"]["says"].startswith(
            f"1 segments with {SPANS} items wait for the next start; 1 are damaged"
        )
        assert found["dead letters"]["says"] == f"{LETTERS} requests were refused by the store"

    def test_a_store_that_lies_elsewhere(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """With --data the store is looked at where it is: its disk, and whether it opens; nothing is thrown
        for what may not be read."""
        for name, nobodys in (("st", "store"), ("d", "wal")):
            (tmp_path / name).mkdir()
            (tmp_path / name / nobodys).symlink_to("/proc/self")
        asked = ["--store", f"chdb:{tmp_path / 'st'}", "--data", str(tmp_path / "d"), "--format", "json"]
        assert main(["doctor", *asked]) == 1
        found = [one for one in json.loads(capsys.readouterr().out) if one["state"] == "fail"]
        refused = {one["says"].partition(" cannot be used")[0] for one in found if one["check"] == "store"}
        assert refused == {str(Path("/proc/self").resolve())}
        assert f"{tmp_path / 'd' / 'wal'} takes no writes" in " ".join(one["says"] for one in found)


class TestRunning:
    """What the parts of a collector say."""

    def test_a_log_that_fills_and_lags(self, tmp_path: Path) -> None:
        """Bytes near the bound warn and fail, and so does a record that waits for minutes."""
        found = states(examined(tmp_path / "a", Health()))
        assert (found["log"], found["lag"]) == ("ok", "fail")
        assert states(examined(tmp_path / "b", Health(), limit_bytes=3000))["log"] == "warn"

    @pytest.mark.parametrize(("share", "state"), [(0.5, "ok"), (0.95, "warn"), (1.0, "fail")])
    def test_what_is_full_is_named(self, tmp_path: Path, share: float, state: str) -> None:
        """The fullest of all bounds, as the doors measure them."""
        health = Health()
        ratio = Gauge("sightline_fullness_ratio", "How full", ("input",), registry=health.registry)
        ratio.labels("disk").set(0.1)
        ratio.labels("memory").set(share)
        found = {one.check: one for one in examined(tmp_path, health)}["fullness"]
        assert (found.state, found.says) == (state, f"{share:.0%} of memory, of all the fullest")

    def test_requests_that_were_refused(self, tmp_path: Path) -> None:
        """Dead letters are counted, with the engine's word on the last, and the command that shows them."""
        assert states(examined(tmp_path / "none", Health()))["dead letters"] == "ok"
        put_aside(DeadLetters(tmp_path / "some" / "dead-letter", Health()))
        finding = next(one for one in examined(tmp_path / "some", Health()) if one.check == "dead letters")
        assert finding == warn(
            "dead letters",
            f"{LETTERS} requests with {LETTERS * SPANS} items, the last: Decimal overflow",
            "`sightline dead-letter list` shows them; replay or drop each",
        )

    def test_requests_that_needed_too_much_memory(self, tmp_path: Path) -> None:
        """Nobody is told to replay only what would be refused for the same reason."""
        put_aside(DeadLetters(tmp_path / "dead-letter", Health()), code=241)
        finding = next(one for one in examined(tmp_path, Health()) if one.check == "dead letters")
        assert "let its sender send less at once" in finding.next_step

    def test_damage_in_the_log(self, tmp_path: Path) -> None:
        """Bytes that were cut out of left segments are told with where they are kept."""
        health = Health()
        health.damage_found(Signal.TRACES, Damage(0, 1500, DamageKind.TORN))
        damage = next(one for one in examined(tmp_path, health) if one.check == "log damage")
        assert (damage.state, damage.says) == ("warn", "1.5 kB of left segments were no record")

    @pytest.mark.parametrize(("host", "state"), [("::1", "ok"), ("localhost", "ok"), ("0.0.0.0", "warn")])
    def test_ports_that_others_reach(self, tmp_path: Path, host: str, state: str) -> None:
        """An address beyond loopback is told: whoever reaches it may read all."""
        assert states(examined(tmp_path, Health(), host=host))["exposure"] == state

    def test_a_port_that_does_not_answer(self) -> None:
        """A door that takes no connection fails."""
        with socket.create_server(("127.0.0.1", 0)) as door:
            port = door.getsockname()[1]
            assert states(asyncio.run(ports([listening("127.0.0.1", port)]))) == {"OTLP/HTTP": "ok"}
        assert states(asyncio.run(ports([listening("127.0.0.1", port)]))) == {"OTLP/HTTP": "fail"}


class TestStored:
    """What the store's rows say."""

    def test_the_engine_is_the_tested_one(self, engine: Engine) -> None:
        """The release that the doctor calls tested is the one that these tests run on."""
        assert engine.version.startswith(f"{TESTED_ENGINE}.")

    def test_losses_of_the_last_day(self, engine: Engine, tmp_path: Path) -> None:
        """Each place and reason is told with its number, the largest first."""
        now_ns = time.time_ns()
        body = loss_request(
            Counter({(Signal.TRACES, "malformed"): 5, (Signal.LOGS, "too_large"): 70}), now_ns
        )
        insert(engine, Signal.LOGS, [(body, 2)], tmp_path / "logs", batch=1, received_at_ns=now_ns)
        losses = next(one for one in stored(engine) if one.check == "losses")
        assert losses.state == "warn"
        assert losses.says == (
            "lost in the last day: 70 logs at collector: too_large; 5 traces at collector: malformed"
        )

    def test_calls_without_a_price_and_clocks_that_run_ahead(self, engine: Engine, tmp_path: Path) -> None:
        """Unpriced model calls are told as a share, spans from the future with who sent them."""
        request = ExportTraceServiceRequest.FromString(traces(1))
        now_ns = time.time_ns()
        for number, span in enumerate(request.resource_spans[0].scope_spans[0].spans):
            span.start_time_unix_nano = now_ns + number * 3600 * 10**9
            span.end_time_unix_nano = span.start_time_unix_nano + 1
            span.attributes[2].value.string_value = "gpt-4o" if number else "unheard-of"
        insert(engine, Signal.TRACES, [(request, SPANS)], tmp_path / "traces", batch=2, received_at_ns=now_ns)
        found = {one.check: one for one in stored(engine)}
        assert (found["prices"].state, found["clocks"].state) == ("warn", "warn")
        assert found["prices"].says == "1 of 3 model calls since yesterday have no price"
        assert found["clocks"].says == "2 of 3 spans of the last hour began 60.0 s or more after they arrived"
        assert "such as load" in found["clocks"].next_step

    def test_a_price_of_ones_own_makes_no_old_list_new(self, engine: Engine) -> None:
        """How old the list is, published prices say alone."""
        before = next(one for one in stored(engine) if one.check == "price list")
        own = "override mine of published"
        engine.command(
            f"insert into price_list_v1 select * replace (today() as valid_from, '{own}' as source)"
            " from price_list_v1 where not repeats and valid_from <= today() order by valid_from desc limit 1"
        )
        assert next(one for one in stored(engine) if one.check == "price list") == before
        engine.command(f"delete from price_list_v1 where source = '{own}'")

    def test_budgets_that_tell_nobody_and_messages_that_did_not_arrive(self, engine: Engine) -> None:
        """Named, with what to do; a message that arrived at last is none of them."""
        now = datetime.now(UTC)
        limit: dict[str, Any] = {"set_at": now, "per": "day", "limit_usd": 5, "thresholds": [80]}
        engine.insert(
            "budgets_v1", [{"id": "told", "notify": ["json://host"], **limit}, {"id": "day", **limit}]
        )
        sent = {"channel": "1", "shown": "json://host/***", "at": now}
        engine.insert(
            "alert_deliveries_v1",
            [
                {"event_id": "a", "attempt": 1, "outcome": "retry", "error": "refused", **sent},
                {"event_id": "a", "attempt": 2, "outcome": "delivered", "error": "", **sent},
                {"event_id": "b", "attempt": 1, "outcome": "retry", "error": "timed out", **sent},
            ],
        )
        found = {one.check: one for one in stored(engine)}
        assert found["budgets"].says == "1 tell nobody: day"
        assert found["channels"].says == "not delivered in the last day: 1 to json://host/***: timed out"

    @pytest.mark.parametrize(
        ("free_bytes", "state"), [(100e9, State.OK), (20e9, State.WARN), (2e9, State.FAIL)]
    )
    def test_a_disk_that_fills_while_nothing_is_let_go(self, free_bytes: float, state: State) -> None:
        """At the pace of the last day: a month is fine, three days are a failure."""
        assert paced(1e9, free_bytes).state is state
        assert paced(1e5, free_bytes).state is State.OK


def test_a_folder_that_cannot_be_written_fails() -> None:
    """A disk that refuses is told with its words and what to do."""
    assert states(list(machine(Path("/sys/sightline"))))["disk"] == "fail"


@pytest.mark.parametrize("name", ["wal", "dead-letter", "scratch", "store"])
def test_each_folder_has_to_take_a_file(tmp_path: Path, name: str) -> None:
    """One that refuses is named: what is put there would be refused, too, and only then."""
    (tmp_path / name).symlink_to("/proc/self")
    found = [one for one in machine(tmp_path) if one.check == "disk"]
    assert [(one.state, one.says.partition(" takes")[0]) for one in found] == [("fail", str(tmp_path / name))]


def test_of_several_disks_the_fullest_is_measured(tmp_path: Path) -> None:
    """A store that lies elsewhere fills, too: its disk is looked at, and counted."""
    registry, proc = CollectorRegistry(), Path("/proc/self")
    (tmp_path / "wal").mkdir()
    assert f"at {proc}" in {one.says[-13:] for one in machine(tmp_path, proc) if one.check == "disk space"}
    measure_disk(registry, tmp_path, None)
    assert (registry.get_sample_value("sightline_disk_free_bytes") or 0) > 0
    registry = CollectorRegistry()
    measure_disk(registry, tmp_path, proc)
    assert registry.get_sample_value("sightline_disk_free_bytes") == 0


def test_a_value_is_graded_by_two_bounds() -> None:
    """Below both it is ok and needs no next step; at a bound it is beyond."""
    graded_states = [graded("x", value, 1.0, 2.0, "", "do") for value in (0.9, 1.0, 2.0)]
    assert [(one.state, one.next_step) for one in graded_states] == [
        (State.OK, ""), (State.WARN, "do"), (State.FAIL, "do"),
    ]  # fmt: skip
    assert (healthy(graded_states[:2]), healthy(graded_states)) == (True, False)


def test_lines_have_the_next_step_below() -> None:
    """State, check and words stand in columns; what to do is marked with an arrow."""
    assert as_lines([ok("disk", "fine"), warn("log", "half full", "wait")]) == [
        "ok    disk           fine",
        "warn  log            half full",
        "                     → wait",
    ]

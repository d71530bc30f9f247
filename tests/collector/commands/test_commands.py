"""The subcommands, against a collector's port."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from collector.alerts.webhook import Webhook, listening
from collector.commands.conftest import Command
from collector.commands.terminal import on_a_terminal
from collector.gateway.serving import Port
from collector.receive.receiving import Receiving

from sightline_collector.cli import main
from sightline_collector.commands.status import lines

pytestmark = pytest.mark.usefixtures("called_by_name")


@pytest.fixture(scope="module")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiving]:
    """A collector's doors for spans."""
    with Receiving(tmp_path_factory.mktemp("receiving")) as doors:
        yield doors


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """Some other program that speaks HTTP."""
    with listening() as hook:
        yield hook


def test_no_collector(capfd: pytest.CaptureFixture[str]) -> None:
    """What to do when none runs."""
    for command in (
        ["sql", "select 1"],
        ["status"],
        ["budget", "list"],
        ["alerts", "list"],
        ["prices", "list"],
    ):
        assert main([*command, "--url", "http://127.0.0.1:1"]) == 1
        said = capfd.readouterr().err
        assert said.startswith("sightline: no collector answers at http://127.0.0.1:1 ")
        assert "`sightline up`" in said


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "127.0.0.1:4319", "http://", "http://h:port", "http://h:99999", "http://[h"]
)
def test_an_address_that_is_none(capfd: pytest.CaptureFixture[str], url: str) -> None:
    """Only http and https are spoken, and a host is named; the error shows what an address looks like."""
    assert main(["sql", "select 1", "--url", url]) == 1
    assert capfd.readouterr().err.splitlines() == [
        f"sightline: {url!r} is no address",
        "  → it looks like http://127.0.0.1:4319",
    ]


@pytest.mark.parametrize("user", ["ann:s3cret", "ann", ":s3cret", ""])
def test_an_address_with_a_user(capfd: pytest.CaptureFixture[str], user: str) -> None:
    """A collector asks for no password: one in the address is refused, and is not shown."""
    assert main(["sql", "select 1", "--url", f"http://{user}@127.0.0.1:4319"]) == 1
    assert capfd.readouterr().err.splitlines() == [
        "sightline: a collector takes no user and password",
        "  → leave them out of --url: http://127.0.0.1:4319",
    ]


def test_a_host_that_is_none(capfd: pytest.CaptureFixture[str]) -> None:
    """A name that resolves to nothing is named, without the resolver's own words."""
    assert main(["sql", "select 1", "--url", "http://nosuch.host.invalid:4319"]) == 1
    assert capfd.readouterr().err.splitlines()[0] == "sightline: no host is called 'nosuch.host.invalid'"


def test_a_collector_that_stops_before_it_answers(capfd: pytest.CaptureFixture[str]) -> None:
    """Who waits for an answer is told that there will be none."""
    with ThreadPoolExecutor(1) as other, socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        other.submit(stop_at_a_question, server)
        assert main(["settle", "--since", "2026-11-01", "--url", url]) == 1
    assert capfd.readouterr().err.startswith(f"sightline: the collector at {url} stopped before it answered")


def stop_at_a_question(server: socket.socket) -> None:
    """Take a connection, read, and be gone."""
    connection, _ = server.accept()
    with connection, server:
        connection.recv(1)


@pytest.mark.parametrize("door", ["http", "grpc"])
@pytest.mark.parametrize("command", [["sql", "select 1"], ["status"], ["budget", "set", "--usd", "1"]])
def test_a_port_that_takes_otlp(
    receiving: Receiving, capfd: pytest.CaptureFixture[str], door: str, command: list[str]
) -> None:
    """A question sent to a port for spans is told that it is not for SQL, and which port is."""
    url = f"http://127.0.0.1:{getattr(receiving, door).port}"
    assert main([*command, "--url", url]) == 1
    assert capfd.readouterr().err.splitlines() == [
        f"sightline: {url} is not a collector's SQL port",
        "  → that is http://127.0.0.1:4319 unless `sightline up` said another; 4317 and 4318 only take OTLP",
    ]


def test_another_program_on_the_port(webhook: Webhook, capfd: pytest.CaptureFixture[str]) -> None:
    """An answer that is none of a collector's is not shown as rows."""
    url = webhook.address.removesuffix("/s3cret-token").replace("json://", "http://")
    webhook.answers = [200]
    assert main(["sql", "select 1", "--url", url]) == 1
    assert "is not a collector's SQL port" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["budget", "set", "--usd", "fifty"], "'fifty' is no amount: write digits, such as 50 or 0.25"),
        (["budget", "set", "--usd", "1e999999"], "'1e999999' is no amount"),
        (["budget", "set", "--usd", "-5"], "argument --usd: must be more than 0, and is -5"),
        (["budget", "set", "--usd", "0"], "argument --usd: must be more than 0, and is 0"),
        (["nosuch"], "invalid choice: 'nosuch'"),
        (["sql"], "required: statement"),
    ],
)
def test_what_is_asked_wrongly(capfd: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
    """One line says what is wrong and one where to read more; exit code 2."""
    with pytest.raises(SystemExit) as left:
        main(arguments)
    wrong, hint = capfd.readouterr().err.splitlines()
    assert left.value.code == 2
    assert says in wrong
    assert "--help` says what it takes" in hint


def test_budgets(sightline: Command) -> None:
    """Set, replace, list, remove; what cannot be is refused with the reason."""
    assert sightline("budget", "list")[1].startswith("No budget is set. `sightline budget set ")
    code, out, _ = sightline("budget", "set", "--usd", "20", "--feature", "support")
    assert code == 0
    assert out.startswith("Budget day:feature=support is set: 20 USD per UTC day.\n")
    assert "channels" not in sightline("budget", "list")[1]
    notify = ["--notify", "json://user:s3cret@hooks.example:8080/s3cret?s3cret"]
    assert sightline("budget", "set", "--usd", "50.0", "--feature", "support", *notify)[1] == (
        "Budget day:feature=support is set: 50.0 USD per UTC day, in place of 20 USD.\n"
        "  Alerts go to json://hooks.example:8080/***\n"
    )
    listed = sightline("budget", "list")[1]
    assert "50.00" in listed
    assert "window_end_utc" in listed
    assert "json://hooks.example:8080/***" in listed
    assert "s3cret" not in listed
    assert sightline("budget", "remove", "day:feature=support")[:2] == (
        0,
        "Budget day:feature=support is removed.\n",
    )
    code, _, err = sightline("budget", "remove", "nosuch")
    assert code == 1
    assert "nosuch" in err
    assert "→" in err
    assert sightline("budget", "set", "--usd", "2e-5")[1].startswith("Budget day is set: 0.00002 USD per")
    code, _, err = sightline("budget", "set", "--usd", "20", "--notify", "foo")
    assert code == 1
    assert err.startswith("sightline: 'foo' is no address that can be told: write a webhook as https://")
    code, _, err = sightline("budget", "set", "--usd", "20", "--feature", "sup\x1b[2Jport")
    assert code == 1
    assert "feature: " in err
    assert "'sup\\x1b[2Jport' holds control characters" in err
    code, _, err = sightline("budget", "set", "--usd", "0.0000001")
    assert code == 1
    assert "limit_usd" in err


def test_lists_are_tables_on_a_narrow_terminal(sightline: Command, port: Port) -> None:
    """On 80 columns our own lists need no records, and nothing of them is cut."""
    budget = ["--user", "ann", "--notify", "json://hooks.example:8080/s3cret"]
    assert sightline("budget", "set", "--usd", "0.5", *budget)[0] == 0
    for listed in (["budget", "list"], ["prices", "list", "--provider", "avian"]):
        said = on_a_terminal([*listed, "--url", port.url], columns=80)
        assert "───" in said
        assert "…" not in said
        assert "row 1" not in said
    assert sightline("budget", "remove", "day:user_id=ann")[0] == 0


def test_alerts_and_prices(sightline: Command) -> None:
    """Both are listed; where there is nothing to list a sentence says so."""
    assert sightline("alerts", "list")[:2] == (0, "Nothing is pending or firing.\n")
    assert sightline("prices", "list", "--provider", "openai", "--model", "nosuch")[1] == (
        "There is no price with 'openai' in its provider's name and 'nosuch' in its model's name."
        " `sightline prices list` shows all: try a part of a name.\n"
    )
    assert "gpt-4o-mini" in sightline("prices", "list", "--model", "gpt-4o-mini")[1]
    last = sightline("prices", "list")[1].splitlines()[-1]
    assert last.startswith("the first 1,000 rows, narrow them with --provider and --model · ")


def test_status(sightline: Command) -> None:
    """Version, store, items and the log's state, in four lines."""
    code, out, _ = sightline("status")
    assert code == 0
    assert re.match(r"Sightline \d+\.\d+\.\d+ at http", out)
    assert re.search(r"received 0 .* refused 0 .* since the start\n", out)
    assert re.search(r"log +0 bytes of [\d.]+ [kMG]B   all is stored\n", out)
    assert len(out.splitlines()) == 4


@pytest.mark.parametrize(
    ("segments", "age_s", "says"),
    [
        (0, 0.0, "all is stored"),
        (0, 0.4, "0 segments wait for the store   the oldest record is 0.4 s old"),
        (1, 90.0, "1 segment waits for the store   the oldest record is 90 s old"),
        (1200, 7200.0, "1,200 segments wait for the store   the oldest record is 2 h old"),
    ],
)
def test_a_status_says_what_waits(segments: int, age_s: float, says: str) -> None:
    """Bytes in the unit of --log-gb; no age where nothing waits."""
    log = {"bytes": 5e9, "limit_bytes": 8e9, "waiting_segments": segments, "oldest_age_s": age_s}
    said = {"version": "1", "up_s": 1, "items": {}, "store": "s", "engine": "e", "log": log}
    assert lines("http://h", said)[-1] == f"  log        5.0 GB of 8.0 GB   {says}"


def test_the_command_line_starts_light() -> None:
    """Reading arguments loads neither the engine nor the drawing."""
    code = (
        "import sys; from sightline_collector.cli import _parser; _parser();"
        "print([m for m in ('chdb', 'rich', 'clickhouse_connect', 'starlette', 'grpc') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"

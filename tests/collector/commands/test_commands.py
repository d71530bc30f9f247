"""The subcommands, against a collector's port."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from collector.alerts.webhook import Webhook, listening
from collector.gateway.serving import Port, serving
from collector.receive.receiving import Receiving

from sightline_collector.cli import main
from sightline_collector.store.engine import Engine

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _called_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hints name the program as one that the shell finds: test_program.py says what else they may do."""
    monkeypatch.setattr(sys, "argv", ["/nowhere/sightline"])


@pytest.fixture(scope="module")
def port(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """The gateway of the module's store."""
    with serving(engine, tmp_path_factory.mktemp("gateway")) as opened:
        yield opened


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


@pytest.fixture
def sightline(port: Port, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs a subcommand against the port: exit code, output, errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--url", port.url])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


class TestSql:
    """sightline sql"""

    def test_a_table(self, sightline: Command) -> None:
        """Aligned, without colours into a pipe, with rows and time below."""
        code, out, err = sightline(
            "sql", "select 'a' as name, 1234 as calls, toDecimal64(1, 12) / 3 as cost_usd, null as gone"
        )
        lines = out.splitlines()
        assert (code, err) == (0, "")
        assert lines[0].split() == ["name", "calls", "cost_usd", "gone"]
        assert lines[2].split() == ["a", "1,234", "0.333333", "–"]
        assert re.fullmatch(r"1 row · [\d,.]+ m?s", lines[3])
        assert "\x1b" not in out

    def test_a_statement_is_printed_as_it_is(self, sightline: Command) -> None:
        """The one text that `show create view` answers keeps its lines, without a heading."""
        out = sightline("sql", "show create view cost_by_model")[1].splitlines()
        assert out[0].lower().startswith("create view")
        assert len(out) > 5
        assert not any("\\n" in line or "\u240a" in line for line in out)

    def test_nothing_is_left_out_of_what_was_asked(self, sightline: Command) -> None:
        """Columns that are empty in every row stay: somebody asked for them."""
        assert sightline("sql", "select 1 as a, null as b, '' as c")[1].split()[:3] == ["a", "b", "c"]

    def test_nothing_found(self, sightline: Command) -> None:
        """No rows are said to be none."""
        code, out, _ = sightline("sql", "select 1 where 0")
        assert code == 0
        assert out.startswith("0 rows · ")

    def test_json(self, sightline: Command) -> None:
        """One array of objects."""
        _, out, _ = sightline("sql", "--format", "json", "select number as n, 'x' as s from numbers(2)")
        assert json.loads(out) == [{"n": 0, "s": "x"}, {"n": 1, "s": "x"}]

    def test_csv_and_others(self, sightline: Command) -> None:
        """CSV with names, and any format of ClickHouse's."""
        assert sightline("sql", "--format", "csv", "select 1 as a")[1] == '"a"\n1\n'
        assert sightline("sql", "--format", "TSKV", "select 1 as a")[1] == "a=1\n"
        assert sightline("sql", "select 1 as a format TSKV")[1] == "a=1\n"

    def test_nothing_is_an_empty_field_of_csv(self, sightline: Command) -> None:
        """NULL is nothing between two commas, which spreadsheets and pandas read as missing."""
        assert sightline("sql", "--format", "csv", "select 1 as a, null as b, '' as c")[1] == (
            '"a","b","c"\n1,,""\n'
        )

    def test_standard_input(self, sightline: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        """- reads the statement from there."""
        monkeypatch.setattr(sys, "stdin", io.StringIO("select 7 as n"))
        assert sightline("sql", "-", "--format", "TSV")[1] == "7\n"

    @pytest.mark.parametrize("locale", ["C.UTF-8", "POSIX"])
    def test_what_is_not_utf_8(self, locale: str) -> None:
        """Other bytes, typed or from standard input, are refused in a line, in any locale."""
        command = [sys.executable, "-m", "sightline_collector.cli", "sql"]
        environment = {**os.environ, "LC_ALL": locale}
        for argument, code in ((b"-", 1), (b"select '\xff'", 2)):
            done = subprocess.run(
                [*command, argument], input=b"\xff", capture_output=True, timeout=60, env=environment
            )
            wrong, hint = done.stderr.decode().splitlines()
            assert done.returncode == code
            assert "is not UTF-8" in wrong
            assert hint

    def test_many_rows(self, sightline: Command) -> None:
        """A table stops at a thousand rows and says so; csv goes on."""
        out = sightline("sql", "select number from numbers(5000)")[1]
        assert out.splitlines()[-1].startswith("the first 1,000 rows, all with --format csv")
        assert (
            len(sightline("sql", "--format", "csv", "select number from numbers(5000)")[1].splitlines())
            == 5001
        )

    def test_errors(self, sightline: Command) -> None:
        """The engine's words, no frame of machines around them; exit code 1."""
        code, out, err = sightline("sql", "select * from nosuch")
        assert (code, out) == (1, "")
        assert err.startswith("sightline: Unknown table")
        assert err.endswith("(UNKNOWN_TABLE)\n")
        _, _, err = sightline("sql", "selec 1")
        assert len(err) < 200
        assert "SELECT" in err

    def test_an_unknown_format(self, sightline: Command) -> None:
        """A format that is none is named, with the one that was meant and where to look for others."""
        code, _, err = sightline("sql", "select 1", "--format", "tabel")
        assert (code, err.splitlines()[0]) == (1, "sightline: there is no format 'tabel'")
        assert "did you mean table?" in err
        assert "JSONEachRow" in sightline("sql", "select 1", "--format", "nothing-like-it")[2]

    def test_an_error_at_the_end(self, sightline: Command) -> None:
        """A fault after the first rows ends with exit code 1 and is no part of the output."""
        code, out, err = sightline(
            "sql", "--format", "TSV", "select throwIf(number = 3000000) from numbers(5000000)"
        )
        assert code == 1
        assert set(out) == {"0", "\n"}
        assert re.fullmatch(r"sightline: Value passed to 'throwIf'.*\(FUNCTION_\w+\)\n", err)

    def test_a_reader_that_has_enough(self, port: Port) -> None:
        """A closed pipe ends the command quietly."""
        sql = "select number from numbers(9000000)"
        command = [sys.executable, "-m", "sightline_collector.cli", "sql", sql, "--format", "TSV"]
        with subprocess.Popen(
            [*command, "--url", port.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as started:
            assert started.stdout is not None
            assert started.stderr is not None
            assert started.stdout.readline() == b"0\n"
            started.stdout.close()
            assert started.stderr.read() == b""
            assert started.wait(30) == 0

    def test_on_a_terminal(self, port: Port) -> None:
        """Colours, and texts that are too long for some lines of the terminal's width are cut."""
        sql = "select repeat('long ', 100) as text, 12345 as calls"
        said = on_a_terminal(["sql", sql, "--url", port.url], columns=60)
        assert "\x1b[1m" in said
        assert "…" in said
        assert "12,345" in said


def on_a_terminal(arguments: list[str], columns: int) -> str:
    """What the command prints to a terminal of that width."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "sightline_collector.cli", *arguments]
    said = b""
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=environment) as started:
        os.close(theirs)
        # A terminal holds little: it is read while the command prints, until nobody prints any more.
        with suppress(OSError):
            while piece := os.read(ours, 65536):
                said += piece
        os.close(ours)
        assert started.wait(60) == 0
    return said.decode()


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


def test_status(sightline: Command) -> None:
    """Version, store, items and the log's state, in four lines."""
    code, out, _ = sightline("status")
    assert code == 0
    assert re.match(r"Sightline \d+\.\d+\.\d+ at http", out)
    assert re.search(r"received 0 .* refused 0 .* since the start\n", out)
    assert len(out.splitlines()) == 4


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

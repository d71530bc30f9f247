"""`sightline sql`: what is asked comes back as a table, records, JSON, or in any format of the engine."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys

import pytest
from collector.commands.conftest import Command
from collector.commands.terminal import on_a_terminal
from collector.gateway.serving import Port


def test_a_table(sightline: Command) -> None:
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


def test_a_statement_is_printed_as_it_is(sightline: Command) -> None:
    """The one text that `show create view` answers keeps its lines, without a heading."""
    out = sightline("sql", "show create view cost_by_model")[1].splitlines()
    assert out[0].lower().startswith("create view")
    assert len(out) > 5
    assert not any("\\n" in line or "\u240a" in line for line in out)


def test_nothing_is_left_out_of_what_was_asked(sightline: Command) -> None:
    """Columns that are empty in every row stay: somebody asked for them."""
    assert sightline("sql", "select 1 as a, null as b, '' as c")[1].split()[:3] == ["a", "b", "c"]


def test_nothing_found(sightline: Command) -> None:
    """No rows are said to be none."""
    code, out, _ = sightline("sql", "select 1 where 0")
    assert code == 0
    assert out.startswith("0 rows · ")


def test_json(sightline: Command) -> None:
    """One array of objects."""
    _, out, _ = sightline("sql", "--format", "json", "select number as n, 'x' as s from numbers(2)")
    assert json.loads(out) == [{"n": 0, "s": "x"}, {"n": 1, "s": "x"}]


def test_csv_and_others(sightline: Command) -> None:
    """CSV with names, and any format of ClickHouse's."""
    assert sightline("sql", "--format", "csv", "select 1 as a")[1] == '"a"\n1\n'
    assert sightline("sql", "--format", "TSKV", "select 1 as a")[1] == "a=1\n"
    assert sightline("sql", "select 1 as a format TSKV")[1] == "a=1\n"


def test_nothing_is_an_empty_field_of_csv(sightline: Command) -> None:
    """NULL is nothing between two commas, which spreadsheets and pandas read as missing."""
    assert sightline("sql", "--format", "csv", "select 1 as a, null as b, '' as c")[1] == (
        '"a","b","c"\n1,,""\n'
    )


def test_standard_input(sightline: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """- reads the statement from there."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("select 7 as n"))
    assert sightline("sql", "-", "--format", "TSV")[1] == "7\n"


@pytest.mark.parametrize("locale", ["C.UTF-8", "POSIX"])
def test_what_is_not_utf_8(locale: str) -> None:
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


def test_many_rows(sightline: Command) -> None:
    """A table stops at a thousand rows and says so; csv goes on."""
    out = sightline("sql", "select number from numbers(5000)")[1]
    assert out.splitlines()[-1].startswith("the first 1,000 rows, all with --format csv")
    assert (
        len(sightline("sql", "--format", "csv", "select number from numbers(5000)")[1].splitlines()) == 5001
    )


def test_errors(sightline: Command) -> None:
    """The engine's words, no frame of machines around them; exit code 1."""
    code, out, err = sightline("sql", "select * from nosuch")
    assert (code, out) == (1, "")
    assert err.startswith("sightline: Unknown table")
    assert err.endswith("(UNKNOWN_TABLE)\n")
    _, _, err = sightline("sql", "select 1 format Nonsense")
    assert err == "sightline: Unknown format Nonsense. (UNKNOWN_FORMAT)\n"
    _, _, err = sightline("sql", "select 1; select 2")
    assert err.endswith(": ; select 2. (SYNTAX_ERROR)\n")
    _, _, err = sightline("sql", "selec 1")
    assert len(err) < 200
    assert "SELECT" in err


def test_an_unknown_format(sightline: Command) -> None:
    """A format that is none is named, with the one that was meant and where to look for others."""
    code, _, err = sightline("sql", "select 1", "--format", "tabel")
    assert (code, err.splitlines()[0]) == (1, "sightline: there is no format 'tabel'")
    assert "did you mean table?" in err
    assert "JSONEachRow" in sightline("sql", "select 1", "--format", "nothing-like-it")[2]


def test_an_error_at_the_end(sightline: Command) -> None:
    """A fault after the first rows ends with exit code 1 and is no part of the output."""
    code, out, err = sightline(
        "sql", "--format", "TSV", "select throwIf(number = 3000000) from numbers(5000000)"
    )
    assert code == 1
    assert set(out) == {"0", "\n"}
    assert re.fullmatch(r"sightline: Value passed to 'throwIf'.*\(FUNCTION_\w+\)\n", err)


def test_a_reader_that_has_enough(port: Port) -> None:
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


def test_on_a_terminal(port: Port) -> None:
    """Colours, and texts that are too long for some lines of the terminal's width are cut."""
    sql = "select repeat('long ', 100) as text, 12345 as calls"
    said = on_a_terminal(["sql", sql, "--url", port.url], columns=60)
    assert "\x1b[1m" in said
    assert "…" in said
    assert "12,345" in said

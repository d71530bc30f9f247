"""Requests that try the port itself: settings, sizes, bombs, odd bytes."""

from __future__ import annotations

import gzip
import socket
import zlib
from collections.abc import Callable

import pytest
import zstandard
from collector.gateway.serving import Port
from structlog.testing import capture_logs


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("readonly", "0"),
        ("allow_ddl", "1"),
        ("allow_introspection_functions", "1"),
        ("additional_table_filters", "{}"),
        ("format_schema", "x"),
        ("output_format_schema", "/tmp/x"),
        ("format_template_row", "/etc/passwd"),
        ("log_comment", "x"),
        ("implicit_select", "1"),
        ("dialect", "kusto"),
        ("aggregate_functions_null_for_empty", "1"),
        ("allow_experimental_eval_table_function", "1"),
        ("user_files_path", "/"),
        ("path", "/tmp"),
        ("max_threads", "-1"),
        ("max_threads", "auto(9)"),
        ("session_timezone", "UTC&readonly=0"),
    ],
)
def test_settings_that_are_not_a_readers_are_refused(port: Port, name: str, value: str) -> None:
    """In the URL as in the statement; what is unknown counts as not a reader's."""
    assert port.ask("select 1", **{name: value}).status_code in (400, 403)
    assert port.ask(f"select 1 settings {name} = '{value}'").status_code in (400, 403)
    assert port.ask(f"select * from (select 1 settings {name} = '{value}')").status_code == 403


@pytest.mark.parametrize(
    ("name", "kept"),
    [("max_execution_time", "30"), ("max_threads", "2"), ("max_memory_usage", str(256 << 20))],
)
@pytest.mark.parametrize("asked", ["0", "999999999999"])
def test_bounds_cannot_be_raised(port: Port, name: str, kept: str, asked: str) -> None:
    """More than the bound, or none at all, is the bound."""
    assert port.ask(f"select getSetting('{name}')", **{name: asked}).text.strip() == kept


def test_nothing_of_one_statement_is_left_for_the_next(port: Port) -> None:
    """Sessions are not kept: neither settings nor names outlive a statement."""
    port.ask("select 1", session_id="a", join_use_nulls="1")
    assert port.ask("select getSetting('join_use_nulls')", session_id="a").text == "false\n"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_bomb_is_refused(port: Port, encoding: str) -> None:
    """A small body that inflates beyond the bound is refused, and never held whole."""
    bomb = b"select '" + b"x" * (256 << 20) + b"'"
    pack: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "zstd": zstandard.compress,
    }
    packed = pack[encoding](bomb)
    answer = port.client.post("/", content=packed, headers={"Content-Encoding": encoding})
    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (413, "229")


def test_a_statement_of_ten_megabytes_is_refused(port: Port) -> None:
    """With a declared length at once, without one as soon as it is too long."""
    large = b"select '" + b"x" * (10 << 20) + b"'"
    assert port.client.post("/", content=large).status_code == 413
    assert (
        port.client.post("/", content=(large[i : i + 65536] for i in range(0, len(large), 65536))).status_code
        == 413
    )


@pytest.mark.parametrize(
    "sql",
    [
        "select " + "(" * 5000 + "1" + ")" * 5000,
        "select " + "1+" * 60000 + "1",
        "select " + "[" * 2000 + "]" * 2000,
        "select " + ",".join(["1"] * 200_000),
        "select \x00 1",
        "select '" + "\\" * 99999,
    ],
)
def test_deep_and_broken_statements_are_refused(port: Port, sql: str) -> None:
    """Depth, breadth and odd bytes end in a refusal, and the port goes on."""
    assert 400 <= port.ask(sql).status_code < 600
    assert port.ask("select 1").text == "1\n"


def test_bytes_that_are_no_text_are_refused(port: Port) -> None:
    """A statement is UTF-8."""
    assert port.client.post("/", content=b"select '\xff'").status_code == 400


@pytest.mark.parametrize("name", ["CSV into outfile", "CSV'", "../x", "CSV;", "x" * 99])
def test_formats_are_plain_names(port: Port, name: str) -> None:
    """A format's name cannot carry more than a name."""
    assert port.ask("select 1", default_format=name).status_code == 404
    assert port.client.post("/", content="select 1", headers={"X-ClickHouse-Format": name}).status_code == 404


def test_one_statement_of_clients_is_answered_less_strictly_and_no_other(port: Port) -> None:
    """Only clickhouse-connect's own question for settings hears that they can be chosen."""
    asked = "SELECT name, value, readonly FROM system.settings LIMIT 10000"
    assert port.ask(f"{asked} format TSV").text.split("\n")[0].endswith("\t0")
    assert port.ask("select getSetting('readonly')").text == "1\n"
    for sql in (f"{asked} OFFSET 0", f"{asked} UNION ALL SELECT '', '', getSetting('readonly')"):
        assert not port.ask(sql).text.rstrip("\n").endswith(("\t0", "\t2"))


def test_a_sender_that_goes_away_is_no_fault_of_the_collector(port: Port) -> None:
    """Half a body and a closed connection: nothing for the operator to read, and the port goes on."""
    said_of_body = b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    head = b"POST /api/budgets HTTP/1.1\r\nHost: localhost\r\n" + said_of_body
    with capture_logs() as said:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port.number), 10) as connection:
                connection.sendall(head + b"{")
                connection.shutdown(socket.SHUT_WR)
                connection.recv(100)
        assert port.ask("select 1").text == "1\n"
    assert said == []

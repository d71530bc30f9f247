"""The clients that people use: curl and clickhouse-connect, on a real socket."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from decimal import Decimal

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from collector.gateway.serving import Port

EVERY_TYPE = """
select number as n, toString(number) as s, toDecimal128(number, 12) / 7 as money, number % 2 = 0 as even,
    if(number % 2 = 0, number, null) as maybe, toLowCardinality(toString(number % 3)) as low,
    [number, number + 1] as list, map('a', number) as pairs, (number, 'x') as pair,
    toDateTime64(number, 9, 'UTC') as at, toDate(number) as day, toFloat64(number) / 3 as ratio,
    toUUID('00000000-0000-0000-0000-000000000001') as id,
    CAST(number % 2 + 1, 'Enum8(\\'x\\' = 1, \\'y\\' = 2)') as kind
from numbers(4)
"""


@pytest.fixture(scope="module")
def client(port: Port) -> Iterator[Client]:
    """clickhouse-connect with nothing but host and port."""
    opened = clickhouse_connect.get_client(host="127.0.0.1", port=port.number)
    yield opened
    opened.close()


def test_connects_with_host_and_port_alone(client: Client) -> None:
    """The handshake's questions are answered: version, time zone, settings."""
    assert client.server_version
    assert client.ping()
    assert client.command("select currentUser()") == "default"


def test_every_type_comes_back(client: Client) -> None:
    """Native blocks of all common types decode to Python values."""
    rows = client.query(EVERY_TYPE).result_rows
    assert rows[0][:3] == (0, "0", Decimal(0))
    assert [r[4] for r in rows] == [0, None, 2, None]
    assert [r[5] for r in rows] == ["0", "1", "2", "0"]
    assert rows[3][6:9] == ([3, 4], {"a": 3}, (3, "x"))
    assert [r[13] for r in rows] == ["x", "y", "x", "y"]


def test_parameters_are_bound(client: Client) -> None:
    """Server-side parameters, text and lists alike."""
    sql = "select {s:String} as s, {n:Array(UInt8)} as n, {d:DateTime} as d"
    rows = client.query(sql, parameters={"s": "it's\t\\ \n", "n": [1, 2], "d": "2026-01-02 03:04:05"})
    assert rows.result_rows[0][:2] == ("it's\t\\ \n", [1, 2])


def test_a_large_answer_streams(client: Client) -> None:
    """Blocks arrive one by one, all of them."""
    with client.query_row_block_stream("select number, toString(number) from numbers(1000000)") as blocks:
        sizes = [len(block) for block in blocks]
    assert sum(sizes) == 1_000_000
    assert len(sizes) > 10


def test_data_frames_and_arrow(client: Client) -> None:
    """Pandas and Arrow readers work."""
    assert list(client.query_df("select number as n from numbers(3)")["n"]) == [0, 1, 2]
    assert client.query_arrow("select number as n from numbers(3)").num_rows == 3


def test_settings_of_a_query_are_taken(client: Client, port: Port) -> None:
    """A client's own bound is heard; what is not a reader's to choose is refused."""
    with pytest.raises(DatabaseError, match="TOO_MANY_ROWS_OR_BYTES"):
        client.query("select number from numbers(100)", settings={"max_result_rows": 10})
    with pytest.raises(DatabaseError, match="READONLY"):
        client.query("select 1", settings={"allow_ddl": 1})
    bounded = clickhouse_connect.get_client(
        host="127.0.0.1", port=port.number, settings={"max_execution_time": 7}
    )
    assert bounded.command("select getSetting('max_execution_time')") == 7
    bounded.close()


def test_a_statements_own_settings_are_taken(client: Client) -> None:
    """A bound that the statement sets for itself is heard."""
    with pytest.raises(DatabaseError, match="TOO_MANY_ROWS_OR_BYTES"):
        client.query("select number from numbers(100) settings max_result_rows = 10")


def test_an_error_keeps_its_code(client: Client) -> None:
    """The client reads the engine's code and name."""
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE") as caught:
        client.query("select * from nosuch")
    assert "60" in str(caught.value)


def test_an_error_within_the_stream_is_raised(client: Client) -> None:
    """A fault after the first blocks reaches the client as an exception."""
    with pytest.raises(Exception, match=r"throwIf|FUNCTION_THROW_IF"):
        assert client.query("select throwIf(number = 3000000) from numbers(5000000)").result_rows


def test_inserts_are_refused(client: Client) -> None:
    """A client that writes is told that this port only reads."""
    with pytest.raises(DatabaseError, match="READONLY"):
        client.command("insert into cost_by_model values (1)")
    with pytest.raises(DatabaseError, match="READONLY"):
        client.command("create table t (a Int8) engine = Memory")


def test_introspection_of_tools_is_answered(client: Client) -> None:
    """What editors and Grafana ask to fill their menus."""
    for sql in (
        "select name from system.databases",
        "select name from system.tables where database = currentDatabase()",
        "select name, type, comment from system.columns where table = 'cost_by_model'",
        "select name from system.functions limit 1",
        "select name from system.data_type_families limit 1",
        "describe table cost_by_model",
        "show tables",
        "select displayName(), version(), revision(), timezone()",
        "select timeZone()",
    ):
        assert client.query(sql).result_rows, sql


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
class TestCurl:
    """The commands of ClickHouse's documentation."""

    def curl(self, *arguments: str, text: str = "") -> str:
        """What curl prints."""
        done = subprocess.run(
            ["curl", "-sS", "--max-time", "30", *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def test_body(self, port: Port) -> None:
        """curl -d 'select 1' URL"""
        assert self.curl("-d", "select 1", port.url) == "1\n"

    def test_standard_input(self, port: Port) -> None:
        """echo 'select 1' | curl --data-binary @- URL"""
        assert self.curl("--data-binary", "@-", port.url, text="select\n 2 -- two\n") == "2\n"

    def test_url(self, port: Port) -> None:
        """curl 'URL/?query=select%201&default_format=JSONEachRow'"""
        assert self.curl(f"{port.url}/?query=select%201%20as%20n&default_format=JSONEachRow") == '{"n":1}\n'

    def test_chunked_and_compressed(self, port: Port) -> None:
        """A body of unknown length, an answer in gzip."""
        said = self.curl(
            "--compressed", "-H", "Transfer-Encoding: chunked", "-H", "Accept-Encoding: gzip",
            "--data-binary", "@-", port.url, text="select count() from numbers(5)",
        )  # fmt: skip
        assert said == "5\n"

    def test_name(self, port: Port) -> None:
        """localhost is as good as 127.0.0.1, and a user in the URL does no harm."""
        assert self.curl("-d", "select 1", f"http://default:@localhost:{port.number}/") == "1\n"

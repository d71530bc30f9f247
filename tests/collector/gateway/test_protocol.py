"""ClickHouse's HTTP protocol, asked by an ordinary HTTP client."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable

import lz4.frame
import pytest
import zstandard
from collector.gateway.serving import Port

from sightline_collector.store.engine import Engine


@pytest.mark.parametrize("value", ["", "abc"])
def test_a_setting_with_a_wrong_value_is_refused(port: Port, value: str) -> None:
    """The engine's words say which setting it is; an empty value is no value, not 1."""
    answer = port.ask("select 1", output_format_json_quote_decimals=value)
    assert answer.status_code == 500
    assert "output_format_json_quote_decimals" in answer.text


@pytest.mark.parametrize("path", ["/", "/ping", "/replicas_status", "/healthz"])
def test_says_ok(port: Port, path: str) -> None:
    """A client that looks whether someone is there hears Ok."""
    answer = port.client.get(path)
    assert (answer.status_code, answer.text) == (200, "Ok.\n")


def test_the_body_is_the_statement(port: Port) -> None:
    """POST / answers the statement in its body, tab separated when nothing else is said."""
    answer = port.ask("select 1 as a, 'x' as b")
    assert answer.text == "1\tx\n"
    assert answer.headers["x-clickhouse-format"] == "TabSeparated"
    assert answer.headers["x-clickhouse-timezone"]
    assert answer.headers["content-type"].startswith("text/tab-separated-values")


def test_the_url_is_the_statement(port: Port) -> None:
    """GET /?query= answers too, and a body goes on where the URL's part ends."""
    assert port.client.get("/", params={"query": "select 2"}).text == "2\n"
    assert port.client.post("/", params={"query": "select"}, content="3").text == "3\n"


@pytest.mark.parametrize(
    ("sql", "parameters", "headers", "format_name"),
    [
        ("select 1", {"default_format": "CSV"}, {}, "CSV"),
        ("select 1", {"default_format": "CSV"}, {"X-ClickHouse-Format": "TSKV"}, "TSKV"),
        ("select 1 format JSONEachRow", {"default_format": "CSV"}, {}, "JSONEachRow"),
        ("select 1 format JSON settings max_threads = 1", {}, {}, "JSON"),
        ("select 1 settings max_threads = 1 format Markdown", {}, {}, "Markdown"),
        ("show databases format CSVWithNames", {}, {}, "CSVWithNames"),
        ("explain select 1 format JSONCompact", {}, {}, "JSONCompact"),
    ],
)
def test_the_statement_names_the_format_before_the_request_does(
    port: Port, sql: str, parameters: dict[str, str], headers: dict[str, str], format_name: str
) -> None:
    """FORMAT goes before the header, the header before the URL."""
    answer = port.client.post("/", params=parameters, content=sql, headers=headers)
    assert (answer.status_code, answer.headers["x-clickhouse-format"]) == (200, format_name)


@pytest.mark.parametrize(
    ("format_name", "start", "once"),
    [
        ("Parquet", b"PAR1", b""),
        ("Arrow", b"ARROW1", b""),
        ("ORC", b"ORC", b""),
        ("JSONCompact", b"{", b'"meta"'),
        ("Pretty", b"   ", b"Showed first"),
    ],
)
def test_any_format_is_one_whole_document(port: Port, format_name: str, start: bytes, once: bytes) -> None:
    """Formats with a head and a foot are streamed as one document, not as one a block."""
    answer = port.ask("select number from numbers(200000)", default_format=format_name)
    assert answer.status_code == 200
    assert answer.content.startswith(start)
    assert answer.content.count(once or start) <= (1 if once else 2)  # a file's magic stands at both ends


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("explain select 1", "ReadFromSystemOne"),
        ("explain ast select 1", "SelectWithUnionQuery"),
        ("explain syntax select 1", "SELECT 1"),
        ("explain query tree select 1", "PROJECTION"),
        ("explain pipeline select 1", "ExpressionTransform"),
        ("explain estimate select * from cost_by_model", ""),
        ("describe (select 1 as n)", "n\tUInt8"),
        ("exists view cost_by_model", "1"),
        ("show create view cost_by_model", "CREATE VIEW"),
        ("show columns from cost_by_model", "calls"),
        ("show functions like 'plus'", "plus"),
    ],
)
def test_every_kind_of_statement_answers(port: Port, sql: str, said: str) -> None:
    """All that is admitted says what it should, in the format that was asked for."""
    answer = port.ask(sql)
    assert answer.status_code == 200
    assert said in answer.text
    assert port.ask(sql, default_format="JSONCompact").json()["meta"]


# They need a schema, a template, or columns of a certain kind.
DEMANDING = {
    "AvroConfluent", "CapnProto", "GeoJSON", "LineAsString", "Npy", "ODBCDriver2", "PNG", "Prometheus",
    "Protobuf", "ProtobufConfluent", "ProtobufList", "ProtobufSingle", "Template",
}  # fmt: skip


def test_every_output_format_of_the_engine_is_spoken(port: Port) -> None:
    """Named in the statement or beside it; also those whose names are words of SQL, such as Null."""
    listed = port.ask("select name from system.formats where is_output order by name")
    names = set(listed.text.split()) - DEMANDING
    assert len(names) > 50
    for sql, beside in (("select 1 as n, 'x' as s format {}", False), ("select 1 as n, 'x' as s", True)):
        answers = {n: port.ask(sql.format(n), **({"default_format": n} if beside else {})) for n in names}
        assert not {n for n, answer in answers.items() if answer.status_code != 200}


def test_json_of_many_blocks_parses(port: Port) -> None:
    """A JSON answer of many blocks is one JSON document with all rows."""
    answer = port.ask("select number as n from numbers(300000) format JSONCompact").json()
    assert answer["rows"] == 300_000
    assert answer["data"][-1] == [299999]


def test_parameters_fill_placeholders(port: Port) -> None:
    """?param_x= fills {x:Type}, with ClickHouse's escapes."""
    answer = port.ask(
        "select {n:UInt8} + 1, {s:String}, {a:Array(String)}",
        param_n="41",
        param_s="it's\\ta 'tab'",
        param_a="['x','y']",
    )
    assert answer.text == "42\tit\\'s\\ta \\'tab\\'\t['x','y']\n"


def test_a_parameter_can_name_a_view(port: Port) -> None:
    """An Identifier parameter is judged as the name it stands for."""
    assert port.ask("select count() from {t:Identifier}", param_t="cost_by_model").status_code == 200


@pytest.mark.parametrize("database", ["", "default", "test"])
def test_the_database_is_always_ours(engine: Engine, port: Port, database: str) -> None:
    """A client's default database means ours; another does not exist here."""
    answer = port.ask("select currentDatabase()", database=database)
    if database == "test":
        assert answer.status_code == 404
        assert "UNKNOWN_DATABASE" in answer.text
    else:
        assert answer.text.strip() == engine.database


def test_settings_in_the_url_and_in_the_statement_are_taken(port: Port) -> None:
    """Settings that a reader may choose reach the engine from both places."""
    asked = "select getSetting('join_use_nulls'), getSetting('max_execution_time')"
    answer = port.ask(f"{asked} settings max_execution_time = 3", join_use_nulls="1")
    assert answer.text == "true\t3\n"


def test_the_summary_counts_what_was_read(port: Port) -> None:
    """X-ClickHouse-Summary says what the statement took."""
    answer = port.ask("select count() from numbers(1000)")
    said = json.loads(answer.headers["x-clickhouse-summary"])
    assert said["read_rows"] == "1000"
    assert said["result_rows"] == "1"
    assert int(said["elapsed_ns"]) > 0


def test_the_query_id_is_the_clients_or_a_new_one(port: Port) -> None:
    """A plain query id is given back; one that could break a header is replaced."""
    assert port.ask("select 1", query_id="mine-1").headers["x-clickhouse-query-id"] == "mine-1"
    replaced = port.ask("select 1", query_id="a\r\nb: c").headers["x-clickhouse-query-id"]
    assert len(replaced) == 36


_UNPACK = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "lz4": lz4.frame.decompress,
}


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd", "lz4"])
def test_answers_are_packed_as_the_client_accepts(port: Port, coding: str) -> None:
    """Accept-Encoding is honoured."""
    sql = b"select number, 'some text' from numbers(100000)"
    plain = port.client.post("/", content=sql, headers={"Accept-Encoding": "identity"})
    with port.client.stream("POST", "/", content=sql, headers={"Accept-Encoding": coding}) as answer:
        packed = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == coding
    assert len(packed) < len(plain.content) / 2
    assert _UNPACK[coding](packed) == plain.content


@pytest.mark.parametrize(
    "headers", [{"Accept-Encoding": "br"}, {"Accept-Encoding": "gzip;q=0"}, {"Accept-Encoding": "identity"}]
)
def test_answers_are_plain_otherwise(port: Port, headers: dict[str, str]) -> None:
    """A coding that is not spoken, or not wanted, means none."""
    answer = port.client.post("/", content=b"select number from numbers(10000)", headers=headers)
    assert "content-encoding" not in answer.headers


def test_compression_can_be_switched_off(port: Port) -> None:
    """enable_http_compression=0 goes before Accept-Encoding."""
    answer = port.ask("select number from numbers(10000)", enable_http_compression="0")
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.compress),
        ("lz4", lz4.frame.compress),
    ],
)
def test_statements_may_be_packed(port: Port, coding: str, pack: Callable[[bytes], bytes]) -> None:
    """Content-Encoding of a statement is undone."""
    body = pack(b"select 7")
    assert port.client.post("/", content=body, headers={"Content-Encoding": coding}).text == "7\n"


@pytest.mark.parametrize(
    ("sql", "status", "code", "name"),
    [
        ("selec 1", 400, 62, "SYNTAX_ERROR"),
        ("", 400, 62, "SYNTAX_ERROR"),
        ("select 1 limit 1 with ties", 400, 476, "WITH_TIES_WITHOUT_ORDER_BY"),
        ("select * from nosuch", 404, 60, "UNKNOWN_TABLE"),
        ("select nosuch", 404, 47, "UNKNOWN_IDENTIFIER"),
        ("select nosuch(1)", 404, 46, "UNKNOWN_FUNCTION"),
        ("select 1 format NoSuch", 404, 73, "UNKNOWN_FORMAT"),
        ("select {x:UInt8}", 400, 456, "UNKNOWN_QUERY_PARAMETER"),
        ("select throwIf(1)", 500, 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        ("select number from numbers(1e9) settings max_result_rows = 10", 500, 396, "TOO_MANY_ROWS_OR_BYTES"),
        (
            "select sum(number) from numbers(1e12) settings max_execution_time = 1",
            408,
            159,
            "TIMEOUT_EXCEEDED",
        ),
    ],
)
def test_errors_are_told_as_clickhouse_tells_them(
    port: Port, sql: str, status: int, code: int, name: str
) -> None:
    """Status, X-ClickHouse-Exception-Code and `Code: N. DB::Exception: … (NAME)` agree with ClickHouse's."""
    answer = port.ask(sql)
    assert answer.status_code == status
    assert answer.headers["x-clickhouse-exception-code"] == str(code)
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")
    assert answer.text.count("Code:") == 1
    assert answer.text.endswith(f"({name})\n")


def test_a_syntax_error_shows_the_clients_own_words(port: Port) -> None:
    """The message shows where the statement breaks, and nothing of how it was read."""
    said = port.ask("select 1 frm x").text
    assert "position" in said
    assert "formatQuery" not in said


def test_an_error_after_the_first_bytes_is_told_at_the_end(port: Port) -> None:
    """Once a status is sent, the fault stands in a frame under the announced tag."""
    answer = port.ask("select throwIf(number = 3000000) from numbers(5000000)")
    tag = answer.headers["x-clickhouse-exception-tag"]
    assert answer.status_code == 200
    frame = answer.content[answer.content.index(b"\r\n__exception__\r\n") :].decode()
    assert frame.startswith(f"\r\n__exception__\r\n{tag}\r\nCode: 395. DB::Exception: ")
    assert frame.endswith(f" {tag}\r\n__exception__\r\n")


def test_native_blocks_carry_what_a_newer_revision_expects(port: Port) -> None:
    """client_protocol_version adds block info and the serialization byte; without it there is neither."""
    plain = port.ask("select 1 as n format Native").content
    framed = port.ask("select 1 as n format Native", client_protocol_version="54460").content
    assert plain == b"\x01\x01\x01n\x05UInt8\x01"
    assert framed == b"\x01\x00\x02\xff\xff\xff\xff\x00\x01\x01\x01n\x05UInt8\x00\x01"


@pytest.mark.parametrize("parameters", [{"compress": "1"}, {"decompress": "1"}])
def test_what_is_not_spoken_is_said(port: Port, parameters: dict[str, str]) -> None:
    """ClickHouse's own block compression is refused by name, not misunderstood."""
    answer = port.ask("select 1", **parameters)
    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (501, "48")


def test_an_unknown_path_is_not_found(port: Port) -> None:
    """There is nothing else to find here."""
    assert port.client.get("/nosuch").status_code == 404

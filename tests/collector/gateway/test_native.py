"""Native blocks, walked and framed for newer revisions."""

from __future__ import annotations

import pytest
from collector.gateway.serving import Port
from hypothesis import given
from hypothesis import strategies as st

from sightline_collector.gateway.native import Frames
from sightline_collector.gateway.refusal import Refused

INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"

TYPES = [
    "toUInt8(number)", "toInt256(number)", "toFloat32(number)", "toString(number)", "repeat('x', 300)",
    "toFixedString('ab', 2)", "toNullable(number)", "if(number % 2 = 0, 'a', null)", "toDate(number)",
    "toDateTime64(number, 9, 'UTC')", "toDecimal32(number, 2)", "toDecimal64(number, 2)",
    "toDecimal128(number, 12)", "toDecimal256(number, 50)", "toUUID('00000000-0000-0000-0000-000000000001')",
    "toIPv4('1.2.3.4')", "toIPv6('::1')", "number % 2 = 0", "[number, 1]", "[[toString(number)], []]",
    "emptyArrayString()", "map('a', number)", "map('k', ['v'])", "(number, 'x', [1])",
    "tuple(number, toString(number))::Tuple(a UInt64, `b c` String)",
    "toLowCardinality(toString(number % 3))",
    "toLowCardinality(toNullable(if(number % 2 = 0, 'a', null)))", "[toLowCardinality('a'), 'b']",
    "map(toLowCardinality('k'), toLowCardinality('v'))", "(toLowCardinality('a'), [toLowCardinality('b')])",
    "CAST('x', 'Enum8(\\'x\\' = 1, \\'a(b\\' = 2)')", "interval 1 day", "null", "true",
    "CAST([(1, 'a')], 'Nested(n UInt8, s String)')",
]  # fmt: skip


@pytest.mark.parametrize("expression", TYPES)
@pytest.mark.parametrize("rows", [0, 1, 5])
def test_every_common_type_is_walked_to_its_end(port: Port, expression: str, rows: int) -> None:
    """A column after it is found where it is: two more bytes of ours a column, eight a block."""
    sql = f"select {expression} as a, 'end' as z from numbers({rows}) format Native"
    plain = port.ask(sql).content
    framed = port.ask(sql, client_protocol_version="54460").content
    blocks = framed.count(INFO)
    assert len(framed) == len(plain) + blocks * (len(INFO) + 2)
    assert framed.endswith(b"\x03end" * rows)


def test_many_blocks_are_framed_each(port: Port) -> None:
    """However the bytes are cut, every block gets its info."""
    sql = "select number as n, repeat('x', number % 200) as s from numbers(200000) format Native"
    plain, framed = port.ask(sql).content, port.ask(sql, client_protocol_version="54460").content
    assert len(framed) > len(plain)
    assert (
        framed.replace(INFO, b"").replace(b"UInt64\x00", b"UInt64").replace(b"String\x00", b"String") == plain
    )


@given(cuts=st.lists(st.integers(1, 40), max_size=60))
def test_the_cut_does_not_matter(cuts: list[int]) -> None:
    """Bytes that come in any pieces give the same frames."""
    block = b"\x02\x03\x01a\x06String\x01x\x00\x03abc\x01b\x05UInt8\x01\x02\x03"
    framed = INFO + b"\x02\x03\x01a\x06String\x00\x01x\x00\x03abc\x01b\x05UInt8\x00\x01\x02\x03"
    stream, frames, got, at = block * 3, Frames(), b"", 0
    for cut in cuts:
        got += frames.add(stream[at : at + cut])
        at += cut
    got += frames.add(stream[at:]) + frames.end()
    assert got == framed * 3


def test_a_type_that_cannot_be_walked_is_refused(port: Port) -> None:
    """Nothing garbled is sent: the client hears which type to cast."""
    answer = port.ask("select '{}'::JSON as j format Native", client_protocol_version="54460")
    assert answer.status_code == 501
    assert "JSON" in answer.text
    with pytest.raises(Refused, match="Variant"):
        Frames().add(b"\x01\x01\x01a\x0fVariant(String)\x00")


def test_older_revisions_get_plain_blocks(port: Port) -> None:
    """Clients below the serialization byte's revision cope without."""
    plain = port.ask("select 1 as n format Native").content
    assert port.ask("select 1 as n format Native", client_protocol_version="54405").content == plain
    assert port.ask("select 1 as n format Native", client_protocol_version="x").content == plain

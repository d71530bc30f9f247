"""What a file may be packed in and how it may be written."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest
from collector.reconcile.exports import FOLDER, read, read_text

from sightline_collector.reconcile.formats import statements
from sightline_collector.reconcile.line import Rates, Unreadable

COSTS = (FOLDER / "anthropic_cost.csv").read_bytes()


def zipped(**files: bytes) -> bytes:
    """A .zip of the files, the same whenever it is made: tests are named after it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(COSTS, mtime=0),
        zipped(a=COSTS),
        zipped(a=gzip.compress(COSTS, mtime=0)),
        zipped(**{"a": COSTS, "__MACOSX/._a": b"\x00\x05\x16\x07"}),
        b"\xef\xbb\xbf" + COSTS,
        COSTS.decode().encode("utf-16"),
        COSTS.replace(b"\n", b"\r\n"),
        COSTS.replace(b",", b";"),
        COSTS.replace(b",", b"\t"),
        b"Account,Example\n\n" + COSTS,
    ],
    ids=["gz", "zip", "gz in zip", "zip of a Mac", "mark", "utf-16", "crlf", "semicolons", "tabs", "heading"],
)
def test_the_same_table_however_it_is_written(data: bytes) -> None:
    """Packed, marked, or with other separators and a heading, it says the same."""
    (statement,) = statements(data, Rates())
    assert statement.lines == read("anthropic_cost.csv").lines


def test_a_zip_of_several_files() -> None:
    """Each is read by its own format."""
    usage = (FOLDER / "openai_usage.json").read_bytes()
    assert [s.provider for s in statements(zipped(a=COSTS, b=usage), Rates())] == ["anthropic", "openai"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"%PDF-1.7\xff\xfe\x00", "neither text"),
        (b"name,price\nx,1\n", "known here: it has the columns name, price"),
        (b'{"till": 1, "sum": 2}', "known here: it has the keys till, sum"),
        (b"{}", "no usage or cost export"),
        (b"[]", "no usage or cost export"),
        (b"[1, 2]", "no usage or cost export"),
        (b'{"data": [', "cannot be read"),
        (b'{"data": 7}', "no usage or cost export"),
        (b"[" * 100_000, "cannot be read"),
        (b'{"data": [{"start_time": 1, "results": 7}]}', "no usage or cost export"),
        (gzip.compress(COSTS, mtime=0)[:40], "cannot be unpacked"),
        (zipped(a=COSTS)[:80], "cannot be unpacked"),
        (zipped(a=COSTS).replace(b"\x08\x00", b"\x63\x00"), "cannot be unpacked"),  # a method nobody knows
        (b"x" * 200_000, "no CSV"),
        (b"start_time,amount_value\nsoon,1\n", "none of the file's lines"),
        (b"start_time,amount_value\n", "none of the file's lines"),
        (b'{"ResultsByTime": [7]}', "damaged"),
    ],
)
def test_a_file_that_is_none_of_these(data: bytes, says: str) -> None:
    """It is refused with a reason and a next step."""
    with pytest.raises(Unreadable) as refused:
        list(statements(data, Rates()))
    assert says in refused.value.message
    assert refused.value.hint


def test_what_is_understood_is_said() -> None:
    """An unknown file is answered with every export that is known, and how to get it."""
    with pytest.raises(Unreadable) as refused:
        read_text("name,price\nx,1\n")
    for provider in ("OpenAI, with", "Anthropic, with", "Google Cloud, from", "AWS, from"):
        assert provider in refused.value.hint

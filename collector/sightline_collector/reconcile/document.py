"""A file's bytes -> its tables and JSON values, whatever it is packed in. Pure."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sightline_collector.reconcile.line import Statement, Unreadable

UNPACKED_BYTES_MAX = 1 << 30
"""A month of a large account's report is some hundred MB; what is larger is asked for by the day."""
HEADING_LINES_MAX = 20
"""Lines that may stand before a table's column names: consoles put the account's name there."""

_MACOS = "__MACOSX/"
"""What the Finder puts into a .zip beside the files."""

Record = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file: column names as they are, and its text from their line on."""

    columns: tuple[str, ...]
    text: str
    delimiter: str
    above: int
    """Lines that stand before the column names."""

    def renamed(self, spell: Callable[[str], str]) -> Table:
        """The same rows under other names of columns."""
        return replace(self, columns=tuple(map(spell, self.columns)))

    @property
    def rows(self) -> Iterator[tuple[int, Record]]:
        """Rows that hold anything, each with the number of the line it ends on. Raises Unreadable."""
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter)
        try:
            next(reader)
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    said = map(_pointed, cells) if self.delimiter == ";" else cells
                    yield self.above + reader.line_num, dict(zip(self.columns, said, strict=False))
        except csv.Error as e:
            raise Unreadable(
                f"line {self.above + reader.line_num} is no CSV ({e})", "export it again"
            ) from None


@dataclass(frozen=True, slots=True)
class Values:
    """A JSON file: one value, or those of an array or of lines, each with its place. Numbers are Decimal."""

    values: tuple[tuple[int, dict[str, Any]], ...]


Document = Table | Values

_NO_SPACE = re.compile(r"[^ \t\n\r]")
_COMMA_BEFORE_DECIMALS = re.compile(r"-?\d+(\.\d{3})*,\d+")


def _pointed(cell: str) -> str:
    """A number as the rest of the world writes it: where semicolons part columns, commas part decimals."""
    if not _COMMA_BEFORE_DECIMALS.fullmatch(cell.strip()):
        return cell
    return cell.replace(".", "").replace(",", ".")


def documents(data: bytes) -> Iterator[Document]:
    """The file's content, or that of each file in a .zip. Raises Unreadable."""
    for content in _unpacked(data):
        text = _text(content).strip().replace("\r\n", "\n")
        if not text:
            raise Unreadable("the file is empty", "export it again, for days with usage")
        yield Values(tuple(_values(text))) if text[0] in "[{" else _table(text)


def _unpacked(data: bytes) -> Iterator[bytes]:
    if data[:2] == b"\x1f\x8b":
        yield _read(gzip.GzipFile(fileobj=io.BytesIO(data)))
    elif data[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                for item in packed.infolist():
                    if item.is_dir() or item.filename.startswith(_MACOS):
                        continue
                    with packed.open(item) as opened:
                        yield from _unpacked(_read(opened))
        except (zipfile.BadZipFile, RuntimeError) as e:  # also locked, or packed in an unknown way
            raise Unreadable(f"the .zip cannot be unpacked ({e})", "unpack it, and name the file") from None
    else:
        yield data


def _read(packed: Any) -> bytes:
    try:
        content = bytes(packed.read(UNPACKED_BYTES_MAX + 1))
    except (OSError, EOFError, zlib.error) as e:
        raise Unreadable(
            f"the file cannot be unpacked ({e})", "it may be cut short: fetch it again"
        ) from None
    if len(content) > UNPACKED_BYTES_MAX:
        raise Unreadable(
            f"the file is larger than {UNPACKED_BYTES_MAX >> 20} MiB when it is unpacked",
            "export fewer days at a time",
        )
    return content


def _text(content: bytes) -> str:
    """Spreadsheets write UTF-16 or a mark before UTF-8."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise Unreadable("the file is neither text nor packed text", "name a CSV or JSON export") from None


def _values(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        found = list(_one_after_another(text))
    except (ValueError, RecursionError) as e:
        raise Unreadable(f"the JSON cannot be read ({e})", "it may be cut short: fetch it again") from None
    if len(found) == 1 and isinstance(found[0][1], list):
        found = list(enumerate(found[0][1], 1))
    yield from ((n, value) for n, value in found if isinstance(value, dict))


def _one_after_another(text: str) -> Iterator[tuple[int, Any]]:
    """Each value with the line that it begins on. Raises ValueError, RecursionError."""
    read = json.JSONDecoder(parse_float=Decimal).raw_decode
    at, line = 0, 1
    while at < len(text):
        value, end = read(text, at)
        yield line, value
        following = _NO_SPACE.search(text, end)
        begins = following.start() if following else len(text)
        line += text.count("\n", at, begins)
        at = begins


def _table(text: str) -> Table:
    lines = text.split("\n", HEADING_LINES_MAX)
    try:
        above, delimiter = _heading(lines[:HEADING_LINES_MAX])
    except csv.Error as e:
        raise Unreadable(f"the file's first lines are no CSV ({e})", "name a CSV or JSON export") from None
    below = "\n".join(lines[above:])
    columns = next(csv.reader([lines[above]], delimiter=delimiter), [])
    return Table(tuple(name.strip() for name in columns), below, delimiter, above)


def _heading(lines: list[str]) -> tuple[int, str]:
    """Where the column names stand, and what is between them: the first of the widest lines."""
    widths = [
        (len(next(csv.reader([line], delimiter=delimiter), [])), -number, delimiter)
        for number, line in enumerate(lines)
        for delimiter in ",;\t"
    ]
    _, number, delimiter = max(widths)
    return -number, delimiter


def buckets(document: Values, statement: Statement) -> Iterator[tuple[int, dict[str, Any]]]:
    """The time buckets of an API's pages, each with its page's place; says so when pages are missing."""
    for number, value in document.values:
        data = value.get("data", [value])
        if not isinstance(data, list):
            continue
        if value.get("has_more") and number == document.values[-1][0]:
            statement.note("the file ends with a page that another follows: ask for it with its next_page")
        yield from ((number, bucket) for bucket in data if isinstance(bucket, dict))


def has_buckets(document: Document, start: str) -> bool:
    """True when all that the JSON holds are buckets of results, whose first moment is called `start`."""
    if isinstance(document, Table) or not document.values:
        return False
    found = [bucket for _, bucket in buckets(document, Statement("", ""))]
    return bool(found) and all(
        start in bucket and isinstance(bucket.get("results"), list) for bucket in found
    )

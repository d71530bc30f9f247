"""The schema by which requests are read: a file that no fault may leave half there."""

from __future__ import annotations

from pathlib import Path

import pytest

from sightline_collector.store.schema_file import schema_file

SCHEMA = 'syntax = "proto3";\nmessage Request {}\n'


@pytest.mark.parametrize("left", [None, b"", SCHEMA[:20].encode(), bytes(len(SCHEMA))])
def test_a_schema_file_is_whole_whatever_was_left_there(tmp_path: Path, left: bytes | None) -> None:
    """A file that is absent, empty, cut off or zeros, as a power cut leaves it, is written anew."""
    file = schema_file(tmp_path, SCHEMA).with_suffix(".proto")
    file.unlink()
    if left is not None:
        file.write_bytes(left)
    assert schema_file(tmp_path, SCHEMA) == file.with_suffix("")
    assert file.read_text() == SCHEMA
    assert [entry.name for entry in tmp_path.iterdir()] == [file.name]

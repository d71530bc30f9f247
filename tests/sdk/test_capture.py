"""Any value as bounded JSON text."""

import dataclasses
import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from sightline import _capture
from sightline._capture import MAX_CHARS, MAX_DEPTH, _Walk, as_json, well_formed


class Colour(Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: list[int]


class Order(BaseModel):
    item: str
    point: Point


class Hostile:
    """Everything about it fails or lies."""

    def __repr__(self) -> str:
        raise RuntimeError("repr ran")

    __str__ = __repr__

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("getattr ran")

    def __len__(self) -> int:
        raise RuntimeError("len ran")

    def __iter__(self) -> Any:
        raise RuntimeError("iter ran")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ("é", '"é"'),
        ({"a": [1, 2.5, True, None]}, '{"a":[1,2.5,true,null]}'),
        ((1, 2), "[1,2]"),
        ({1: "a", None: "b", (1,): "c"}, '{"1":"a","None":"b","<tuple>":"c"}'),
        ({10**5000: 1, True: 2, 1.5: 3}, '{"<integer of 16610 bits>":1,"True":2,"1.5":3}'),
        (math.nan, '"nan"'),
        (-math.inf, '"-inf"'),
        (2**70, '"<integer of 71 bits>"'),
        (b"secret", '"<6 bytes>"'),
        (Decimal("1.10"), '"1.10"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (PurePosixPath("/a"), '"/a"'),
        (date(2026, 1, 2), '"2026-01-02"'),
        (datetime(2026, 1, 2, tzinfo=UTC), '"2026-01-02 00:00:00+00:00"'),
        (Colour.RED, '"red"'),
        (Point(1, [2]), '{"x":1,"y":[2]}'),
        (Order(item="a", point=Point(1, [2])), '{"item":"a","point":{"x":1,"y":[2]}}'),
        (object(), '"<builtins.object>"'),
        (Point, '"<builtins.type>"'),
        ("\ud800", '"?"'),
    ],
)
def test_well_known_values_have_their_standard_text(value: object, text: str) -> None:
    """Plain data stays as it is, known types have their text, the rest is named by its type."""
    assert as_json(value) == text


def test_no_code_of_the_value_runs() -> None:
    """A hostile object is named, not asked."""
    assert as_json({"it": Hostile()}).startswith('{"it":"<')


def test_endless_values_end() -> None:
    """A list that contains itself is cut at a depth."""
    endless: list[Any] = [1]
    endless.append(endless)
    assert "<cut>" in as_json(endless)


@pytest.mark.parametrize(
    "huge",
    [
        "x" * 10_000_000,
        ["x" * 100] * 1_000_000,
        {str(n): n for n in range(100_000)},
        [[["y"] * 999] * 999] * 9,
    ],
)
def test_huge_values_are_cut_and_say_so(huge: object) -> None:
    """Text, lists and dictionaries of any size leave about the limit, still valid JSON, marked where cut."""
    text = as_json(huge)
    assert "<cut" in text
    assert len(text) < MAX_CHARS * 3
    json.loads(text)


def test_a_cut_text_says_how_much_is_missing() -> None:
    """The reader of a cut value knows its true length."""
    assert as_json("abcdef", max_chars=4) == '"abcd<cut 2>"'
    assert as_json({"a": "bcdef"}, max_chars=4) == '{"a":"bcd<cut 2>"}'


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
    max_leaves=50,
)


@given(anything, st.integers(0, 200))
def test_the_text_is_always_valid(value: object, room: int) -> None:
    """Whatever the value, the text is JSON and well-formed Unicode."""
    text = as_json(value, max_chars=room)
    assert text.encode().decode() == text
    assert json.dumps(json.loads(text)) != ""


@given(anything, st.integers(0, 200))
def test_the_short_way_writes_what_the_walk_writes(value: object, room: int) -> None:
    """Short plain data is not walked, and its text is the same as if it were."""
    assert as_json(value, max_chars=room) == well_formed(_Walk(room).json(value, 0))


def test_a_value_that_fails_when_it_is_looked_at_costs_itself() -> None:
    """What stands beside it is captured."""

    def refuse(_: object) -> None:
        raise RuntimeError("no")

    hostile = type("Hostile", (), {"__class__": property(refuse)})
    name = f"<{__name__}.Hostile>"
    assert json.loads(as_json({"a": 1, "b": hostile(), "c": [2]})) == {"a": 1, "b": name, "c": [2]}


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1])
def test_the_depth_is_bounded_alike(depth: int) -> None:
    """Lists in lists are cut at the same depth by both ways."""
    nested: list[Any] = ["x"]
    for _ in range(depth):
        nested = [nested]
    assert ("<cut>" in as_json(nested)) == (depth >= MAX_DEPTH)


def test_without_the_encoder_in_c_the_text_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that has none, or another one, writes in the way that every interpreter knows."""
    value = {"é": [1, 2.5, None, True, "x"], "y": ()}
    expected = as_json(value)
    for absent in (None, lambda: None):
        with monkeypatch.context() as patch:
            patch.setattr(json.encoder, "c_make_encoder", absent)
            write = _capture._plain_writer()
        assert write(value) == expected

"""What a claim knows of another: whether both may be of one model."""

from __future__ import annotations

from dataclasses import replace

import pytest
from collector.settle.test_bounds import claim

ONE = [
    ("claude-3-5-sonnet", "anthropic/claude-3.5-sonnet"),
    ("claude-sonnet-4.5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("gpt-4.1", "gpt-4.1-2025-04-14"),
    ("gpt-4", "gpt-4-0613"),
    ("command-r", "command-r-08-2024"),
    ("gemini-2.5-pro", "gemini-2.5-pro-preview-05-06"),
    ("llama3.1", "llama3.1:8b"),
]
TWO = [
    ("gpt-4", "gpt-4.1"),
    ("gpt-5", "gpt-5-1-2025-11-13"),
    ("claude-sonnet-4", "claude-sonnet-4-5-20250929"),
    ("claude-sonnet-4", "anthropic/claude-sonnet-4.5"),
    ("claude-3", "claude-3.5-sonnet"),
    ("gpt-4", "gpt-4-32k"),
    ("gemini-2.5-flash", "gemini-2.5-flash-lite-preview-09-2025"),
]


def same(one: str, other: str) -> bool:
    """Whether two calls of models of those names may be one."""
    return replace(claim(1), models=(one, "")).same_model(replace(claim(2), models=("", other)))


@pytest.mark.parametrize(("one", "other"), ONE)
def test_two_spellings_are_one_model(one: str, other: str) -> None:
    """A version is written with a dash or a point, and a date, a size's tag or a route may stand with it."""
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(("one", "other"), TWO)
def test_another_version_or_size_is_another_model(one: str, other: str) -> None:
    """However it is written."""
    assert not same(one, other)
    assert not same(other, one)

"""Chat messages as JSON text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline._capture import as_json
from sightline._messages import Said, input_json, input_messages, output_json, output_message
from sightline.providers.piece import ToolPiece

contents = (
    st.none() | st.text(max_size=50) | st.lists(st.text(max_size=5) | st.just({"type": "image"}), max_size=2)
)
calls = st.none() | st.just([{"id": "c", "function": {"name": "f", "arguments": "{}"}}])
messages = st.lists(
    st.text(max_size=5)
    | st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool", "", None]) | st.text(max_size=5)},
        optional={"content": contents, "tool_calls": calls, "tool_call_id": st.text(max_size=3)},
    ),
    max_size=5,
)
choices = st.lists(
    st.builds(
        Said,
        st.text(max_size=50),
        st.just(()) | st.just([ToolPiece(0, "c", "f", "{}")]),
        st.none() | st.sampled_from(["stop", ""]),
        st.just("") | st.text(max_size=9),
    ),
    max_size=3,
)


@given(messages | st.text(max_size=9) | st.none())
def test_what_was_sent_has_one_spelling(sent: Any) -> None:
    """Plain words are written in a shorter way, to the same text as everything else."""
    assert input_json(sent) == as_json(input_messages(sent))


@given(choices)
def test_what_came_back_has_one_spelling(came: Any) -> None:
    """The same for answers."""
    assert output_json(came) == as_json([output_message(said) for said in came])


@pytest.mark.parametrize(
    "sent", [[{"role": "user", "content": "x" * 100_000}], [{"role": "user", "content": "x"}] * 9_999]
)
def test_long_conversations_are_cut(sent: Any) -> None:
    """Neither one endless message nor endless messages make an endless attribute."""
    assert "<cut" in input_json(sent)
    assert len(input_json(sent)) < 100_000

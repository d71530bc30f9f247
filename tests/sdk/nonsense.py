"""Any JSON, made of the words that providers use: near to what is known, and wrong."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from sdk.conversations import CONVERSATIONS
from sdk.embeddings import EMBEDDED
from sdk.tool_calls import TOOL_CALLS

# Words of requests; those of answers are taken from the conversations.
_ASKED = (
    "tool_call_id images inlineData fileData url source image_url toolResult functionResponse cachePoint "
    "tools functionDeclarations toolSpec inputSchema parameters parts summary image json document file_id "
    "chunk bytes"
)
_BLOCKS = "image image_url tool_result function_call_output input_text file document reasoning ping error"


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    for inner in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    ):
        yield from _pairs(inner)


_SAID = [
    *[[case.whole, case.events] for case in CONVERSATIONS.values()],
    *[[case.whole, case.events] for case in TOOL_CALLS.values()],
    *[case[0] for case in EMBEDDED.values()],
]
_KEYS = sorted({key for key, _ in _pairs(_SAID)} | set(_ASKED.split()))
_KINDS = sorted({value for key, value in _pairs(_SAID) if key == "type"} | set(_BLOCKS.split()))

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(_KINDS)
)
documents = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=5)
        | st.builds(
            lambda kind, more: {**more, "type": kind},
            st.sampled_from(_KINDS),
            st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
        )
    ),
    max_leaves=20,
)

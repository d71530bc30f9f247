"""Sightline at its defaults: instrumentations are looked for, contents are masked, costs are computed.

SIGHTLINE_BENCH_CONTENT=full leaves contents as they are, as all others do.
"""

from __future__ import annotations

import os
from typing import cast

from tests.bench.sdk_peer_step import (
    MODEL,
    PROVIDER,
    SESSION,
    USER,
    Completion,
    Messages,
    Observed,
    Sink,
    complete,
)

import sightline
from sightline._runtime import Content


def start(sink: Sink) -> Observed:
    """Set it up, and observe."""
    sightline.init("shop", sink.url, cast(Content, os.environ.get("SIGHTLINE_BENCH_CONTENT", "masked")))

    @sightline.llm(provider=PROVIDER, model=MODEL)
    def ask(messages: Messages) -> Completion:
        return complete(messages)

    return Observed(ask, sightline.flush, lambda: sightline.context(user_id=USER, session_id=SESSION))

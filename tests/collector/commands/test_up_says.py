"""What `sightline up` tells to type works when it is typed."""

from __future__ import annotations

import pytest

from sightline_collector.commands.up import EXAMPLE, example


@pytest.mark.parametrize(
    ("scheme", "host", "port", "address"),
    [
        ("http", "127.0.0.1", 4319, ""),
        ("http", "127.0.0.1", 25319, " --url http://127.0.0.1:25319"),
        ("https", "0.0.0.0", 4319, " --url https://127.0.0.1:4319"),
    ],
)
def test_the_question_names_another_port(scheme: str, host: str, port: int, address: str) -> None:
    """The address is said where it is not the one that is asked by itself."""
    assert example(scheme, host, port) == EXAMPLE + address

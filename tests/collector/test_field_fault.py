"""A wrong setting is told as it was typed, in the program's own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from sightline_collector.config import load
from sightline_collector.errors import BadConfiguration


@pytest.mark.parametrize(
    ("flag", "value", "says"),
    [
        ("otlp_http_port", "70000", "--otlp-http-port (from a flag): must be at most 65535"),
        ("otlp_http_port", "many", "--otlp-http-port (from a flag): must be a whole number"),
        ("log_gb", "0", "--log-gb (from a flag): must be above 0"),
        ("host", "here", "--host (from a flag): must be an IP address or localhost"),
    ],
)
def test_a_wrong_flag_is_named_as_it_was_typed(tmp_path: Path, flag: str, value: str, says: str) -> None:
    """The flag, where it came from, and what it may be."""
    (tmp_path / "none.toml").write_text("")
    with pytest.raises(BadConfiguration) as refused:
        load({flag: value}, {}, tmp_path / "none.toml")
    assert refused.value.message == says

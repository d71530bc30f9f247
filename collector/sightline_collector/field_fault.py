"""What is wrong with one field that somebody set, in the words of the rest of the program. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SAID = {
    "less_than_equal": "must be at most {le}",
    "less_than": "must be below {lt}",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be above {gt}",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "decimal_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_parsing": "must be yes or no",
    "missing": "is missing",
    "extra_forbidden": "is no field",
}
"""By the kind of a fault of pydantic's; what is not here it says itself."""


def plainly(fault: Mapping[str, Any]) -> str:
    """The fault without its field's name, such as "must be at most 65535"."""
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    said = SAID.get(fault["type"])
    bounds = {name: str(bound).removesuffix(".0") for name, bound in fault.get("ctx", {}).items()}
    return said.format(**bounds) if said else str(fault["msg"])

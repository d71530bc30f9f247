"""What a judging function asks for, read from its signature once, when it is made an evaluator."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Final

_ITSELF: Final = ("self", "cls")


def parameters(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """What a function asks for by name; None when it takes anything."""
    known = _signature(function)
    if known is None:  # some builtins have none to show
        return ("input", "output")
    if any(each.kind is each.VAR_KEYWORD for each in known):
        return None
    return tuple(each.name for each in known if each.kind is not each.VAR_POSITIONAL)


def fault_of(function: Callable[..., Any]) -> str | None:
    """Why no answer could be given to this function, and what to do; None when it can be called."""
    known = _signature(function) or ()
    if known and known[0].name in _ITSELF:
        return f"it has a parameter {known[0].name!r}; decorate a function, or a bound method"
    by_name = any(each.name == "output" or each.kind is each.VAR_KEYWORD for each in known)
    if by_name and any(each.kind is each.POSITIONAL_ONLY for each in known):
        return "its arguments are given by name; take the '/' out of its signature"
    first = [each for each in known if each.kind is not each.VAR_POSITIONAL][:2]
    if not by_name and any(each.kind is each.KEYWORD_ONLY for each in first):
        return "input and output come first, by place; name one of its parameters 'output'"
    return None


def _signature(function: Callable[..., Any]) -> Sequence[inspect.Parameter] | None:
    try:
        return tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None

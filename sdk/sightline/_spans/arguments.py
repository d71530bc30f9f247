"""Which argument is which, without the cost of `inspect.Signature.bind` at each call."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Signature:
    """The names of a function's positional parameters; `skip` drops a method's own object.

    `more` is the name of `**more` where a keyword in it may have a positional parameter's name, else ''.
    """

    names: tuple[str, ...]
    rest: str
    skip: int
    more: str = ""

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "Signature":
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):  # some builtins have none to show
            parameters = []
        names = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
        rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "args")
        more = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), "")
        hidden = any(p.kind is p.POSITIONAL_ONLY for p in parameters)
        is_method = (
            bool(names) and names[0] in ("self", "cls") and "." in getattr(function, "__qualname__", "")
        )
        return cls(names, rest, 1 if is_method else 0, more if hidden else "")

    def named(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of one call by name; defaults that were not given are left out."""
        if self.skip:
            named = dict(zip(self.names[self.skip :], args[self.skip :], strict=False))
        else:
            named = dict(zip(self.names, args, strict=False))
        if len(args) > len(self.names):
            named[self.rest] = args[len(self.names) :]
        if self.more and not named.keys().isdisjoint(kwargs):
            named[self.more] = dict(kwargs)
        else:
            named.update(kwargs)
        return named

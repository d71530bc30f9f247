"""What a middleware is told once, and checked then."""

import fnmatch
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from sightline.errors import ConfigurationError

# Asked with the ASGI scope, the WSGI environ or Django's HttpRequest; None when the request does not say.
Reader = Callable[[Any], object]
Trust = Literal["trace", True, False]


class Asked(TypedDict, total=False):
    """The keyword arguments of every middleware; `Options` says what each does."""

    user: Reader | None
    session: Reader | None
    feature: str | Reader | Literal[False] | None
    exclude: str | Iterable[str]
    trust_incoming: Trust
    query: bool
    route: Reader | None


@dataclass(frozen=True, slots=True)
class Options:
    """`user` and `session` tell from a request whose it is: `header("x-user-id")`, `cookie("sid")`, or any
    function of the scope, environ or HttpRequest; what only the application knows is said by `identify()`.

    `feature` is what cost is counted by: the route's template, unless a name or a function says it; False
    for none. `exclude` are shell patterns of paths that get no span, such as "/health*". With `query`, the
    query string is recorded, without the values of what looks like a secret.

    `trust_incoming` is whom the headers may speak for. "trace", the default: the caller's trace is continued,
    but who the user is, and whether to record, is not the caller's to say. True, behind a gateway of your
    own: everything of `propagation.headers()` counts. False, for the open internet: a new trace begins, which
    links to the caller's.

    `route` is for frameworks whose routes are not known here: a function of the scope or environ, asked once
    the request was routed, that answers the template.

    Raises ConfigurationError when an option cannot be used.
    """

    user: Reader | None = None
    session: Reader | None = None
    feature: str | Reader | Literal[False] | None = None
    exclude: str | Iterable[str] = ()
    trust_incoming: Trust = "trace"
    query: bool = False
    route: Reader | None = None
    _excluded: re.Pattern[str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.trust_incoming not in ("trace", True, False):
            raise ConfigurationError(
                f'trust_incoming is {self.trust_incoming!r}; it may be "trace", True or False'
            )
        for name in ("user", "session", "route"):
            reader = getattr(self, name)
            if reader is not None and not callable(reader):
                raise ConfigurationError(
                    f"{name} is {reader!r}; give a function of the request"
                    + (", header(...) or cookie(...)" if name != "route" else "")
                )
        patterns = [self.exclude] if isinstance(self.exclude, str) else list(self.exclude)
        if patterns:
            together = "|".join(fnmatch.translate(pattern) for pattern in patterns)
            object.__setattr__(self, "_excluded", re.compile(together))

    def excludes(self, path: str) -> bool:
        """Whether requests for this path get no span."""
        return self._excluded is not None and self._excluded.match(path) is not None

"""Things that are known only when a foreign span has already ended.

A stream that is dropped unread is finished by the garbage collector: its instrumentation ends the span as
failed, before we could add what we saw. Whoever watches such a span leaves its findings here, and the
processor asks for them when the span ends. Held weakly: a watcher that is gone is forgotten.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol
from weakref import WeakValueDictionary


class Watcher(Protocol):
    """Somebody who watched a span's work from outside."""

    def findings(self) -> Mapping[str, Any] | None:
        """Attributes to add to a span that ended without our doing, and its failure taken back; or None."""
        ...


watchers: Final[WeakValueDictionary[int, Watcher]] = WeakValueDictionary()  # by span id

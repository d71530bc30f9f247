"""What must be made anew in a forked child: threads are gone, locks may be held, sockets are shared."""

import os
import threading
import weakref
from collections.abc import Callable
from typing import Final

# Held while a thread of ours imports something: a child forked in the middle of an import inherits that
# module's lock, held by a thread that it does not have, and its first own import of it never ends.
importing: Final = threading.RLock()


def reset_in_child(method: Callable[[], None]) -> None:
    """Call this bound method in every forked child, as long as its object lives."""
    if not hasattr(os, "register_at_fork"):
        return
    reference = weakref.WeakMethod(method)

    def reset() -> None:
        alive = reference()
        if alive is not None:
            alive()

    os.register_at_fork(after_in_child=reset)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=importing.acquire, after_in_parent=importing.release, after_in_child=importing.release
    )

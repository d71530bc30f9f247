"""What must be made anew in a forked child: threads are gone, locks may be held, sockets are shared."""

import os
import weakref
from collections.abc import Callable


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

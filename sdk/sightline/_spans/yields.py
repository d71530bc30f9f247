"""What a stream yielded, as far as its span keeps it: whole, or a beginning that says what was cut."""

import sys
from typing import Final

from sightline._capture import MAX_CHARS

MAX_ITEMS: Final = 1_000  # of what is no text: more than that no reader looks at
MAX_BYTES: Final = 512 * 1024  # an answer of some nine thousand tokens; a hundred streams fit any program
_SHOWN_CHARS: Final = MAX_CHARS - 64  # leaves room to say how much was cut


class Yields:
    """Holds on to at most `MAX_BYTES`, as `sys.getsizeof` counts them two levels deep."""

    __slots__ = ("_bytes", "_cut_chars", "_cut_items", "_items", "_textual")

    def __init__(self) -> None:
        self._items: list[object] = []
        self._textual = True
        self._bytes = self._cut_items = self._cut_chars = 0

    def add(self, item: object) -> None:
        """Once something was cut, all that follows is: a beginning has no gaps."""
        textual = type(item) is str
        self._textual = self._textual and textual
        full = not self._textual and len(self._items) >= MAX_ITEMS
        if not self.is_cut and not full:
            self._bytes += _size(item)
            if self._bytes <= MAX_BYTES:
                self._items.append(item)
                return
        self._cut_items += 1
        self._cut_chars += len(item) if isinstance(item, str) else 0

    @property
    def is_cut(self) -> bool:
        return self._cut_items > 0

    def result(self) -> object:
        """The text of texts, else the list of things; where it was cut, that is its last word."""
        if not self._textual:
            return [*self._items, f"<cut {self._cut_items}>"] if self.is_cut else self._items
        text = "".join(map(str, self._items))
        if not self.is_cut:
            return text
        shown = text[:_SHOWN_CHARS]
        return f"{shown}<cut {len(text) - len(shown) + self._cut_chars}>"


def _size(item: object) -> int:
    """In bytes, as far as it is cheap to say; 0 of what fails to say it."""
    try:
        size = sys.getsizeof(item)
        if type(item) is dict:
            return size + sum(map(sys.getsizeof, item.values()))
        if type(item) is list or type(item) is tuple:
            return size + sum(map(sys.getsizeof, item))
    except Exception:  # `__sizeof__` may be the user's code
        return 0
    return size

"""Masks one span or log record: its texts, wherever they are, with placeholders and a time of its own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sightline._capture import well_formed
from sightline._safety import record_fault
from sightline.masking._kinds import Kind
from sightline.masking._search import PLACEHOLDER, Placeholders, Search
from sightline.masking._secret_names import is_secret_name

NOT_MASKED: Final = "[WITHHELD: masking failed]"
TOO_LONG: Final = "[WITHHELD: masking took too long]"
_DEPTH_MAX: Final = 32  # of lists and maps in each other
_NS_PER_MS: Final = 1_000_000
_CREDENTIAL: Final = Kind("SECRET", "", ())


class _OutOfTime(Exception):  # noqa: N818  # it is no error: what is left is withheld
    pass


class Masker:
    """`suspects` are the kinds that the texts may hold; they are looked for in each."""

    __slots__ = ("_cap_ns", "_deadline_ns", "_functions", "_now_ns", "_placeholders", "_search", "suspects")

    def __init__(
        self,
        search: Search,
        functions: Sequence[Callable[[str], str]],
        time_cap_ms: float,
        now_ns: Callable[[], int],
    ) -> None:
        self._search, self._functions = search, functions
        self._cap_ns, self._now_ns = round(time_cap_ms * _NS_PER_MS), now_ns
        self._deadline_ns: int | None = None
        self._placeholders = Placeholders()
        self.suspects: Sequence[Kind] = ()

    def value(self, value: Any, depth: int = 0) -> Any:
        """The value with every text in it masked, maps' keys too."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, bytes):
            return self._bytes(value)
        if depth >= _DEPTH_MAX:
            return NOT_MASKED
        if isinstance(value, list | tuple):
            return [self.value(item, depth + 1) for item in value]
        if isinstance(value, Mapping):
            return {
                self.value(key, depth + 1): (
                    self.secret(item)
                    if isinstance(key, str) and is_secret_name(key)
                    else self.value(item, depth + 1)
                )
                for key, item in value.items()
            }
        return NOT_MASKED

    def text(self, text: str) -> str:
        """The text as it may leave; fails closed."""
        try:
            return self._masked(well_formed(text))
        except _OutOfTime:
            return TOO_LONG
        except Exception as error:
            record_fault("masked", error)
            return NOT_MASKED

    def secret(self, value: Any) -> Any:
        """A placeholder for what its name says is a secret."""
        if value is None or isinstance(value, bool) or value == "":
            return value
        if isinstance(value, list | tuple):
            return [self.secret(item) for item in value]
        if isinstance(value, Mapping):
            return {key: self.secret(item) for key, item in value.items()}
        text = well_formed(str(value))
        return text if PLACEHOLDER.fullmatch(text) else self._placeholders.of(_CREDENTIAL, text)

    def _masked(self, text: str) -> str:
        if self.suspects:
            text = self._search.masked(text, self.suspects, self._placeholders, self._check_time)
        for function in self._functions:
            self._check_time()
            text = function(text)
            if not isinstance(text, str):
                raise TypeError(f"{function!r} returned {type(text).__name__}, not a text")
        if self._functions:
            self._check_time()
        return text

    def _bytes(self, value: bytes) -> bytes | str:
        text = value.decode("latin-1")
        masked = self.text(text)
        return value if masked == text else masked.encode("latin-1", "replace")

    def _check_time(self) -> None:
        now_ns = self._now_ns()
        if self._deadline_ns is None:
            self._deadline_ns = now_ns + self._cap_ns
        elif now_ns > self._deadline_ns:
            raise _OutOfTime

"""What may leave the process, said once: `sightline.init(content=Privacy(...))`.

    "full"     as it is
    "masked"   secrets and personal data replaced by typed, numbered placeholders: [EMAIL_1]   (the default)
    "hashed"   replaced by its hash and length: equal texts can be told, but not read
    "off"      left out

The mode decides over content: prompts, answers, arguments, results, errors' words, log lines and the texts
in their fields. What else a span says is masked in every mode but "full", events' names and log fields'
names, too. Labels of scores, feedback and outcomes are no content, for questions are asked by them: they are
masked. Names of spans and of their attributes, and the resource (OTEL_RESOURCE_ATTRIBUTES), are the
program's own and leave as they are.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from sightline._runtime import CONTENT_MODES, Content
from sightline.errors import ConfigurationError

SECRETS: Final = frozenset({"PRIVATE_KEY", "JWT", "SECRET", "TOKEN", "PASSWORD"})
PERSONAL: Final = frozenset(
    {
        "EMAIL", "CARD", "IBAN", "PHONE", "US_SSN", "UK_NINO", "DE_TAX_ID", "FR_NIR", "ES_DNI",
        "IT_FISCAL_CODE", "NL_BSN", "PL_PESEL", "BR_CPF", "IN_AADHAAR",
    }
)  # fmt: skip
OPTIONAL: Final = frozenset({"IP_ADDRESS"})  # looks like a version, so it is masked by choice only
DEFAULT_KINDS: Final = SECRETS | PERSONAL

# Beside attributes' names, these may be given a mode of their own.
LOG_BODY: Final = "log.body"
STATUS_MESSAGE: Final = "status.message"

TIME_CAP_MS: Final = 1_000.0  # a megabyte of text takes a tenth of it: who needs more has a slow function

Masker = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Privacy:
    """What `init(content=)` takes beside a mode's name. Raises ConfigurationError when it cannot be meant.

    content        the mode for all content
    attributes     modes for attributes by name, also for those that are no content; `name*` is every name
                   that begins so. An exact name wins over a beginning, the longer beginning over the shorter
    maskers        your own functions, text to text, run after the built-in ones on each text that is masked.
                   What one of them fails on is withheld, and counted as a fault
    kinds          the built-in kinds to look for
    time_cap_ms    for one span. What is not masked by then is withheld. A function that is running cannot be
                   interrupted: the time is looked at between texts, kinds and functions
    hash_key       makes hashes HMACs (SHA-256): without it, a hash can be found by trying likely texts
    hash_user_ids  user ids leave as HMACs, the same ones from every process with this key
    """

    content: Content = "masked"
    attributes: Mapping[str, Content] = field(default_factory=dict)
    maskers: tuple[Masker, ...] = ()
    kinds: Collection[str] = DEFAULT_KINDS
    time_cap_ms: float = TIME_CAP_MS
    hash_key: str | bytes | None = field(default=None, repr=False)
    hash_user_ids: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.attributes, Mapping):
            raise ConfigurationError("attributes must be a map of names to modes")
        for what, mode in {"content": self.content, **self.attributes}.items():
            if mode not in CONTENT_MODES:
                raise ConfigurationError(f"{what} is {mode!r}; it may be one of {', '.join(CONTENT_MODES)}")
        known, given = DEFAULT_KINDS | OPTIONAL, _names(self.kinds)
        if given is None or not given <= known:
            named = repr(self.kinds) if given is None else ", ".join(sorted(map(str, given - known)))
            raise ConfigurationError(f"kinds is {named}; it may be some of {', '.join(sorted(known))}")
        if not isinstance(self.maskers, tuple | list) or not all(map(callable, self.maskers)):
            raise ConfigurationError("maskers must be a tuple of functions that take a text and return one")
        if not isinstance(self.time_cap_ms, int | float) or not self.time_cap_ms > 0:
            raise ConfigurationError(f"time_cap_ms is {self.time_cap_ms!r}; it must be above 0")
        if not isinstance(self.hash_key, str | bytes | None):
            raise ConfigurationError("hash_key must be a text or bytes")
        if self.hash_user_ids and not self.hash_key:
            raise ConfigurationError(
                "hash_user_ids needs a hash_key: without one, user ids are found by hashing all there are"
            )

    @property
    def captures(self) -> bool:
        """Whether any content is wanted at all."""
        return self.content != "off" or any(mode != "off" for mode in self.attributes.values())

    def mode_of(self, name: str) -> Content | None:
        """The mode that was given to this name, or to the longest beginning of it."""
        if name in self.attributes:
            return self.attributes[name]
        begins = [key for key in self.attributes if key.endswith("*") and name.startswith(key[:-1])]
        return self.attributes[max(begins, key=len)] if begins else None


def _names(kinds: object) -> set[object] | None:
    """The names in a collection; None for what is none."""
    return set(kinds) if isinstance(kinds, tuple | list | set | frozenset) else None

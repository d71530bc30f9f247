"""The names of secrets, once: of attributes, headers, query parameters, and of fields in texts. Pure.

Parts of patterns, whose letters match in any case; `[_-]?` also stands between the words of camelCase.
"""

import re
from typing import Final

PASSWORDS: Final = "password(?:[_-]?confirmation)?|passwd|passphrase|pwd"
SECRETS: Final = (
    "api[_-]?key|access[_-]?key|secret[_-]?key|account[_-]?key|private[_-]?key|signing[_-]?key"
    "|subscription[_-]key|secret|access[_-]?token|refresh[_-]?token|auth[_-]?token|id[_-]?token"
    "|security[_-]?token|api[_-]?token|session[_-]?token|bearer[_-]?token|set-cookie|cookie"
)
HEADERS: Final = "(?:proxy[_-])?authorization"
COMMON: Final = "token|pass"  # a language model's tokens and a test's passes have these names, too
IN_ADDRESSES: Final = "key|token|sig|signature"  # elsewhere these words are too common

_FIELD: Final = re.compile(
    rf"(?:^|[._ -]|(?<=[a-z0-9])(?=[A-Z]))(?i:{PASSWORDS}|{SECRETS}|{HEADERS})$"
    r"|(?:^|[_-])(?i:pass)$|^(?i:(?:x-)?token)$"
)
# In a query more is taken for a secret: a code logs somebody in, and nobody misses it.
_PARAMETER: Final = re.compile(
    rf"(?i:{PASSWORDS}|{SECRETS}|{HEADERS}|token|signature|auth(?!or(?!iz))|session|credential"
    r"|(?<!mon)(?<!tur)(?<!don)key(?!word|board)|(?<!com)pass(?!enger|age)|(?<!zip)(?<!post)code(?!c))"
    r"|(?:^|[^A-Za-z]|(?<=[a-z])(?=[A-Z]))(?i:sig)(?![a-z])"
)


def is_secret_name(name: str) -> bool:
    """Whether a field, an attribute or a header of this name holds a secret, whatever it looks like."""
    return _FIELD.search(name) is not None


def is_secret_parameter(name: str) -> bool:
    """Whether the value of this parameter of a query may let somebody in."""
    return _PARAMETER.search(name) is not None

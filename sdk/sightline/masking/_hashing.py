"""Texts and user ids as hashes: equal ones stay equal, and what they were cannot be read.

    content   [SHA256:1f825aa2f0020ef7:11]   the first 16 hex digits, and the text's length in characters
              [HMAC:5b0f7ac1d2e94d3c:11]     with a key; the same from every process that has it
    user id   9c3b...                        32 hex digits of an HMAC, always with a key

Without a key, a short or likely text can be found by hashing all such texts. A key's two uses have domains
of their own, so that a user id in a prompt is not recognised by its hash.
"""

import hashlib
import hmac
from typing import Final

from sightline._capture import as_json

_CONTENT_HEX: Final = 16  # 64 bits: enough to tell texts apart, billions of them
_USER_HEX: Final = 32


class Hasher:
    """Hashes with one key, or with none."""

    def __init__(self, key: str | bytes | None) -> None:
        self._key = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key

    def content(self, value: object) -> str:
        """A text's placeholder; any other value's is that of its JSON."""
        text = value if isinstance(value, str) else as_json(value)
        data = text.encode("utf-8", "surrogatepass")
        if self._key:
            return f"[HMAC:{self._hmac(b'sightline.content', data)[:_CONTENT_HEX]}:{len(text)}]"
        return f"[SHA256:{hashlib.sha256(data).hexdigest()[:_CONTENT_HEX]}:{len(text)}]"

    def user_id(self, value: object) -> str:
        """Raises ValueError without a key."""
        if not self._key:
            raise ValueError("user ids are hashed with a key only")
        return self._hmac(b"sightline.user", str(value).encode("utf-8", "surrogatepass"))[:_USER_HEX]

    def _hmac(self, domain: bytes, data: bytes) -> str:
        return hmac.new(self._key or b"", domain + b"\0" + data, hashlib.sha256).hexdigest()

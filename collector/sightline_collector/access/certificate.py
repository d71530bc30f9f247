"""Where a certificate lies, and how long it holds."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
# RFC 5280: Validity is a sequence of two times, each UTCTime (17) or GeneralizedTime (18).
_VALIDITY = re.compile(rb"\x30.(?:\x17\x0d|\x18\x0f)\d+Z(?:\x17\x0d|\x18\x0f)(\d+)Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Files:
    """PEM files. `client_ca`: who signs the certificates that clients must show; None asks for none."""

    cert: Path
    key: Path
    client_ca: Path | None = None


def expires_at(pem: bytes) -> float | None:
    """The end of the first certificate, in seconds since 1970; None when there is none to be read."""
    found = _PEM.search(pem)
    try:
        validity = _VALIDITY.search(ssl.PEM_cert_to_DER_cert(found[0].decode("ascii"))) if found else None
        if validity is None:
            return None
        said = validity[1].decode("ascii")
        century = "" if len(said) == len("20260131235959") else "20" if said[0] < "5" else "19"
        return datetime.strptime(century + said, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None

"""The certificate that all ports show, and whose certificates they ask for. Renewed without a new start.

A certificate and its key are two files, replaced one after the other: they are read once, and what was read
is tried together before any of it is used; until it fits the old ones stay. A new authority for clients is
added; to end one, start anew.

::

    files --read once--> bytes --private copies--> a context to try --> the HTTP ports' context
                           └─────────────────────────────────────────> gRPC
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
import structlog
from prometheus_client import CollectorRegistry, Gauge

from sightline_collector.access.certificate import Files, expires_at
from sightline_collector.errors import BadConfiguration

_OPENED = Path("/proc/self/fd")

log = structlog.get_logger(__name__)


_Pem = tuple[bytes, bytes, bytes | None]
"""The certificate, its key, and who signs clients' certificates."""


class Tls:
    """One certificate for every port. `refresh` from one thread at a time."""

    def __init__(self, files: Files) -> None:
        """Reads the files. Raises BadConfiguration."""
        self._files = files
        self._seen = self._marks()
        self._pem = _read(files)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.set_alpn_protocols(["h2", "http/1.1"])
        _load(self.context, files, self._pem)
        self._changed = False

    @property
    def files(self) -> Files:
        """Where it lies."""
        return self._files

    @property
    def expires_at(self) -> float | None:
        """When the certificate that is shown ends, in seconds since 1970; None when that cannot be read."""
        return expires_at(self._pem[0])

    def measure(self, registry: CollectorRegistry) -> None:
        """Shows when it ends, 0 when that cannot be read."""
        ends = Gauge(
            "sightline_tls_expires_timestamp_seconds", "When the certificate ends", registry=registry
        )
        ends.set_function(lambda: self.expires_at or 0.0)

    def credentials(self) -> Any:
        """For gRPC, which asks at each handshake whether there is something new."""
        required = self._files.client_ca is not None
        return grpc.dynamic_ssl_server_credentials(self._configuration(), self._fetch, required)

    def refresh(self) -> bool:
        """Takes new files, if they fit together; says so once when they do not. True when it took them."""
        marks = self._marks()
        if marks == self._seen:
            return False
        self._seen = marks
        try:
            pem = _read(self._files)
            _load(self.context, self._files, pem)
        except BadConfiguration as e:
            log.error("the certificate stays as it was", error=e.message)
            return False
        self._pem = pem
        self._changed = True
        log.info("certificate read", path=str(self._files.cert))
        return True

    def _fetch(self) -> Any:
        changed, self._changed = self._changed, False
        return self._configuration() if changed else None

    def _configuration(self) -> Any:
        cert, key, client_ca = self._pem
        return grpc.ssl_server_certificate_configuration([(key, cert)], root_certificates=client_ca)

    def _marks(self) -> list[tuple[int, int] | None]:
        marks: list[tuple[int, int] | None] = []
        for path in (self._files.cert, self._files.key, self._files.client_ca):
            try:
                stat = path.stat() if path else None
            except OSError:
                stat = None
            marks.append((stat.st_ino, stat.st_mtime_ns) if stat else None)
        return marks


def _load(context: ssl.SSLContext, files: Files, pem: _Pem) -> None:
    """Into a new context first: half a pair would shut the ports. Raises BadConfiguration, having changed
    nothing."""
    with _copied(pem) as copies:
        for each in (ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), context):
            _load_copies(each, files, copies)


@contextmanager
def _copied(pem: _Pem) -> Iterator[Files]:
    """Files of what was read, which nobody else replaces or reads: OpenSSL takes keys from files alone."""
    try:
        with ExitStack() as opened:
            cert, key, client_ca = (Path(opened.enter_context(_copy(content or b""))) for content in pem)
            yield Files(cert, key, client_ca if pem[2] is not None else None)
    except OSError as e:
        raise BadConfiguration(
            f"the certificate cannot be copied to try it ({e.strerror})", hint="make room in $TMPDIR"
        ) from None


@contextmanager
def _copy(content: bytes) -> Iterator[str]:
    """A file in memory where there are such, so that no disk has the key; else one that we alone read."""
    in_memory = hasattr(os, "memfd_create") and _OPENED.is_dir()
    with open(os.memfd_create("pem"), "wb") if in_memory else tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield str(_OPENED / str(file.fileno())) if in_memory else file.name


def _load_copies(context: ssl.SSLContext, files: Files, copies: Files) -> None:
    try:
        # An encrypted key would be asked for on the terminal; this says no for it.
        context.load_cert_chain(copies.cert, copies.key, password=lambda: b"")
    except (OSError, ssl.SSLError, ValueError) as e:
        raise BadConfiguration(
            f"{files.cert} and {files.key} are no certificate and its key ({_why(e)})",
            hint="give PEM files that fit together, the key not encrypted: --tls-cert, --tls-key",
        ) from None
    if copies.client_ca:
        try:
            context.load_verify_locations(copies.client_ca)
        except (OSError, ssl.SSLError) as e:
            raise BadConfiguration(
                f"{files.client_ca} holds no certificates ({_why(e)})",
                hint="give a PEM file: --tls-client-ca",
            ) from None
        context.verify_mode = ssl.CERT_REQUIRED


def _read(files: Files) -> _Pem:
    try:
        client_ca = files.client_ca.read_bytes() if files.client_ca else None
        return files.cert.read_bytes(), files.key.read_bytes(), client_ca
    except OSError as e:
        raise BadConfiguration(f"{e.filename} cannot be read ({e.strerror})", hint="see --tls-cert") from None


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "not PEM"
    return getattr(error, "strerror", None) or "the key is encrypted"

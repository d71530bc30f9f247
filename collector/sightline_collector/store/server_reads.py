"""Questions forwarded to a ClickHouse server over HTTP, each with readonly=1.

A connection of its own beside clickhouse-connect's: its answers keep their bytes and their headers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError

from sightline_collector.errors import StoreUnreachable
from sightline_collector.sql.cluster import READ_SETTINGS
from sightline_collector.store.reads import Question, Summary, refusal_of
from sightline_collector.store.url import StoreUrl

READ_BYTES = 1 << 18
CONNECT_S = 5.0
SILENCE_S = 90.0
"""Longer than any statement may run: after that the server, not the statement, is at fault."""

LOCKED = {"readonly": "1", "cancel_http_readonly_queries_on_client_close": "1", "wait_end_of_query": "0"}


class ServerReads:
    """Read-only access to a ClickHouse server."""

    def __init__(self, url: StoreUrl) -> None:
        self._store = url
        scheme = "https" if url.secure else "http"
        self._address = f"{scheme}://{url.host}:{url.port}/"
        self._headers = {"X-ClickHouse-User": url.user, "X-ClickHouse-Key": url.password}
        timeout = urllib3.Timeout(connect=CONNECT_S, read=SILENCE_S)
        self._pool = urllib3.PoolManager(maxsize=4, timeout=timeout, retries=False)

    def text(self, sql: str, parameters: Mapping[str, str] | None = None) -> str:
        """The answer as unescaped text, without the last line's end. Raises StoreRefused."""
        stream = self.stream(Question(sql, "TSVRaw", "", parameters=parameters or {}))
        try:
            return b"".join(iter(stream.read, b"")).decode(errors="replace").removesuffix("\n")
        finally:
            stream.close()

    def single_read(self, sql: str) -> bool:
        """True: a server takes one statement a request, and its tree says whether it reads."""
        return True

    def stream(self, question: Question) -> ServerStream:
        """Begin to answer. Raises StoreRefused, StoreUnreachable."""
        shards = READ_SETTINGS if self._store.cluster else {}
        url = {**LOCKED, **shards, **question.settings, "database": self._store.database}
        url |= {f"param_{name}": value for name, value in question.parameters.items()}
        url["default_format"] = question.format
        try:
            response = self._pool.request(
                "POST",
                f"{self._address}?{urlencode(url)}",
                body=question.sql.encode(),
                headers=self._headers,
                preload_content=False,
            )
            if response.status != 200:
                raise refusal_of(response.data.decode(errors="replace"))
        except HTTPError as e:
            raise self._unreachable(e) from None
        return ServerStream(response)

    def _unreachable(self, error: Exception) -> StoreUnreachable:
        return StoreUnreachable(
            f"the store at {self._store} does not answer ({str(error)[:200]})", hint="start it"
        )


class ServerStream:
    """A response on its way."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    @property
    def summary(self) -> Summary:
        """What the server had counted when it began to answer."""
        said = json.loads(self._response.headers.get("X-ClickHouse-Summary") or "{}")
        names = ("read_rows", "read_bytes", "result_rows", "elapsed_ns")
        return Summary(*(int(said.get(name, 0)) for name in names))

    def read(self) -> bytes:
        """The next bytes, b"" after the last. Raises StoreUnreachable."""
        try:
            return self._response.read1(READ_BYTES) or b""
        except HTTPError as e:
            raise StoreUnreachable(f"the store stopped answering ({e})", hint="ask again") from None

    def close(self) -> None:
        """Close the connection: a server stops a reading statement whose client went away."""
        self._response.close()

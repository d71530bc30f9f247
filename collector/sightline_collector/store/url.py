"""The one address of the store: embedded engine or ClickHouse server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from sightline_collector.errors import BadConfiguration

DEFAULT_DATABASE = "sightline"
FORMS = (
    "use chdb:///absolute/path, chdb:relative/path, "
    "clickhouse://user:password@host:8123/database or clickhouses://… for TLS"
)


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """Where spans are kept. `path` is set for the embedded engine, `host` for a server."""

    path: Path | None
    host: str
    port: int
    user: str
    password: str
    database: str
    secure: bool

    def __str__(self) -> str:
        """The address without its password: fit for logs."""
        if self.path is not None:
            return f"chdb://{self.path}"
        return f"clickhouse{'s' if self.secure else ''}://{self.user}@{self.host}:{self.port}/{self.database}"


def parse_store_url(text: str) -> StoreUrl:
    """Read a store's address. Raises BadConfiguration, which names the forms it can have."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as e:
        raise BadConfiguration(f"the store's address cannot be read ({e})", hint=FORMS) from None
    if parts.scheme == "chdb":
        return _embedded(parts)
    if parts.scheme not in ("clickhouse", "clickhouses"):
        raise BadConfiguration(f"{_shown(parts)!r} is no address of a store", hint=FORMS)
    if not parts.hostname:
        raise BadConfiguration("the store's address names no host", hint=FORMS)
    secure = parts.scheme == "clickhouses"
    return StoreUrl(
        path=None,
        host=parts.hostname,
        port=port or (8443 if secure else 8123),
        user=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        database=_database(parts.path.strip("/")),
        secure=secure,
    )


def _shown(parts: SplitResult) -> str:
    """An address that is none, without what could be a password."""
    return f"{parts.scheme}://…" if parts.netloc else f"{parts.scheme}:…" if parts.scheme else parts.path


def _embedded(parts: SplitResult) -> StoreUrl:
    path = parts.netloc + parts.path
    if not path or parts.query:
        raise BadConfiguration("the embedded store's address needs a folder and nothing after it", hint=FORMS)
    return StoreUrl(Path(unquote(path)).absolute(), "", 0, "", "", DEFAULT_DATABASE, False)


def _database(name: str) -> str:
    if not name:
        return DEFAULT_DATABASE
    if not name.replace("_", "a").isalnum() or not name.isascii():
        raise BadConfiguration(
            f"the database name {name!r} may hold only letters, digits and underscores", hint=FORMS
        )
    return name

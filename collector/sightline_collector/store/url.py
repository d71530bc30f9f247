"""The one address of the store: embedded engine or ClickHouse server."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from sightline_collector.errors import BadConfiguration

DEFAULT_DATABASE = "sightline"
FORMS = (
    "use chdb:///absolute/path, chdb:relative/path, "
    "clickhouse://user:password@host:8123/database or clickhouses://… for TLS; "
    "?cluster=NAME behind it for a cluster of servers"
)
ESCAPED = "In a password / is %2F, # is %23, ? is %3F, @ is %40"


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """Where spans are kept. `path` is set for the embedded engine, `host` for a server, and `cluster` for one
    of many: '' for a server of its own."""

    path: Path | None
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    secure: bool
    cluster: str = ""

    def __str__(self) -> str:
        """The address without its password: fit for logs."""
        if self.path is not None:
            return f"chdb://{self.path}"
        scheme, cluster = "clickhouses" if self.secure else "clickhouse", f"?cluster={self.cluster}"
        address = f"{scheme}://{self.user}@{self.host}:{self.port}/{self.database}"
        return address + (cluster if self.cluster else "")


def parse_store_url(text: str) -> StoreUrl:
    """Read a store's address. Raises BadConfiguration, which names the forms it can have."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        # What the parser says of it may quote the password.
        raise BadConfiguration(
            "the store's address cannot be read: its port or its host is none", hint=f"{FORMS}. {ESCAPED}"
        ) from None
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
        database=checked_name("database", parts.path.strip("/")) or DEFAULT_DATABASE,
        secure=secure,
        cluster=_cluster(parts.query),
    )


def _shown(parts: SplitResult) -> str:
    """An address that is none, without what could be a password."""
    return f"{parts.scheme}://…" if parts.netloc else f"{parts.scheme}:…" if parts.scheme else parts.path


def _embedded(parts: SplitResult) -> StoreUrl:
    path = parts.netloc + parts.path
    if not path or parts.query:
        raise BadConfiguration("the embedded store's address needs a folder and nothing after it", hint=FORMS)
    return StoreUrl(Path(unquote(path)).absolute(), "", 0, "", "", DEFAULT_DATABASE, False)


def _cluster(query: str) -> str:
    try:
        asked = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True)) if query else {}
    except ValueError:
        asked = {"": ""}
    if asked.keys() - {"cluster"}:
        raise BadConfiguration("the store's address says something else than ?cluster=NAME", hint=FORMS)
    return checked_name("cluster", asked.get("cluster", ""))


def checked_name(what: str, name: str) -> str:
    """As it stands in statements. Raises BadConfiguration."""
    if name and (not name.replace("_", "a").isalnum() or not name.isascii()):
        raise BadConfiguration(
            f"the {what} name {name!r} may hold only letters, digits and underscores", hint=FORMS
        )
    return name

"""What a store's address may be."""

from pathlib import Path

import pytest

from sightline_collector.errors import BadConfiguration
from sightline_collector.store.url import parse_store_url


def test_an_absolute_folder_is_the_embedded_engine() -> None:
    """chdb:///path opens the embedded engine there."""
    url = parse_store_url("chdb:///var/lib/sightline")
    assert url.path == Path("/var/lib/sightline")
    assert url.database == "sightline"


def test_a_relative_folder_is_relative_to_where_we_are() -> None:
    """chdb:./name lies below the working directory."""
    assert parse_store_url("chdb:./sightline-data").path == Path.cwd() / "sightline-data"


def test_a_server_has_user_password_port_and_database() -> None:
    """Everything a server needs stands in its address; escapes are undone."""
    url = parse_store_url("clickhouse://ann:p%40ss@db.example:8124/llm")
    assert (url.host, url.port, url.user, url.password, url.database, url.secure) == (
        "db.example", 8124, "ann", "p@ss", "llm", False,
    )  # fmt: skip


def test_tls_has_its_own_scheme_and_port() -> None:
    """clickhouses:// means TLS and port 8443."""
    url = parse_store_url("clickhouses://db.example")
    assert (url.port, url.secure, url.user) == (8443, True, "default")


def test_a_cluster_has_a_name() -> None:
    """What is behind a question mark says that the server is one of many."""
    url = parse_store_url("clickhouse://db.example/llm?cluster=prod")
    assert (url.database, url.cluster) == ("llm", "prod")
    assert str(url) == "clickhouse://default@db.example:8123/llm?cluster=prod"


def test_the_password_is_never_shown() -> None:
    """An address as text has no password."""
    url = parse_store_url("clickhouse://ann:secret@db.example/llm")
    assert "secret" not in f"{url} {url!r}"


@pytest.mark.parametrize("mark", ["#", "?", "/"])
def test_a_password_that_is_not_escaped_is_refused_without_it(mark: str) -> None:
    """A mark of addresses within it cuts it off; the error says how to write it."""
    with pytest.raises(BadConfiguration, match="%2F") as refused:
        parse_store_url(f"clickhouse://ann:s3cret{mark}word@host/db")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sightline-data",
        "mysql://host",
        "clickhouse://",
        "chdb:",
        "clickhouse://h:99999",
        "clickhouse://h/a;b",
        "clickhouse://h/a?cluster=a;b",
        "clickhouse://h/a?timeout=1",
        "clickhouse://h/a?cluster",
    ],
)
def test_what_is_no_address_is_refused_with_the_forms_it_may_have(text: str) -> None:
    """A wrong address says which forms there are."""
    with pytest.raises(BadConfiguration, match="chdb:///absolute/path"):
        parse_store_url(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("garbage", "'garbage'"), ("mysql://ann:s3cret@host/db", "'mysql://…'"), ("ann:s3cret@host", "'ann:…'")],
)
def test_what_is_no_address_is_named_without_secrets(text: str, shown: str) -> None:
    """The error quotes as much of the address as cannot hold a password."""
    with pytest.raises(BadConfiguration) as refused:
        parse_store_url(text)
    assert refused.value.message == f"{shown} is no address of a store"

"""Pages of other sites, in a browser on this machine, are kept out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from collector.gateway.serving import Port, serving

from sightline_collector.gateway.guard import is_trusted
from sightline_collector.store.engine import Engine

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def named(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """A port that may be called by a name of its own."""
    with serving(engine, tmp_path_factory.mktemp("named"), hosts=frozenset({"Traces.example.com"})) as opened:
        yield opened


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:4319", "[::1]:4319", "10.1.2.3", "localhost", "LOCALHOST:1", "a.localhost:4319"],
)
def test_addresses_and_localhost_are_trusted(host: str) -> None:
    """A name that no foreign page can claim."""
    assert is_trusted(host, frozenset())


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:4319", "localhost.evil.example", "127.0.0.1.evil.example",
     "xlocalhost", "localhost:4319:x", "[::1", "0x7f000001", "2130706433", "127.1"],
)  # fmt: skip
def test_names_are_not(host: str) -> None:
    """Any other name could be pointed at this machine."""
    assert not is_trusted(host, frozenset())


@pytest.mark.parametrize("path", ["/", "/ping", "/metrics", "/api/status"])
def test_a_foreign_host_is_misdirected(port: Port, path: str) -> None:
    """421, whatever is asked."""
    assert port.client.get(path, headers={"Host": "evil.example"}).status_code == 421
    assert port.client.post("/", content="select 1", headers={"Host": "evil.example"}).status_code == 421


def test_a_configured_name_is_trusted(named: Port) -> None:
    """Behind a proxy the port has a name."""
    assert named.client.get("/ping", headers={"Host": "traces.example.com"}).status_code == 200
    assert named.client.get("/ping", headers={"Host": "other.example.com"}).status_code == 421


def test_a_foreign_origin_is_refused(port: Port) -> None:
    """A page of another site may send a request, but gets no answer."""
    for origin in ("https://evil.example", "null", f"http://127.0.0.1:{port.number + 1}"):
        answer = port.client.post("/", content="select 1", headers={"Origin": origin})
        assert answer.status_code == 403, origin
    same = port.client.post("/", content="select 1", headers={"Origin": port.url})
    assert same.text == "1\n"


def test_a_foreign_page_cannot_load_an_answer(port: Port) -> None:
    """As an image or a script, without an Origin; a link that a person follows is fine."""
    asked = {"query": "select 1"}
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert port.client.get("/", params=asked, headers=foreign).status_code == 403
    assert port.client.get("/", params=asked, headers=followed).status_code == 200


def test_changes_must_be_json(port: Port) -> None:
    """A form of another site cannot send JSON."""
    assert port.client.post("/api/flush").status_code == 415
    assert port.client.post("/api/flush", headers={"Content-Type": "text/plain"}).status_code == 415
    assert port.client.post("/api/flush", headers=JSON).status_code == 200


@pytest.mark.parametrize("sql", ["select '<script>'", "selec '<script>'", "select '<script>' format XML"])
def test_answers_are_never_taken_for_pages(port: Port, sql: str) -> None:
    """What strangers wrote is shown as text: no media type of a page, and no guessing."""
    answer = port.ask(sql)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["content-type"].partition(";")[0] in ("text/plain", "text/tab-separated-values")

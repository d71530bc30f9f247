"""Budgets and alerts over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import SimpleQueue

import pytest
from collector.gateway.serving import Port
from served import served

JSON = {"Content-Type": "application/json"}

# Apprise looks for a module of the standard library that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")


@pytest.fixture
def channel() -> Iterator[tuple[str, SimpleQueue[bytes]]]:
    """A webhook, and what it was told."""
    told: SimpleQueue[bytes] = SimpleQueue()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with served(HTTPServer(("127.0.0.1", 0), Hook)) as address:
        yield f"json://{address}/", told


def test_a_budget_is_set_listed_and_removed(port: Port) -> None:
    """Setting gives the id that it is listed and removed by, and the limit that it replaces."""
    for usd, replaced in (("20", None), ("50", "20")):
        body = {"limit_usd": usd, "per": "day", "feature": "support"}
        made = port.client.post("/api/budgets", json=body)
        assert (made.status_code, made.json()) == (
            201,
            {"id": "day:feature=support", "replaced_limit_usd": replaced, "channels": []},
        )
    listed = port.client.get("/api/budgets").json()["budgets"]
    assert [(row["budget"], float(row["limit_usd"])) for row in listed] == [("day:feature=support", 50.0)]
    gone = port.client.delete("/api/budgets/day:feature=support", headers=JSON)
    assert gone.json() == {"removed": "day:feature=support"}
    assert port.client.get("/api/budgets").json() == {"budgets": []}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "limit_usd"),
        ({"limit_usd": -1}, "limit_usd"),
        ({"limit_usd": 1, "per": "year"}, "per"),
        ({"limit_usd": 1, "nosuch": 1}, "nosuch"),
        ({"limit_usd": 1, "notify": ["nosuch://x"]}, "no address"),
        ([], "no JSON object"),
    ],
)
def test_a_budget_that_cannot_be_is_refused(port: Port, body: object, said: str) -> None:
    """400, and what is wrong with which field."""
    answer = port.client.post("/api/budgets", content=json.dumps(body), headers=JSON)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_broken_and_large_bodies_are_refused(port: Port) -> None:
    """What is no JSON, or far too long, is not read further."""
    assert port.client.post("/api/budgets", content="{", headers=JSON).status_code == 400
    assert port.client.post("/api/budgets", content="x" * 100_000, headers=JSON).status_code == 400


def test_a_budget_that_is_none_is_not_removed(port: Port) -> None:
    """400, with those there are."""
    answer = port.client.delete("/api/budgets/nosuch", headers=JSON)
    assert answer.status_code == 400
    assert "nosuch" in answer.json()["error"]
    assert answer.json()["hint"]


def test_alerts_are_listed(port: Port) -> None:
    """Nothing fires in an empty store."""
    assert port.client.get("/api/alerts").json() == {"alerts": []}


def test_a_channel_is_tried(port: Port, channel: tuple[str, SimpleQueue[bytes]]) -> None:
    """A test message reaches the channel; one that cannot be reached is named."""
    url, told = channel
    assert port.client.post("/api/alerts/test", json={"url": url}).status_code == 200
    assert b"test" in told.get(timeout=10)
    assert port.client.post("/api/alerts/test", json={"url": "json://127.0.0.1:1/"}).status_code == 400
    assert port.client.post("/api/alerts/test", json={}).json() == {"error": "url is missing"}

"""What a container's health check asks, of each kind of port."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from collector.access.test_tls import Authority
from collector.receive.receiving import Receiving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sightline_collector.access.tls import Tls
from sightline_collector.operate.alive import alive
from sightline_collector.receive.serve import serve_http


async def healthy(_: Request) -> Response:
    return PlainTextResponse("alive\n")


@pytest.mark.parametrize("kind", ["plain", "TLS", "a client's certificate is wanted"])
def test_a_living_port_is_told(tmp_path: Path, kind: str) -> None:
    """Whatever it speaks; without the certificate of its authority, and without a key."""
    authority = Authority(tmp_path)
    files = replace(authority.files, client_ca=tmp_path / "ca.pem" if "wanted" in kind else None)
    app = Starlette(routes=[Route("/healthz", healthy)])
    with Receiving(tmp_path / "log") as receiving:
        tls = None if kind == "plain" else Tls(files)
        serving = receiving.run(serve_http(app, "SQL", "127.0.0.1", 0, tls=tls))
        assert alive(serving.port)
        receiving.run(serving.stop(0))
        assert not alive(serving.port)


def test_the_command_gives_an_exit_code() -> None:
    """1 where nothing listens: the port is SIGHTLINE_HTTP_PORT."""
    command = [sys.executable, "-m", "sightline_collector.operate.alive"]
    ended = subprocess.run(command, env={"SIGHTLINE_HTTP_PORT": "1"}, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_the_image_asks_so() -> None:
    """The Dockerfile's health check is this command."""
    dockerfile = Path(__file__).parents[3] / "deploy" / "Dockerfile"
    assert 'CMD ["python", "-m", "sightline_collector.operate.alive"]' in dockerfile.read_text()

"""Ports are tried before anything is opened."""

from __future__ import annotations

import socket

import pytest

from sightline_collector.commands.ports import LISTENERS, check_ports
from sightline_collector.config import Config
from sightline_collector.errors import PortTaken

FREE = {"otlp_grpc_port": 0, "otlp_http_port": 0, "http_port": 0}


def configured(**settings: int | str) -> Config:
    """A collector on any free ports, but for those given."""
    return Config.model_validate(FREE | settings)


@pytest.mark.parametrize("setting", LISTENERS)
def test_a_taken_port_is_named_with_its_flag(setting: str) -> None:
    """The message says who cannot listen and where, the hint who has the port and how to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = configured(**{setting: port})
        with pytest.raises(PortTaken) as caught:
            check_ports(config)
    said = f"{LISTENERS[setting]} cannot listen on 127.0.0.1:{port}: Address already in use"
    assert caught.value.message == said
    assert f"`ss -ltnp sport = :{port}`" in caught.value.hint
    assert f"--{setting.replace('_', '-')} (or SIGHTLINE_{setting.upper()} " in caught.value.hint


def test_free_ports_are_left_free() -> None:
    """What was tried can be bound right after, also where a connection has just been closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            listener.accept()[0].close()
    check_ports(configured(http_port=port))
    with socket.create_server(("127.0.0.1", port)) as bound:
        assert bound.getsockname()[1] == port


def test_two_listeners_need_two_ports() -> None:
    """One port for two listeners is named with both flags."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(PortTaken, match=f"--otlp-http-port and --http-port are both {port}"):
        check_ports(configured(otlp_http_port=port, http_port=port))


def test_an_address_of_another_machine_is_told_apart() -> None:
    """The hint speaks of --host, for no other port would help."""
    with pytest.raises(PortTaken) as caught:
        check_ports(configured(host="192.0.2.1"))
    assert "--host" in caught.value.hint

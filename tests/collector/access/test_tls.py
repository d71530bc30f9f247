"""TLS on every port: who is believed, who is asked for a certificate, and a renewal while it runs."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
import trustme
from collector.receive.receiving import Receiving
from starlette.applications import Starlette

from sightline_collector.access import tls as tls_module
from sightline_collector.access.certificate import Files
from sightline_collector.access.tls import Tls
from sightline_collector.config import load
from sightline_collector.errors import BadConfiguration
from sightline_collector.receive import serve
from sightline_collector.receive.grpc import SERVICES
from sightline_collector.receive.http import OtlpHttp
from sightline_collector.receive.serve import Serving, serve_grpc, serve_http
from sightline_collector.wal.segment import Signal


class Authority:
    """Signs certificates for 127.0.0.1, and for clients."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = trustme.CA()
        self.ca.cert_pem.write_to_path(folder / "ca.pem")
        self.files = Files(folder / "cert.pem", folder / "key.pem")
        self.renew()

    def renew(self) -> trustme.LeafCert:
        """A new certificate in the old one's place."""
        issued = self.ca.issue_cert("127.0.0.1", "localhost")
        issued.private_key_pem.write_to_path(self.files.key)
        issued.cert_chain_pems[0].write_to_path(self.files.cert)
        return issued

    def trusting(self, client: trustme.LeafCert | None = None) -> ssl.SSLContext:
        """What believes this authority, and shows a client's certificate if there is one."""
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        if client:
            client.configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiving]:
    with Receiving(tmp_path_factory.mktemp("receiving") / "log") as running:
        yield running


def http_port(receiving: Receiving, tls: Tls) -> Serving:
    return receiving.run(serve_http(OtlpHttp(receiving.door), "OTLP/HTTP", "127.0.0.1", 0, tls=tls))


def post(port: int, context: ssl.SSLContext) -> int:
    url = f"https://127.0.0.1:{port}/v1/traces"
    headers = {"content-type": "application/x-protobuf"}
    with httpx.Client(verify=context) as client:
        return client.post(url, content=b"", headers=headers).status_code


def export(port: int, credentials: grpc.ChannelCredentials) -> bytes:
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials) as channel:
        answer: bytes = channel.unary_unary(f"/{SERVICES[Signal.TRACES]}/Export")(b"", timeout=10)
        return answer


def test_each_port_shows_the_certificate_to_who_believes_its_authority(
    receiving: Receiving, authority: Authority
) -> None:
    """OTLP over HTTP and gRPC and the SQL port are encrypted; who speaks plainly gets nothing."""
    tls = Tls(authority.files)
    otlp = http_port(receiving, tls)
    sql = receiving.run(serve_http(Starlette(), "SQL", "127.0.0.1", 0, tls=tls))
    over_grpc = receiving.run(serve_grpc(receiving.door, "OTLP/gRPC", "127.0.0.1", 0, tls))
    try:
        assert (otlp.scheme, sql.scheme) == ("https", "https")
        assert post(otlp.port, authority.trusting()) == 200
        assert httpx.get(f"https://127.0.0.1:{sql.port}/", verify=authority.trusting()).status_code == 404
        assert export(over_grpc.port, grpc.ssl_channel_credentials(authority.ca.cert_pem.bytes())) == b""
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            post(otlp.port, ssl.create_default_context())
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(f"http://127.0.0.1:{otlp.port}/v1/traces", content=b"")
        with grpc.insecure_channel(f"127.0.0.1:{over_grpc.port}") as channel, pytest.raises(grpc.RpcError):
            channel.unary_unary(f"/{SERVICES[Signal.TRACES]}/Export")(b"", timeout=10)
    finally:
        for serving in (otlp, sql, over_grpc):
            receiving.run(serving.stop(0))


def test_with_a_client_authority_only_its_clients_get_in(receiving: Receiving, authority: Authority) -> None:
    """Both doors ask for a certificate that the authority signed; none, or another's, ends the handshake."""
    tls = Tls(Files(authority.files.cert, authority.files.key, authority.folder / "ca.pem"))
    client, stranger = authority.ca.issue_cert("ann@shop"), trustme.CA().issue_cert("eve@shop")
    otlp = http_port(receiving, tls)
    over_grpc = receiving.run(serve_grpc(receiving.door, "OTLP/gRPC", "127.0.0.1", 0, tls))
    root = authority.ca.cert_pem.bytes()
    try:
        assert post(otlp.port, authority.trusting(client)) == 200
        key, chain = client.private_key_pem.bytes(), client.cert_chain_pems[0].bytes()
        assert export(over_grpc.port, grpc.ssl_channel_credentials(root, key, chain)) == b""
        for shown in (None, stranger):
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                post(otlp.port, authority.trusting(shown))
        with pytest.raises(grpc.RpcError) as refused:
            export(over_grpc.port, grpc.ssl_channel_credentials(root))
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    finally:
        receiving.run(otlp.stop(0))
        receiving.run(over_grpc.stop(0))


def served(port: int) -> str:
    return ssl.get_server_certificate(("127.0.0.1", port))


def test_a_renewed_certificate_is_shown_without_a_new_start(
    receiving: Receiving, authority: Authority
) -> None:
    """The next handshake has it, on every port; while the two files do not fit, the old one is shown."""
    tls = Tls(authority.files)
    otlp = http_port(receiving, tls)
    over_grpc = receiving.run(serve_grpc(receiving.door, "OTLP/gRPC", "127.0.0.1", 0, tls))
    ports = (otlp.port, over_grpc.port)
    try:
        old = authority.files.cert.read_text()
        assert [served(port) for port in ports] == [old, old]
        trustme.CA().issue_cert("127.0.0.1").private_key_pem.write_to_path(authority.files.key)
        assert not tls.refresh()
        assert [served(port) for port in ports] == [old, old]
        new = authority.renew().cert_chain_pems[0].bytes().decode()
        assert tls.refresh()
        assert [served(port) for port in ports] == [new, new]
        assert not tls.refresh()
    finally:
        receiving.run(otlp.stop(0))
        receiving.run(over_grpc.stop(0))


def test_files_that_are_replaced_while_they_are_taken_shut_no_port(
    tmp_path: Path, receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read is what is tried and shown; half of a newer pair waits for its other half."""
    authority = Authority(tmp_path)
    tls = Tls(authority.files)
    otlp = http_port(receiving, tls)
    new = authority.renew().cert_chain_pems[0].bytes().decode()
    read = tls_module._read

    def read_and_replace(files: Files) -> object:
        found = read(files)
        trustme.CA().issue_cert("127.0.0.1").private_key_pem.write_to_path(authority.files.key)
        return found

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(tls_module, "_read", read_and_replace)
        assert tls.refresh()
    assert served(otlp.port) == new
    assert not tls.refresh()
    assert served(otlp.port) == new
    receiving.run(otlp.stop(0))


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs files in memory")
def test_a_certificate_is_tried_without_room_on_any_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is its key written to one."""
    authority = Authority(tmp_path)
    monkeypatch.setattr(tls_module, "tempfile", None)
    assert Tls(authority.files).expires_at


@pytest.mark.parametrize("broken", ["cert", "key", "client_ca"])
@pytest.mark.parametrize("content", [None, "", "no PEM"])
def test_files_that_do_not_do_are_no_start(tmp_path: Path, broken: str, content: str | None) -> None:
    """A file that is missing or holds something else is named, with the flag that names it."""
    authority = Authority(tmp_path)
    files = {"cert": tmp_path / "cert.pem", "key": tmp_path / "key.pem", "client_ca": tmp_path / "ca.pem"}
    files[broken].unlink()
    if content is not None:
        files[broken].write_text(content)
    with pytest.raises(BadConfiguration, match=r"\.pem") as refused:
        Tls(Files(authority.files.cert, authority.files.key, files["client_ca"]))
    assert "--tls-" in refused.value.hint


@pytest.mark.parametrize(
    "flags",
    [{"tls_cert": "a"}, {"tls_key": "a"}, {"tls_client_ca": "a"}, {"tls_client_ca": "a", "tls_key": "b"}],
)
def test_half_of_a_certificate_is_refused(flags: dict[str, str]) -> None:
    """A certificate needs its key, and a client authority both."""
    with pytest.raises(BadConfiguration, match="tls_"):
        load(flags, {})


def test_http_2_is_chosen_by_alpn(authority: Authority, receiving: Receiving) -> None:
    """A client that offers both gets HTTP/2, one that offers HTTP/1.1 alone gets that."""
    app = OtlpHttp(receiving.door)
    serving = receiving.run(serve_http(app, "OTLP/HTTP", "127.0.0.1", 0, tls=Tls(authority.files)))
    url = f"https://127.0.0.1:{serving.port}/v1/traces"
    headers = {"content-type": "application/x-protobuf"}
    spoken = []
    for http2 in (True, False):
        with httpx.Client(http2=http2, verify=authority.trusting()) as client:
            answer = client.post(url, content=b"", headers=headers)
            spoken.append((answer.status_code, answer.http_version))
    assert spoken == [(200, "HTTP/2"), (200, "HTTP/1.1")]
    receiving.run(serving.stop(0))


def test_a_handshake_that_does_not_come_is_waited_for_a_bounded_time(
    authority: Authority, receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who connects and says nothing is cut off, before it counts as a connection."""
    monkeypatch.setattr(serve, "_HANDSHAKE_S", 0.2)
    app = OtlpHttp(receiving.door)
    serving = receiving.run(serve_http(app, "OTLP/HTTP", "127.0.0.1", 0, tls=Tls(authority.files)))
    with socket.create_connection(("127.0.0.1", serving.port), timeout=20) as silent:
        assert silent.recv(100) == b""
    receiving.run(serving.stop(0))

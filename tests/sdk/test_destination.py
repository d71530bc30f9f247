"""Where spans and log records go: the program's word, then the signal's variable, then the general one."""

import sys
from typing import Any

import pytest

from sightline import ConfigurationError
from sightline._delivery.destination import Route, destination


@pytest.mark.parametrize(
    ("endpoint", "variables", "traces", "logs"),
    [
        (None, {}, "http://127.0.0.1:4318/v1/traces", "http://127.0.0.1:4318/v1/logs"),
        ("http://h:1", {}, "http://h:1/v1/traces", "http://h:1/v1/logs"),
        ("http://h:1/", {}, "http://h:1/v1/traces", "http://h:1/v1/logs"),
        ("http://h:1/v1/traces", {}, "http://h:1/v1/traces", "http://h:1/v1/logs"),
        (None, {"ENDPOINT": "https://h/otlp"}, "https://h/otlp/v1/traces", "https://h/otlp/v1/logs"),
        (None, {"TRACES_ENDPOINT": "http://h:1/v1/traces"}, "http://h:1/v1/traces", "http://h:1/v1/logs"),
        (None, {"TRACES_ENDPOINT": "http://h:1/t"}, "http://h:1/t", "http://127.0.0.1:4318/v1/logs"),
        (
            None,
            {"ENDPOINT": "http://g", "LOGS_ENDPOINT": "http://h:1/l"},
            "http://g/v1/traces",
            "http://h:1/l",
        ),
        ("http://said", {"TRACES_ENDPOINT": "http://h/t"}, "http://said/v1/traces", "http://said/v1/logs"),
    ],
)
def test_the_address_of_each_signal(
    endpoint: str | None,
    variables: dict[str, str],
    traces: str,
    logs: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A base URL gets the signal's path; a signal's own variable is taken as it is."""
    for name, value in variables.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)
    to = destination(endpoint, {})
    assert (to.traces.url, to.logs.url) == (traces, logs)


@pytest.mark.parametrize(
    ("endpoint", "insecure", "expected"),
    [
        (None, None, True),
        ("http://h:1", None, True),
        ("https://h:1", None, False),
        ("https://h:1", "true", False),
        ("h:1", None, False),
        ("h:1", "true", True),
    ],
)
def test_grpc_is_encrypted_unless_told_otherwise(
    endpoint: str | None, insecure: str | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheme decides, and without one OTEL_EXPORTER_OTLP_INSECURE; on this machine nothing is."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    if insecure:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_INSECURE", insecure)
    to = destination(endpoint, {})
    assert to.traces.insecure is expected
    assert to.traces.url == (endpoint or "http://127.0.0.1:4317")


def test_everything_else_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers add up, the program's win; timeout, compression and files as OpenTelemetry names them."""
    for name, value in {
        "HEADERS": "authorization=Basic%20k,x-a=1",
        "TRACES_TIMEOUT": "2.5",
        "COMPRESSION": "gzip",
        "CERTIFICATE": "/ca.pem",
        "CLIENT_CERTIFICATE": "/c.pem",
        "LOGS_CLIENT_KEY": "/k.pem",
    }.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)
    to = destination(None, {"X-A": "2"})
    assert dict(to.traces.headers) == {"authorization": "Basic k", "x-a": "2"}
    assert (to.traces.timeout_s, to.logs.timeout_s, to.traces.compression) == (2.5, 10.0, "gzip")
    assert (to.traces.authorities, to.traces.certificate, to.traces.key) == ("/ca.pem", "/c.pem", None)
    assert to.logs.key == "/k.pem"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("ENDPOINT", "localhost:4318", "the collector's endpoint is 'localhost:4318'; it must be a URL like"),
        ("ENDPOINT", "http://", "it must be a URL like http://127.0.0.1:4318"),
        ("ENDPOINT", "http://h:notaport", "it must be a URL like http://127.0.0.1:4318"),
        ("ENDPOINT", "http://[::1", "it must be a URL like http://127.0.0.1:4318"),
        ("ENDPOINT", "http://h:1/otlp?key=a", "the collector's endpoint has a query"),
        ("TIMEOUT", "nan", "OTEL_EXPORTER_OTLP_TIMEOUT is 'nan'; it must be a number of seconds"),
        ("TIMEOUT", "inf", "OTEL_EXPORTER_OTLP_TIMEOUT is 'inf'; it must be a number of seconds"),
        ("TIMEOUT", "soon", "OTEL_EXPORTER_OTLP_TIMEOUT is 'soon'; it must be a number of seconds"),
        ("COMPRESSION", "zstd", "OTEL_EXPORTER_OTLP_COMPRESSION is 'zstd'; it may be one of none, gzip"),
        ("PROTOCOL", "http/json", "OTEL_EXPORTER_OTLP_PROTOCOL is 'http/json'; it may be"),
    ],
)
def test_what_cannot_be_used_is_refused(
    variable: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the variable, its value, and what it may be."""
    monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{variable}", value)
    with pytest.raises(ConfigurationError, match=message):
        destination(None, {})


def test_an_address_is_shown_without_its_secrets() -> None:
    """User, password, path and query stay here."""
    assert Route("https://user:hunter2@h:1/otlp?key=hunter2").address == "https://h:1"


@pytest.mark.parametrize("value", ["key\n", "a\r\nb: c", "clé€", 7, None])
def test_a_header_that_cannot_be_sent_is_refused(value: Any) -> None:
    """The error names the header and what it may be, and keeps its value, which may be a key."""
    with pytest.raises(ConfigurationError, match="the value of header 'authorization'") as refused:
        destination("http://h:1", {"Authorization": value})
    assert repr(value).strip("'") not in str(refused.value)


@pytest.mark.parametrize(
    ("protocol", "name"), [("http/protobuf", "x key"), ("http/protobuf", ""), ("grpc", "x!"), ("grpc", "é")]
)
def test_what_is_no_name_of_a_header_is_refused(
    protocol: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, not by every request; gRPC takes fewer names than HTTP."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    with pytest.raises(ConfigurationError, match="is no name of a header: it may hold letters"):
        destination("http://h:1", {name: "1"})


@pytest.mark.parametrize("endpoint", ["http://", "h:notaport", "h:0", "ftp://h:1", "a b:1", "[::1"])
def test_a_grpc_address_that_cannot_be_used_is_refused(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what it may be."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(ConfigurationError, match=r"for gRPC it must be like http://127\.0\.0\.1:4317 or"):
        destination(endpoint, {})


@pytest.mark.parametrize("endpoint", ["h", "h:1", "[::1]:1", "unix:/run/otlp.sock", "dns:///h:1"])
def test_grpc_takes_its_own_kinds_of_addresses(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host, a port, a socket, a name to be looked up."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    assert destination(endpoint, {}).traces.url == endpoint


def test_grpc_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without grpcio, which is an extra, the error says what to install."""
    monkeypatch.setitem(sys.modules, "grpc", None)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(ConfigurationError, match=r"pip install 'sightline\[grpc\]'"):
        destination(None, {})

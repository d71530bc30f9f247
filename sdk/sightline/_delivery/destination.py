"""Where spans and log records go, and how: what the program said, or else the OTEL_EXPORTER_OTLP_* variables.

A variable with the signal's name in it (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) wins over the general one, as
OpenTelemetry's specification of OTLP exporters has it.
"""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final, Literal, cast
from urllib.parse import urlsplit

from opentelemetry.util.re import parse_env_headers

from sightline.errors import ConfigurationError

Protocol = Literal["http/protobuf", "grpc"]
Signal = Literal["traces", "logs"]

DEFAULT_ENDPOINT: Final[Mapping[Protocol, str]] = {
    "http/protobuf": "http://127.0.0.1:4318",
    "grpc": "http://127.0.0.1:4317",
}
TIMEOUT_S: Final = 10.0
# RFC 9110's token; gRPC takes less.
_HTTP_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_GRPC_NAME: Final = re.compile(r"[0-9a-z_.-]+")
_GRPC_SCHEMES: Final = ("dns:", "unix:", "unix-abstract:", "ipv4:", "ipv6:", "vsock:", "xds:")
_COMPRESSIONS: Final = ("none", "gzip", "deflate")


@dataclass(frozen=True, slots=True)
class Route:
    """One signal's way. HTTP posts to the whole URL; gRPC takes its address, and `insecure`."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    timeout_s: float = TIMEOUT_S
    compression: str = "none"
    insecure: bool = True
    authorities: str | None = None  # this and the next two: paths of PEM files
    certificate: str | None = None
    key: str | None = None

    @property
    def address(self) -> str:
        """Scheme, host and port, to be shown: the rest of a URL may hold credentials."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else self.url


@dataclass(frozen=True, slots=True)
class Destination:
    """The collector, a way for each signal."""

    traces: Route
    logs: Route
    protocol: Protocol = "http/protobuf"


def destination(endpoint: str | None, headers: Mapping[str, str]) -> Destination:
    """What `init()` was told, completed by the environment. Raises ConfigurationError."""
    protocol = _protocol()
    return Destination(
        _route("traces", endpoint, headers, protocol), _route("logs", endpoint, headers, protocol), protocol
    )


def _route(signal: Signal, endpoint: str | None, headers: Mapping[str, str], protocol: Protocol) -> Route:
    url = _grpc_url(signal, endpoint) if protocol == "grpc" else _http_url(signal, endpoint)
    known = dict(parse_env_headers(_variable(signal, "HEADERS"), liberal=True))
    known.update((str(name).lower(), value) for name, value in headers.items())
    for name, value in known.items():
        _check_name(name, protocol)
        _check_header(name, value)
    return Route(
        url,
        tuple(known.items()),
        _seconds(signal),
        _compression(signal),
        _insecure(signal, url),
        _variable(signal, "CERTIFICATE") or None,
        _variable(signal, "CLIENT_CERTIFICATE") or None,
        _variable(signal, "CLIENT_KEY") or None,
    )


def _check_name(name: str, protocol: Protocol) -> None:
    if not (_GRPC_NAME if protocol == "grpc" else _HTTP_NAME).fullmatch(name):
        kinds = "letters, digits and -_." if protocol == "grpc" else "letters, digits and !#$%&'*+-.^_`|~"
        raise ConfigurationError(
            f"{name!r} is no name of a header: it may hold {kinds} (init(headers=...) or"
            " OTEL_EXPORTER_OTLP_HEADERS)"
        )


def _check_header(name: str, value: object) -> None:
    """The value is not said: it may be a key."""
    if not isinstance(value, str) or not value.isprintable() or not _encodes(value):
        raise ConfigurationError(
            f"the value of header {name!r} cannot be sent: it must be text in one line, without characters"
            " beyond Latin-1 (init(headers=...) or OTEL_EXPORTER_OTLP_HEADERS); is there a line break at its"
            " end?"
        )


def _encodes(value: str) -> bool:
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _is_usable(url: str) -> bool:
    """Whether it names a server, and nothing that a path could not be put behind."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and " " not in parts.netloc
        return parts.scheme in ("http", "https") and named and parts.port != 0
    except ValueError:  # a port that is no number, brackets that are not closed
        return False


def _variable(signal: Signal, name: str) -> str:
    """The signal's own variable, or the general one; empty when neither is set."""
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}", "").strip()
    return own or os.environ.get(f"OTEL_EXPORTER_OTLP_{name}", "").strip()


def _http_url(signal: Signal, endpoint: str | None) -> str:
    """A collector named for traces only, by its usual path, is also sent the feedback on them."""
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "").strip()
    general = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()
    traces = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "").strip()
    base = endpoint or general or (traces if traces.endswith("/v1/traces") else "")
    if own and not endpoint:
        url, base = own, ""
    else:
        base = (base or DEFAULT_ENDPOINT["http/protobuf"]).rstrip("/").removesuffix("/v1/traces")
        url = f"{base}/v1/{signal}"
    if "?" in base:
        raise ConfigurationError(
            "the collector's endpoint has a query, behind which no path can be put: name whole URLs, in"
            " OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
        )
    if not _is_usable(url):
        raise ConfigurationError(
            f"the collector's endpoint is {endpoint or own or general!r}; it must be a URL like "
            f"{DEFAULT_ENDPOINT['http/protobuf']} (init(endpoint=...) or OTEL_EXPORTER_OTLP_ENDPOINT)"
        )
    return url


def _grpc_url(signal: Signal, endpoint: str | None) -> str:
    url = endpoint or _variable(signal, "ENDPOINT") or DEFAULT_ENDPOINT["grpc"]
    is_name = url.startswith(_GRPC_SCHEMES) and url.isprintable()  # grpc's own, such as unix:/run/otlp.sock
    if not is_name and not _is_usable(url if "://" in url else f"http://{url}"):
        raise ConfigurationError(
            f"the collector's endpoint is {url!r}; for gRPC it must be like {DEFAULT_ENDPOINT['grpc']} or"
            " 127.0.0.1:4317 (init(endpoint=...) or OTEL_EXPORTER_OTLP_ENDPOINT)"
        )
    return url


def _insecure(signal: Signal, url: str) -> bool:
    said = _variable(signal, "INSECURE").lower()
    scheme = urlsplit(url).scheme
    return scheme != "https" and (said == "true" if said else scheme == "http")


def _seconds(signal: Signal) -> float:
    text = _variable(signal, "TIMEOUT")
    try:
        seconds = float(text or TIMEOUT_S)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise ConfigurationError(f"OTEL_EXPORTER_OTLP_TIMEOUT is {text!r}; it must be a number of seconds")
    return seconds


def _compression(signal: Signal) -> str:
    said = _variable(signal, "COMPRESSION").lower() or "none"
    if said not in _COMPRESSIONS:
        raise ConfigurationError(
            f"OTEL_EXPORTER_OTLP_COMPRESSION is {said!r}; it may be one of {', '.join(_COMPRESSIONS)}"
        )
    return said


def _protocol() -> Protocol:
    variables = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    for variable in variables:
        protocol = os.environ.get(variable, "").strip()
        if protocol == "grpc" and find_spec("grpc") is None:
            raise ConfigurationError(f"{variable} is 'grpc', which needs: pip install 'sightline[grpc]'")
        if protocol in ("http/protobuf", "grpc"):
            return cast(Protocol, protocol)
        if protocol:
            raise ConfigurationError(f'{variable} is {protocol!r}; it may be "http/protobuf" or "grpc"')
    return "http/protobuf"

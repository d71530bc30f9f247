"""What can be set, with units and defaults; flags win over the environment, that over the file.

sightline up --http-port 5319          a flag
SIGHTLINE_HTTP_PORT=5319               an environment variable
http_port = 5319                       a line of sightline.toml (or --config FILE)
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sightline_collector.access.certificate import Files
from sightline_collector.access.key_file import NAME as KEYS_NAME
from sightline_collector.errors import BadConfiguration
from sightline_collector.field_fault import plainly
from sightline_collector.operate.keeping import Keep, parse_keep
from sightline_collector.receive.limits import DEFAULT
from sightline_collector.store.url import StoreUrl, parse_store_url

DEFAULT_FILE = Path("sightline.toml")
ENVIRONMENT_PREFIX = "SIGHTLINE_"
MISSPELLED = 0.85
"""How like a setting's name another is that means it, 1 being the same. Others are the SDK's, or Kubernetes'
for a service of our name."""

REQUEST_MB_MAX = (DEFAULT.in_flight_bytes >> 20) // 2
"""As received and inflated it is held twice: a larger one would be told to come again for ever."""
REQUESTS_IN_LOG = 4
"""Of the largest, mended text may be three times as long: the log must have room for one."""

Port = Annotated[int, Field(ge=0, le=65535)]


class Config(BaseModel):
    """One collector's settings. Ports of 0 take any free one."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    store: Annotated[
        str, Field(description="where spans are kept: chdb:FOLDER or clickhouse://user:password@host:8123/db")
    ] = "chdb:./sightline-data"
    data: Annotated[
        Path | None, Field(description="folder of the log; the embedded store's own folder when not given")
    ] = None
    host: Annotated[str, Field(description="address to listen on: loopback unless told otherwise")] = (
        "127.0.0.1"
    )
    otlp_grpc_port: Annotated[Port, Field(description="OTLP over gRPC")] = 4317
    otlp_http_port: Annotated[Port, Field(description="OTLP over HTTP")] = 4318
    http_port: Annotated[Port, Field(description="SQL, health and metrics")] = 4319
    segment_age_s: Annotated[
        float, Field(ge=0.05, le=60, description="seconds until what was acknowledged is handed to the store")
    ] = 1.3
    log_gb: Annotated[float, Field(gt=0, description="GB that the log may hold while the store is away")] = 8
    keep_content_days: Annotated[
        Keep | None,
        Field(description="days until prompts and answers are emptied, such as 30 or 30,PROJECT=7"),
    ] = None
    keep_days: Annotated[
        Keep | None,
        Field(description="days until whole rows go, such as 400 or forever,PROJECT=90"),
    ] = None
    store_gb: Annotated[
        float | None,
        Field(gt=0, description="GB that the store may take: beyond, the oldest content goes first"),
    ] = None
    request_mb: Annotated[
        int, Field(ge=1, le=REQUEST_MB_MAX, description="MiB of one request, after inflating")
    ] = 64
    alert_interval_s: Annotated[
        float, Field(ge=0.2, le=3600, description="seconds between looks at budgets and alert rules")
    ] = 30
    alert_rules: Annotated[
        Path | None, Field(description="YAML file of alert rules of one's own, beside those that are shipped")
    ] = None
    settle_interval_s: Annotated[
        float,
        Field(ge=0.2, le=60, description="seconds between settlements of calls that are told twice"),
    ] = 15
    answer_hours: Annotated[
        float,
        Field(ge=1, le=720, description="hours for which an answer is known that a gateway gives again"),
    ] = 24
    notify: Annotated[
        tuple[str, ...],
        Field(
            description="addresses that are told of alerts, with commas between them: slack://…, mailto://…"
        ),
    ] = ()
    keys_file: Annotated[
        Path | None,
        Field(description="file of keys, kept by `sightline key` (keys.json in the data folder)"),
    ] = None
    tls_cert: Annotated[Path | None, Field(description="PEM file: the certificate all ports show")] = None
    tls_key: Annotated[Path | None, Field(description="PEM file: the certificate's key")] = None
    tls_client_ca: Annotated[
        Path | None, Field(description="PEM file: who signs the certificates that clients must show")
    ] = None
    open_to_all_i_know: Annotated[
        bool, Field(description="yes: listen beyond loopback without keys: anyone may do anything")
    ] = False
    cors_origins: Annotated[
        tuple[str, ...],
        Field(description="origins whose pages may send OTLP, such as https://*.example.com; commas between"),
    ] = ()
    names: Annotated[
        tuple[str, ...],
        Field(
            description="host names, beside localhost, by which the SQL port may be called; commas between"
        ),
    ] = ()
    log_format: Annotated[
        str, Field(pattern="^(auto|json|text)$", description="of the collector's own log: auto, json or text")
    ] = "auto"

    @field_validator("notify", "names", "cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("keep_content_days", "keep_days", mode="before")
    @classmethod
    def _kept(cls, value: object) -> object:
        return parse_keep(str(value)) if isinstance(value, str | int) else value

    @field_validator("host")
    @classmethod
    def _loopback(cls, host: str) -> str:
        if host == "localhost":
            return host
        try:
            ip_address(host)
        except ValueError:
            raise ValueError("must be an IP address or localhost") from None
        return host

    @model_validator(mode="after")
    def _certified(self) -> Config:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together")
        if self.tls_client_ca and not self.tls_cert:
            raise ValueError("tls_client_ca needs tls_cert and tls_key")
        return self

    @model_validator(mode="after")
    def _one_fits(self) -> Config:
        if self.log_gb * 1e9 < REQUESTS_IN_LOG * (self.request_mb << 20):
            least_gb = REQUESTS_IN_LOG * (self.request_mb << 20) / 1e9
            raise ValueError(f"log_gb must be {least_gb:.3f} or more with request_mb = {self.request_mb}")
        return self

    @property
    def tls_files(self) -> Files | None:
        """The certificate's files; None without TLS."""
        if self.tls_cert is None or self.tls_key is None:
            return None
        return Files(self.tls_cert, self.tls_key, self.tls_client_ca)

    @property
    def store_url(self) -> StoreUrl:
        """The store's address, read. Raises BadConfiguration."""
        return parse_store_url(self.store)

    @property
    def store_folder(self) -> Path | None:
        """Where the embedded engine keeps its files; None for a server."""
        path = self.store_url.path
        return path / "store" if path else None

    @property
    def key_path(self) -> Path:
        """The file of keys, whether there is one or not."""
        return (self.keys_file or self.folder / KEYS_NAME).absolute()

    @property
    def key_note(self) -> Path:
        """Where it is noted, too, that keys were made: their folder may be one where nothing is written."""
        return self.folder / KEYS_NAME

    @property
    def folder(self) -> Path:
        """The folder that holds the log, the dead letters and, when embedded, the engine's files."""
        return (self.data or self.store_url.path or Path("sightline-data")).absolute()


_NAMES = [name.upper() for name in Config.model_fields]


def load(flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None = None) -> Config:
    """Merge file, environment and flags (None is not given) into a checked configuration.

    Raises BadConfiguration that names each wrong setting, where it was set, and what it may be.
    """
    from_file = _read_file(file)
    from_environment = _read_environment(environment)
    from_flags = {name: value for name, value in flags.items() if value is not None}
    try:
        config = Config.model_validate(from_file | from_environment | from_flags)
    except ValidationError as e:
        where = {**dict.fromkeys(from_file, "the file"), **dict.fromkeys(from_environment, "the environment")}
        where |= dict.fromkeys(from_flags, "a flag")
        raise BadConfiguration(_said(e, where), hint="`sightline up --help` lists every setting") from None
    parse_store_url(config.store)
    return config


def _read_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Raises BadConfiguration for a name that is nearly a setting's: it would never be in force."""
    named = {f"{ENVIRONMENT_PREFIX}{name.upper()}": name for name in Config.model_fields}
    found = {named[key]: value for key, value in environment.items() if key in named}
    for key in sorted(environment.keys() - named.keys()):
        close = get_close_matches(key.upper().removeprefix(ENVIRONMENT_PREFIX), _NAMES, 1, MISSPELLED)
        if close and key.upper().startswith(ENVIRONMENT_PREFIX):
            raise BadConfiguration(
                f"{key} in the environment is no setting; did you mean {ENVIRONMENT_PREFIX}{close[0]}?",
                hint="correct it, or unset it",
            )
    return found


def _read_file(file: Path | None) -> dict[str, Any]:
    chosen = file or DEFAULT_FILE
    if file is None and not chosen.exists():
        return {}
    try:
        return tomllib.loads(chosen.read_text("utf8"))
    except OSError as e:
        raise BadConfiguration(f"{chosen} cannot be read ({e.strerror})", hint="check --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise BadConfiguration(f"{chosen} is not TOML ({e})", hint="write `name = value` lines") from None


def _said(error: ValidationError, where: Mapping[str, str]) -> str:
    faults = []
    for fault in error.errors():
        name = str(fault["loc"][0]) if fault["loc"] else "configuration"
        if fault["type"] == "extra_forbidden":
            close = get_close_matches(name, Config.model_fields, n=1)
            faults.append(f"unknown setting {name}" + (f"; did you mean {close[0]}?" if close else ""))
            continue
        source = where.get(name, "the file")
        as_typed = "--" + name.replace("_", "-") if source == "a flag" else name
        faults.append(f"{as_typed} (from {source}): {plainly(fault)}")
    return "; ".join(faults)

"""What deploy/ says agrees with the program that it deploys."""

import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from sightline_collector.commands.schema import statements
from sightline_collector.config import ENVIRONMENT_PREFIX, Config
from sightline_collector.health import Health
from sightline_collector.operate import alive
from sightline_collector.receive.fullness import Fullness
from sightline_collector.receive.limits import Limits
from sightline_collector.sql import cluster
from sightline_collector.sql.catalog import Catalog
from sightline_collector.store.url import parse_store_url

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
PORTS = {Config().otlp_grpc_port, Config().otlp_http_port, Config().http_port}


def loaded(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text())


COMPOSE = loaded("compose.yaml")
SERVICES = COMPOSE["services"]


def default_of(text: str) -> str:
    """Compose's ${NAME:-default} with nothing set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def test_every_yaml_file_parses() -> None:
    """No file here is a text that only looks like YAML."""
    files = [*DEPLOY.rglob("*.yaml")]
    assert len(files) >= 4
    assert all(isinstance(yaml.safe_load(file.read_text()), dict) for file in files)


def test_every_published_port_is_on_loopback_only() -> None:
    """Compose's collector asks nobody for a key: whoever publishes it further does so knowingly."""
    published = chain.from_iterable(service.get("ports", ()) for service in SERVICES.values())
    assert {port.rsplit(":", 2)[0] for port in published} == {"127.0.0.1"}


def test_the_published_ports_are_those_that_the_collector_listens_on() -> None:
    """Compose and image know the defaults that the configuration has."""
    inside = {int(port.rsplit(":", 1)[1]) for port in SERVICES["sightline"]["ports"]}
    exposed = {int(port) for port in re.search(r"^EXPOSE (.+)$", DOCKERFILE, re.M)[1].split()}  # type: ignore[index]
    assert inside == exposed == PORTS


def test_the_store_address_names_the_clickhouse_service_and_its_user() -> None:
    """Compose's address is one that the collector can read."""
    url = parse_store_url(default_of(SERVICES["sightline"]["environment"]["SIGHTLINE_STORE"]))
    assert (url.host, url.port, url.user, url.database) == ("clickhouse", 8123, "sightline", "sightline")
    assert url.host in SERVICES
    users = ElementTree.parse(DEPLOY / "clickhouse" / "users.xml").getroot().find("users")  # noqa: S314
    assert users is not None
    password = users.find(f"{url.user}/password")
    assert password is not None
    assert password.get("from_env") == "SIGHTLINE_STORE_PASSWORD"
    assert default_of(SERVICES["clickhouse"]["environment"]["SIGHTLINE_STORE_PASSWORD"]) == url.password


def test_grafana_reads_over_http_as_a_user_who_may_only_read() -> None:
    """The data source and the server agree on the reader, the port and the database."""
    (source,) = loaded("grafana/datasource.yaml")["datasources"]
    settings = source["jsonData"]
    assert (settings["protocol"], settings["host"], settings["port"]) == ("http", "clickhouse", 8123)
    users = ElementTree.parse(DEPLOY / "clickhouse" / "users.xml").getroot()  # noqa: S314
    profile = users.findtext(f"users/{settings['username']}/profile")
    assert users.findtext(f"profiles/{profile}/readonly") == "2"
    assert settings["defaultDatabase"] == "sightline"
    variable = source["secureJsonData"]["password"].removeprefix("$")
    assert SERVICES["grafana"]["environment"][variable] == SERVICES["clickhouse"]["environment"][variable]


def test_the_clickhouse_server_is_the_version_that_the_embedded_engine_is() -> None:
    """What the suite proves on the embedded engine holds for the server of the same version."""
    engine = re.search(r"^chdb-core==(\d+\.\d+)", (ROOT / "constraints.txt").read_text(), re.M)
    assert engine
    assert SERVICES["clickhouse"]["image"] == f"clickhouse/clickhouse-server:{engine[1]}"


def test_every_mounted_or_copied_file_exists() -> None:
    """No container waits for a file that was moved."""
    mounts = chain.from_iterable(service.get("volumes", ()) for service in SERVICES.values())
    files = [DEPLOY / mount.split(":")[0] for mount in mounts if mount.startswith(".")]
    copied = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if re.match(r"COPY (?!--from)", line)]
    files += [ROOT / name for name in chain.from_iterable(copied)]
    assert [file for file in files if not file.exists()] == []
    admitted = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in chain.from_iterable(copied)} <= set(admitted)


def test_every_named_volume_is_declared() -> None:
    """What must outlive a container lies on a volume."""
    mounts = chain.from_iterable(service.get("volumes", ()) for service in SERVICES.values())
    assert {m.split(":")[0] for m in mounts if not m.startswith(".")} == set(COMPOSE["volumes"])


@pytest.mark.parametrize(
    "text", [DOCKERFILE, (DEPLOY / "compose.yaml").read_text(), (DEPLOY / "README.md").read_text()]
)
def test_every_variable_that_is_set_or_named_is_one_of_the_configuration(text: str) -> None:
    """A setting that was renamed does not live on in a file nobody runs."""
    known = {ENVIRONMENT_PREFIX + name.upper() for name in Config.model_fields}
    others = {"SIGHTLINE_STORE_PASSWORD", "SIGHTLINE_READER_PASSWORD"}
    assert set(re.findall(r"SIGHTLINE_[A-Z_]+", text)) <= known | others


def test_the_image_runs_a_command_that_exists_and_not_as_root() -> None:
    """The entry point is the distribution's, and its user has a number that is not 0."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert 'ENTRYPOINT ["sightline"]' in DOCKERFILE
    assert "sightline" in scripts
    assert re.search(r"^USER 10001$", DOCKERFILE, re.M)
    assert 'CMD ["up"]' in DOCKERFILE


def test_the_health_check_asks_the_collector_on_its_own_port() -> None:
    """The image is healthy when the collector says so."""
    module = re.search(r'HEALTHCHECK .*\n +CMD \["python", "-m", "([\w.]+)"\]', DOCKERFILE)
    assert module
    assert module[1] == alive.__name__
    assert Config().http_port == alive.DEFAULT_PORT


def test_neighbours_may_call_the_sql_port_by_the_services_name() -> None:
    """The name that compose gives the collector is one that it answers to."""
    names = SERVICES["sightline"]["environment"]["SIGHTLINE_NAMES"].split(",")
    assert "sightline" in names
    assert "sightline" in SERVICES


def test_every_metric_that_the_runbook_names_is_counted() -> None:
    """Whoever looks for a metric of the runbook finds it."""
    named = set(re.findall(r"`(sightline_\w+)`", (DEPLOY / "README.md").read_text()))
    health = Health()
    Fullness(health.registry, Limits())
    counted = health.exposition().decode()
    assert named
    assert [metric for metric in named if f"# TYPE {metric} " not in counted] == []


def test_containers_get_longer_to_stop_than_the_collector_needs() -> None:
    """Draining ends before the kill comes."""
    from sightline_collector.pipeline import STOP_GRACE_S
    from sightline_collector.store.draining import DRAIN_S

    assert int(SERVICES["sightline"]["stop_grace_period"].removesuffix("s")) > DRAIN_S + STOP_GRACE_S


def test_the_opentelemetry_collector_writes_into_tables_that_exist_and_makes_none() -> None:
    """Its exporter and our schema agree on names; its queue neither drops nor forgets."""
    exporter = loaded("otel-collector.yaml")["exporters"]["clickhouse"]
    relations = {relation.name for relation in Catalog("sightline").derived}
    assert {exporter["traces_table_name"], exporter["logs_table_name"]} <= relations
    assert exporter["create_schema"] is False
    assert exporter["sending_queue"]["block_on_overflow"] is True
    assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s"
    pipelines = loaded("otel-collector.yaml")["service"]["pipelines"]
    assert {name: p["exporters"] for name, p in pipelines.items()} == {
        "traces": ["clickhouse"],
        "logs": ["clickhouse"],
    }


def test_the_clusters_configuration_has_what_the_schema_asks_for() -> None:
    """Each macro that a statement names is there, and an insert goes to one replica of a shard."""
    root = ElementTree.parse(DEPLOY / "clickhouse" / "cluster.xml").getroot()  # noqa: S314
    told = set(re.findall(r"\{(\w+)\}", " ".join(re.findall(r"engine = Replicated.*", said_to_a_cluster()))))
    assert told - {"database", "table"} == {macro.tag for macro in root.iterfind("macros/*")}
    shards = root.findall("remote_servers/sightline/shard")
    assert {shard.findtext("internal_replication") for shard in shards} == {"true"}
    users = ElementTree.parse(DEPLOY / "clickhouse" / "users.xml").getroot()  # noqa: S314
    reader = {each.tag: each.text for each in users.iterfind("profiles/reader/*")}
    assert reader.items() >= cluster.READ_SETTINGS.items()


def said_to_a_cluster() -> str:
    """All statements of the schema."""
    return "\n".join(statements("sightline", "sightline"))

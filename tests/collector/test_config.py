"""Where settings come from, and what is said when they are wrong."""

from pathlib import Path

import pytest

from sightline_collector.config import Config, load
from sightline_collector.errors import BadConfiguration


def test_defaults_need_nothing() -> None:
    """Without any setting a collector listens on loopback and keeps its data below the working directory."""
    config = load({}, {}, None)
    assert config == Config()
    assert config.host == "127.0.0.1"
    assert config.folder == Path.cwd() / "sightline-data"


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    """The nearer setting wins."""
    file = tmp_path / "s.toml"
    file.write_text("http_port = 1\notlp_http_port = 2\notlp_grpc_port = 3\n")
    environment = {"SIGHTLINE_HTTP_PORT": "11", "SIGHTLINE_OTLP_HTTP_PORT": "12", "SIGHTLINE_STRICT": "1"}
    config = load({"http_port": 21, "host": None}, environment, file)
    assert (config.http_port, config.otlp_http_port, config.otlp_grpc_port) == (21, 12, 3)


def test_each_wrong_setting_is_named_with_its_place() -> None:
    """The error lists all that is wrong, and where it was set."""
    with pytest.raises(BadConfiguration) as caught:
        load({"http_port": "many"}, {"SIGHTLINE_SEGMENT_AGE_S": "-1"}, None)
    assert "--http-port (from a flag)" in caught.value.message
    assert "segment_age_s (from the environment)" in caught.value.message


def test_an_unknown_setting_in_the_file_is_refused(tmp_path: Path) -> None:
    """A misspelled name is not ignored: the one that was meant is named, where there is one."""
    file = tmp_path / "s.toml"
    file.write_text("stor = 'chdb:./here'\nwhatever = 1\n")
    with pytest.raises(BadConfiguration) as caught:
        load({}, {}, file)
    assert caught.value.message == "unknown setting stor; did you mean store?; unknown setting whatever"


@pytest.mark.parametrize(
    ("name", "meant"), [("KEEP_DAY", "KEEP_DAYS"), ("STOREGB", "STORE_GB"), ("keep_days", "KEEP_DAYS")]
)
def test_a_name_in_the_environment_that_is_nearly_a_setting_is_refused(name: str, meant: str) -> None:
    """What was misspelled would never be in force; names of others, such as Kubernetes', are left alone."""
    others = {"SIGHTLINE_STRICT": "1", "SIGHTLINE_KEY": "", "SIGHTLINE_CLIENT_CERT": "", "KEEP_DAY": "30"}
    others |= {"SIGHTLINE_PORT": "tcp://10.0.0.1:4317", "SIGHTLINE_SERVICE_PORT_OTLP_HTTP": "4318"}
    assert load({}, others) == Config()
    with pytest.raises(BadConfiguration, match=f"SIGHTLINE_{name} .* did you mean SIGHTLINE_{meant}\\?"):
        load({}, others | {f"SIGHTLINE_{name}": "30"})


@pytest.mark.parametrize("size", ["inf", "nan", "-inf"])
@pytest.mark.parametrize("name", ["log_gb", "store_gb", "segment_age_s"])
def test_a_size_is_a_number(name: str, size: str) -> None:
    """One without an end would be no bound."""
    with pytest.raises(BadConfiguration, match=f"--{name.replace('_', '-')} "):
        load({name: size}, {})


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    """--config with a missing file is an error, not a default."""
    with pytest.raises(BadConfiguration, match="cannot be read"):
        load({}, {}, tmp_path / "none.toml")


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    """The parser's complaint is passed on."""
    file = tmp_path / "s.toml"
    file.write_text("http_port: 1")
    with pytest.raises(BadConfiguration, match="is not TOML"):
        load({}, {}, file)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"request_mb": 129}, "--request-mb (from a flag): must be at most 128"),
        ({"log_gb": 0.01}, "log_gb must be 0.268 or more with request_mb = 64"),
    ],
    ids=["request", "log"],
)
def test_a_request_that_could_never_be_taken_is_not_allowed(flags: dict[str, float], says: str) -> None:
    """Its sender would be told to come again for ever: memory and log have room for the largest one."""
    with pytest.raises(BadConfiguration) as caught:
        load(flags, {}, None)
    assert says in caught.value.message


def test_the_store_is_checked_at_once() -> None:
    """A wrong store address stops before anything is opened."""
    with pytest.raises(BadConfiguration, match="no address of a store"):
        load({"store": "mysql://x"}, {}, None)


def test_a_host_name_is_no_listening_address() -> None:
    """Names may resolve to anything: only addresses and localhost are taken."""
    with pytest.raises(BadConfiguration, match="must be an IP address"):
        load({"host": "example.org"}, {}, None)


def test_lists_are_written_with_commas() -> None:
    """Several addresses or names fit one flag or variable."""
    config = load({"names": "sightline, grafana.example"}, {"SIGHTLINE_NOTIFY": "json://a,slack://b"}, None)
    assert config.names == ("sightline", "grafana.example")
    assert config.notify == ("json://a", "slack://b")

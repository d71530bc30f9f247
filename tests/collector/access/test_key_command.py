"""`sightline key`, and the start that it is asked for."""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from sightline_collector.access import key_file
from sightline_collector.access.exposure import check_exposure
from sightline_collector.access.gate import Gate
from sightline_collector.access.key import is_of
from sightline_collector.access.key_file import Keys
from sightline_collector.cli import main
from sightline_collector.config import load
from sightline_collector.errors import BadConfiguration
from sightline_collector.wal.folder import OWNERS_ONLY


class Shell:
    """Runs the command on one data folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = main(["key", *arguments, "--store", f"chdb:{self.folder}"])
        said = self._capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path / "data", capsys)


def test_the_folder_that_is_made_is_its_owners(key: Shell) -> None:
    """Other users of the machine may not look in: prompts and answers will be there."""
    key("add", "--scope", "ingest")
    assert key.folder.stat().st_mode & 0o777 == OWNERS_ONLY


def test_a_new_key_is_all_that_is_printed(key: Shell) -> None:
    """Standard output is the key alone, once; what it is for is said beside it."""
    code, out, err = key(
        "add", "--scope", "ingest", "--project", "shop", "--spans-per-s", "9", "--name", "till"
    )
    (kept,) = key_file.read(key.folder / "keys.json").keys
    assert (code, is_of(out.strip(), kept), out.count("\n")) == (0, True, 1)
    assert f"The key {kept.id} is for ingest in project shop." in err
    assert "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20KEY" in err
    assert "SIGHTLINE_KEY" not in err
    assert "It is the first: from now on whoever sends or asks needs a key." in err
    assert out.strip() not in err
    assert (kept.project, kept.spans_per_s, kept.bytes_per_day, kept.name) == ("shop", 9.0, None, "till")
    assert out.strip() not in key("list")[1]


def test_the_list_tells_what_each_key_is_for(key: Shell) -> None:
    """A row has the key's digits, state, scopes, project, name, limits, and who made it."""
    assert "There are no keys" in key("list")[1]
    key("add", "--scope", "ingest,read", "--bytes-per-day", "20GB", "--name", "till")
    _, out, err = key("add", "--scope", "admin")
    assert "SIGHTLINE_KEY=KEY" in err
    assert ("OTEL_" in err, "It is the first" in err) == (False, False)
    number = out.split("_")[1]
    key("revoke", number)
    listed = key("list")[1]
    assert re.search(r"active +ingest, read +default +till +20,000,000,000 bytes/day", listed), listed
    assert re.search(rf"{number} +revoked +admin +\*", listed), listed
    assert "2 keys, 1 in force" in listed


def test_a_rotation_prints_the_new_key_and_when_the_old_one_ends(key: Shell) -> None:
    """Both are in force until then."""
    number = key("add", "--scope", "read")[1].split("_")[1]
    code, out, err = key("rotate", number, "--grace-days", "2")
    assert code == 0
    assert out.split("_")[1] != number
    assert f"The key {number} ends in 2 days." in err
    listed = key("list")[1]
    assert "2 keys, 2 in force" in listed
    assert re.search(rf"{number} +until 2\d\d\d-", listed), listed


def test_a_key_that_cannot_be_printed_changes_nothing(key: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has the new one then: the old one holds, and where there was none nobody is shut out."""
    path = key.folder / "keys.json"
    with monkeypatch.context() as closed:
        closed.setattr(sys, "stdout", None)  # as Python has it after `>&-`
        assert key("add", "--scope", "ingest")[0] == 1
    assert not path.exists()
    with open("/dev/full", "w") as full, redirect_stdout(full):
        code, _, err = key("add", "--scope", "ingest")
    assert (code, "nothing is changed" in err) == (1, True)
    assert not Gate(path).shut
    number = key("add", "--scope", "ingest")[1].split("_")[1]
    before = path.read_bytes()
    with open("/dev/full", "w") as full, redirect_stdout(full):
        assert key("rotate", number, "--grace-days", "0")[0] == 1
    assert path.read_bytes() == before
    assert not path.with_suffix(".new").exists()


def test_a_time_that_no_calendar_has_is_listed_as_its_last(key: Shell) -> None:
    """A file that holds one can be read and listed."""
    key("add", "--scope", "ingest")
    path = key.folder / "keys.json"
    (kept,) = key_file.read(path).keys
    key_file.write(path, Keys(keys=(kept.model_copy(update={"expires_at": 10**14}),)))
    assert "until 9999-12-31" in key("list")[1]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("add", "--scope", "write"), "there are ingest, read, admin"),
        (("add", "--scope", ""), "is no scope"),
        (("add", "--scope", "ingest", "--project", "*"), "for one project"),
        (("add", "--scope", "admin", "--project", "shop"), "for all projects"),
        (("add", "--scope", "ingest", "--project", "a b"), "1 to 64"),
        (("add", "--scope", "ingest", "--spans-per-s", "0"), "greater than 0"),
        (("add", "--scope", "ingest", "--spans-per-s", "inf"), "finite number"),
        (("add", "--scope", "ingest", "--days", "0"), "before it is used"),
        (("add", "--scope", "ingest", "--days", "1e9"), "100 years"),
        (("revoke", "00000000"), "there is no key '00000000'"),
    ],
)
def test_what_cannot_be_done_is_said(key: Shell, arguments: tuple[str, ...], why: str) -> None:
    """Code 1, the reason, and nothing printed that looks like a key."""
    code, out, err = key(*arguments)
    assert (code, out) == (1, "")
    assert why in err


def test_beyond_loopback_keys_are_a_condition(tmp_path: Path, key: Shell) -> None:
    """A collector that others can reach does not start without keys, unless it is told that one knows."""
    exposed = {"host": "0.0.0.0", "store": f"chdb:{key.folder}"}
    config = load(exposed, {})
    with pytest.raises(BadConfiguration, match="there is no key") as refused:
        check_exposure(config, Gate(config.key_path))
    assert "sightline key add" in refused.value.hint
    check_exposure(load({**exposed, "open_to_all_i_know": "yes"}, {}), Gate(config.key_path))
    for host in ("127.0.0.1", "::1", "localhost"):
        check_exposure(load({**exposed, "host": host}, {}), Gate(config.key_path))
    key("add", "--scope", "ingest")
    check_exposure(config, Gate(config.key_path))

"""The gate: when a key is asked for, whose it is, and how it learns of changes."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from collector.access.keeping_keys import Kept, bearer

from sightline_collector.access import key_changes, key_file
from sightline_collector.access.allowance import DAY_S
from sightline_collector.access.gate import ANYONE, Gate, token_of
from sightline_collector.access.key import Scope
from sightline_collector.access.key_changes import Wanted
from sightline_collector.access.key_file import Keys
from sightline_collector.errors import BadConfiguration, Forbidden, OverAllowance, Unauthenticated

NO_HEADERS: dict[str, str] = {}


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_without_keys_everyone_may_do_everything(kept: Kept) -> None:
    """As long as no key was made, nobody is asked for one."""
    assert not kept.gate.shut
    assert kept.gate.caller(NO_HEADERS.get, Scope.INGEST) == ANYONE
    assert ANYONE.target == "default"


def test_the_first_key_shuts_the_gate(kept: Kept) -> None:
    """Once there is a key, who has none is refused, and who has it is its project."""
    key, token = kept.add(Scope.INGEST)
    with pytest.raises(Unauthenticated, match="no key with the request"):
        kept.gate.caller(NO_HEADERS.get, Scope.INGEST)
    caller = kept.gate.caller(bearer(token).get, Scope.INGEST)
    assert (caller.key, caller.target, caller.scopes) == (key.id, "shop", frozenset({Scope.INGEST}))


def test_a_gate_stays_shut_when_all_keys_are_revoked_or_gone(kept: Kept) -> None:
    """Neither revoking every key nor taking the file away opens the doors; the latter keeps the keys."""
    key, token = kept.add(Scope.INGEST)
    kept.path.rename(kept.path.with_suffix(".away"))
    assert kept.gate.refresh() == []
    assert kept.gate.caller(bearer(token).get, Scope.INGEST).key == key.id
    assert not kept.gate.readable
    kept.path.with_suffix(".away").rename(kept.path)
    key_file.write(kept.path, key_changes.revoke(key_file.read(kept.path), key.id, int(kept.clock())))
    kept.gate.refresh()
    with pytest.raises(Unauthenticated, match=f"The key {key.id} is revoked"):
        kept.gate.caller(bearer(token).get, Scope.INGEST)
    assert kept.gate.readable


@pytest.mark.parametrize("content", [b"", b"{", b'{"keys": [{}]}', b'{"keys": []}', b"\xff"])
def test_a_damaged_file_changes_nothing_while_it_runs(kept: Kept, content: bytes) -> None:
    """Keys stay as they were known when their file becomes unreadable or empty."""
    _, token = kept.add(Scope.INGEST)
    kept.path.write_bytes(content)
    kept.gate.refresh()
    assert kept.gate.shut
    assert kept.gate.caller(bearer(token).get, Scope.INGEST).target == "shop"


def test_what_could_not_be_read_is_read_again(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when nothing of the file has changed: who may read it, or a passing fault, is no part of it."""

    def refusing(*_: object, **__: object) -> Keys:
        raise BadConfiguration("it cannot be read", hint="mend it")

    key, token = kept.add(Scope.INGEST)
    with monkeypatch.context() as patched:
        patched.setattr(key_file, "read_all", refusing)
        key_file.write(kept.path, key_changes.revoke(key_file.read(kept.path), key.id, int(kept.clock())))
        kept.gate.refresh()
        assert kept.gate.caller(bearer(token).get, Scope.INGEST).key == key.id
    kept.gate.refresh()
    with pytest.raises(Unauthenticated, match=f"The key {key.id} is revoked"):
        kept.gate.caller(bearer(token).get, Scope.INGEST)


@pytest.mark.parametrize("content", [b"{", None], ids=["damaged", "not ours to read"])
def test_a_first_key_that_cannot_be_read_shuts_the_gate(kept: Kept, content: bytes | None) -> None:
    """A file of keys that cannot be read lets nobody in, also where none was known, until it can be."""
    if content is None:
        kept.path.mkdir()  # refuses a read to everyone, also to root
    else:
        kept.path.write_bytes(content)
    kept.gate.refresh()
    assert (kept.gate.shut, kept.gate.readable) == (True, False)
    with pytest.raises(Unauthenticated):
        kept.gate.caller(NO_HEADERS.get, Scope.INGEST)
    kept.path.rename(kept.path.with_suffix(".away"))
    _, token = kept.add(Scope.INGEST)
    assert kept.gate.caller(bearer(token).get, Scope.INGEST).target == "shop"


def test_keys_that_are_gone_are_no_start(kept: Kept) -> None:
    """Where a key was ever made, a file that is gone or empty opens nothing: a new start says what to do."""
    kept.add(Scope.INGEST)
    for empty in (b'{"keys": []}', None):
        kept.path.unlink()
        if empty:
            kept.path.write_bytes(empty)
        with pytest.raises(BadConfiguration, match="keys were made here") as refused:
            Gate(kept.path)
        assert "keys.asked" in refused.value.hint
        kept.path.touch()
    kept.path.unlink()
    kept.path.with_suffix(".asked").unlink()
    assert not Gate(kept.path).shut


def test_keys_that_lay_where_nothing_can_be_written_are_no_start_either(tmp_path: Path) -> None:
    """A collector notes in a folder of its own that there were keys, which it makes for that."""
    mounted = Kept(tmp_path)
    mounted.add(Scope.INGEST)
    note = tmp_path / "data" / "keys.json"
    Gate(mounted.path, noted=note)
    for file in (mounted.path, mounted.path.with_suffix(".asked")):
        file.unlink()
    with pytest.raises(BadConfiguration, match="keys were made here") as refused:
        Gate(mounted.path, noted=note)
    assert str(note.with_suffix(".asked")) in refused.value.hint


def test_whoever_makes_a_key_the_collectors_user_can_read_it(kept: Kept) -> None:
    """What root makes in another user's folder is that user's: the gate would shut on what it cannot read."""
    if os.geteuid() == 0:
        os.chown(kept.path.parent, 1234, 1234)
    kept.add(Scope.INGEST)
    owner = kept.path.parent.stat().st_uid
    assert {path.stat().st_uid for path in kept.path.parent.iterdir()} == {owner}


def test_a_damaged_file_is_no_start(tmp_path: Path) -> None:
    """A collector does not start on keys that it cannot read: it would start open."""
    (tmp_path / "keys.json").write_bytes(b"{")
    with pytest.raises(BadConfiguration, match="cannot be read"):
        Gate(tmp_path / "keys.json")


@pytest.mark.parametrize("token", ["hush", "sightline_00000000_" + "a" * 43])
def test_an_unknown_key_is_refused_and_not_quoted(kept: Kept, token: str) -> None:
    """What came instead of a key is in no error."""
    kept.add(Scope.INGEST)
    with pytest.raises(Unauthenticated) as refused:
        kept.gate.caller(bearer(token).get, Scope.INGEST)
    assert token not in str(refused.value)


def test_a_key_for_something_else_is_forbidden(kept: Kept) -> None:
    """A key opens what its scopes say; an admin's also reads, and does not send."""
    _, reader = kept.add(Scope.READ)
    _, admin = kept.add(Scope.ADMIN, project="*")
    with pytest.raises(Forbidden, match="lacks the scope ingest"):
        kept.gate.caller(bearer(reader).get, Scope.INGEST)
    with pytest.raises(Forbidden, match="lacks the scope ingest"):
        kept.gate.caller(bearer(admin).get, Scope.INGEST)
    assert kept.gate.caller(bearer(admin).get, Scope.READ).project is None


def test_an_expired_key_is_refused_without_a_look_at_its_file(kept: Kept) -> None:
    """A key ends at its time."""
    key, token = kept.add(Scope.READ, lasts_s=60)
    kept.clock.now_s += 60
    with pytest.raises(Unauthenticated, match=f"The key {key.id} is expired"):
        kept.gate.caller(bearer(token).get, Scope.READ)


def test_a_file_that_did_not_change_is_not_read(kept: Kept) -> None:
    """Only what is new or was changed is told, once."""
    first, _ = kept.add(Scope.READ)
    assert kept.gate.refresh() == []
    keys, second, _ = key_changes.add(Keys(keys=(first,)), Wanted("a", frozenset({Scope.READ})), "", 0)
    key_file.write(kept.path, keys)
    assert kept.gate.refresh() == [second]
    assert kept.gate.refresh() == []


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({"authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer  abc "}, "abc"),
        ({"authorization": "Basic " + base64.b64encode(b"anyone:abc").decode()}, "abc"),
        ({"authorization": "Basic not base64"}, None),
        ({"authorization": "Digest abc"}, None),
        ({"x-api-key": "abc"}, "abc"),
        ({"x-clickhouse-user": "u", "x-clickhouse-key": "abc"}, "abc"),
        ({}, None),
    ],
)
def test_a_key_comes_in_the_ways_that_clients_have(headers: dict[str, str], token: str | None) -> None:
    """OTLP exporters send Bearer or a header of their own, browsers Basic, ClickHouse's clients theirs."""
    assert token_of(headers.get) == token


def test_a_rate_is_paid_back_and_never_cuts_a_request(kept: Kept) -> None:
    """A request passes while anything is left, and the next one once what it took is paid back."""
    _, token = kept.add(Scope.INGEST, spans_per_s=10)
    allowance = kept.gate.caller(bearer(token).get, Scope.INGEST).allowance
    assert allowance
    allowance.spend(70, 1)
    with pytest.raises(OverAllowance, match=r"10 spans a second, and has sent those of 2\.0 s") as refused:
        allowance.check()
    assert (refused.value.http_status, refused.value.retry_after_s, refused.value.reason) == (
        429,
        3,
        "over_rate",
    )
    kept.clock.now_s += 2.1
    allowance.spend(1, 1)


def test_what_was_not_kept_is_given_back(kept: Kept) -> None:
    """Spans and bytes are as before, and another day than that of the spending loses nothing by it."""
    _, token = kept.add(Scope.INGEST, spans_per_s=10, bytes_per_day=1000)
    allowance = kept.gate.caller(bearer(token).get, Scope.INGEST).allowance
    assert allowance
    for _ in range(3):
        allowance.give_back(70, 1500, allowance.spend(70, 1500))
    assert allowance.day_bytes == 0
    day = allowance.spend(1, 600)
    kept.clock.now_s += DAY_S
    allowance.spend(1, 100)
    allowance.give_back(1, 600, day)
    assert allowance.day_bytes == 100


def test_a_rotation_is_no_fresh_day(kept: Kept) -> None:
    """Old and new key have one allowance together, from the rotation on."""
    old, token = kept.add(Scope.INGEST, bytes_per_day=1000)
    allowance = kept.gate.caller(bearer(token).get, Scope.INGEST).allowance
    assert allowance
    allowance.spend(1, 1000)
    keys, _, new = key_changes.rotate(key_file.read(kept.path), old.id, DAY_S, "ann", int(kept.clock()))
    key_file.write(kept.path, keys)
    kept.gate.refresh()
    for each in (token, new):
        with pytest.raises(OverAllowance, match="1000 bytes"):
            kept.gate.caller(bearer(each).get, Scope.INGEST)


def test_a_days_bytes_come_back_at_midnight(kept: Kept) -> None:
    """What a key may send on a day is told with the time until the next one, and counted anew then."""
    _, token = kept.add(Scope.INGEST, bytes_per_day=1000)
    kept.clock.now_s = DAY_S * 20_000 + 100.0
    allowance = kept.gate.caller(bearer(token).get, Scope.INGEST).allowance
    assert allowance
    allowance.spend(1, 1500)
    with pytest.raises(OverAllowance, match="1000 bytes") as refused:
        kept.gate.caller(bearer(token).get, Scope.INGEST)
    assert (refused.value.retry_after_s, refused.value.reason) == (DAY_S - 100, "over_quota")
    kept.clock.now_s += DAY_S - 100
    allowance.spend(1, 1)


def test_new_limits_hold_without_a_new_start(kept: Kept) -> None:
    """A key whose limits were changed in the file has the new ones, and has still sent what it sent."""
    key, token = kept.add(Scope.INGEST, bytes_per_day=1000)
    allowance = kept.gate.caller(bearer(token).get, Scope.INGEST).allowance
    assert allowance
    allowance.spend(1, 1000)
    key_file.write(kept.path, Keys(keys=(key.model_copy(update={"bytes_per_day": 2000}),)))
    kept.gate.refresh()
    kept.gate.caller(bearer(token).get, Scope.INGEST)
    assert allowance.day_bytes == 1000

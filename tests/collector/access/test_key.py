"""Keys: what is handed out, what is kept, and how a set of them changes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sightline_collector.access import key_changes, key_file
from sightline_collector.access.key import Key, Scope, id_of, is_of
from sightline_collector.access.key_changes import Wanted
from sightline_collector.access.key_file import Keys
from sightline_collector.errors import BadConfiguration

NOW_S = 1_760_000_000
DAY_S = 86_400
INGEST = Wanted("shop", frozenset({Scope.INGEST}))


def made(wanted: Wanted = INGEST, keys: Keys | None = None) -> tuple[Keys, Key, str]:
    return key_changes.add(keys or Keys(), wanted, "ann", NOW_S)


def test_a_token_is_its_keys_and_no_others() -> None:
    """A token opens the key whose id it carries, and a token with another secret does not."""
    keys, key, token = made()
    _, _, other = made(keys=keys)
    forged = token[:-43] + other[-43:]
    assert id_of(token) == id_of(forged) == key.id
    assert is_of(token, key)
    assert not is_of(forged, key)


def test_no_part_of_the_secret_is_kept() -> None:
    """Of a token, the file has the eight digits of its id and nothing of what follows."""
    keys, key, token = made()
    secret = token.removeprefix(f"sightline_{key.id}_")
    assert len(secret) == 43
    assert secret not in keys.model_dump_json()


@pytest.mark.parametrize("token", ["", "sightline", "sightline_00000000_x", "SIGHTLINE_00000000_" + "a" * 43])
def test_what_is_no_token_has_no_id(token: str) -> None:
    """Only the whole form is a token."""
    assert id_of(token) is None


@pytest.mark.parametrize(
    ("project", "scopes"),
    [
        ("*", {Scope.INGEST}),
        ("shop", {Scope.ADMIN}),
        ("_audit", {Scope.INGEST}),
        ("a b", {Scope.READ}),
        ("", {Scope.READ}),
        ("shop", set()),
    ],
)
def test_keys_that_cannot_be_meant_are_refused(project: str, scopes: set[Scope]) -> None:
    """Senders have one project, admins all, the collector's own projects nobody, and every key a scope."""
    with pytest.raises(BadConfiguration, match="there can be no such key"):
        made(Wanted(project, frozenset(scopes)))


def test_a_revoked_key_stays_on_the_list() -> None:
    """A revoked key is in force no longer, and its row stays."""
    keys, key, _ = made()
    (revoked,) = key_changes.revoke(keys, key.id, NOW_S + 5).keys
    assert (key.state(NOW_S), revoked.state(NOW_S + 5), revoked.revoked_at) == (
        "active",
        "revoked",
        NOW_S + 5,
    )
    with pytest.raises(BadConfiguration, match="revoked already"):
        key_changes.revoke(Keys(keys=(revoked,)), key.id, NOW_S + 6)


def test_a_rotated_key_lives_on_for_its_grace() -> None:
    """Old and new are in force together for the grace, then the new one alone; all else is the same."""
    keys, old, _ = made(Wanted("shop", frozenset({Scope.INGEST}), "till", 30 * DAY_S, 10.0, 500))
    after, new, _ = key_changes.rotate(keys, old.id, DAY_S, "bob", NOW_S + 9)
    before = after.keys[0]
    assert [before.state(NOW_S + 9 + DAY_S - 1), before.state(NOW_S + 9 + DAY_S)] == ["active", "revoked"]
    same = {
        "id": old.id,
        "replaces": "",
        "sha256": old.sha256,
        "made_at": NOW_S,
        "made_by": "ann",
        "expires_at": old.expires_at,
    }
    assert new.model_copy(update=same) == old
    assert (new.made_by, new.expires_at, new.replaces) == ("bob", NOW_S + 9 + 30 * DAY_S, old.id)


def test_a_key_that_is_rotated_twice_has_successors_that_live_as_long_as_it_was_to() -> None:
    """The grace shortens the old key's life, a later one does not lengthen it, and neither is inherited."""
    keys, old, _ = made()
    keys, _, _ = key_changes.rotate(keys, old.id, DAY_S, "bob", NOW_S)
    keys, _, _ = key_changes.rotate(keys, old.id, 9 * DAY_S, "bob", NOW_S + 5)
    assert [key.ends_at for key in keys.keys] == [NOW_S + DAY_S, 0, 0]


@pytest.mark.parametrize("grace_s", [-1, key_changes.LASTS_S_MAX + 1])
def test_a_grace_that_cannot_be_meant_is_refused(grace_s: int) -> None:
    """No key ends before now, nor at a time that no calendar has."""
    keys, old, _ = made()
    with pytest.raises(BadConfiguration, match="no such grace"):
        key_changes.rotate(keys, old.id, grace_s, "bob", NOW_S)


def test_a_rotation_without_grace_ends_the_old_key_at_once() -> None:
    """With a grace of nothing the old key is revoked."""
    keys, old, _ = made()
    after, _, _ = key_changes.rotate(keys, old.id, 0, "bob", NOW_S)
    assert after.keys[0].state(NOW_S) == "revoked"


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Nobody but its owner may read the file, also when it was readable before."""
    path = tmp_path / "keys.json"
    path.touch(0o644)
    keys, _, _ = made()
    key_file.write(path, keys)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key_file.read(path) == keys


def test_a_damaged_file_is_refused_without_a_word_of_it(tmp_path: Path) -> None:
    """What cannot be read is refused by its place, and nothing of its content is quoted."""
    path = tmp_path / "keys.json"
    keys, key, _ = made()
    path.write_text(keys.model_dump_json().replace(key.sha256, "hush-hush"))
    with pytest.raises(BadConfiguration, match=r"keys\.0\.sha256") as refused:
        key_file.read(path)
    assert "hush" not in str(refused.value)

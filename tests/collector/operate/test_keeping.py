"""How long things are kept: what the settings say, and what they become."""

from __future__ import annotations

import pytest

from sightline_collector.config import load
from sightline_collector.errors import BadConfiguration
from sightline_collector.operate.keeping import Keep, Kept, changes, expiry, parse_keep

TABLE = (
    "CREATE TABLE sightline.t (`at` DateTime64(9, 'UTC'), `input` String{input}, `events` Array(Tuple(at"
    " DateTime64(9, 'UTC'), name String)), INDEX by_batch batch TYPE minmax GRANULARITY 4, PROJECTION p"
    " (SELECT project, count() GROUP BY project)) ENGINE = MergeTree PARTITION BY toMonday(at) ORDER BY"
    " (project, at){rows} SETTINGS index_granularity = 8192"
)
KEPT = Kept("t", "at", ("input", "events"))
DAYS_30 = "addDays(toDateTime(toStartOfDay(at)), 31)"


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("30", Keep(30)),
        ("forever", Keep(None)),
        ("30, shop=7", Keep(30, (("shop", 7),))),
        ("shop=7,audit=forever", Keep(None, (("audit", None), ("shop", 7)))),
    ],
)
def test_days_are_read(text: str, keep: Keep) -> None:
    """Days for all projects come first, those of one by its name; what is not named is kept for ever."""
    assert parse_keep(text) == keep


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "3651", "a week", "7,30", "shop=", "sh'op=7", "=7", "30,shop"]
)
def test_what_is_not_days_is_refused(text: str) -> None:
    """A setting that cannot be meant stops the start, by its name."""
    with pytest.raises(BadConfiguration, match="--keep-content-days"):
        load({"keep_content_days": text}, {})


def test_a_number_in_the_file_is_days() -> None:
    """TOML's numbers are as good as text."""
    assert load({"keep_days": 90}, {}).keep_days == Keep(90)


def test_a_day_goes_as_a_whole() -> None:
    """What began on a day expires when its days are over, never before."""
    assert expiry(Keep(30), "at") == DAYS_30
    assert expiry(Keep(None), "at") is expiry(None, "at") is None


def test_projects_have_days_of_their_own() -> None:
    """One expression tells them apart; those that are kept for ever get the last time that there is."""
    assert expiry(Keep(None, (("shop", 7),)), "at") == (
        "multiIf(project = 'shop', addDays(toDateTime(toStartOfDay(at)), 8),"
        " toDateTime('2106-01-01 00:00:00', 'UTC'))"
    )


def test_a_table_is_told_only_what_it_does_not_do() -> None:
    """A column or table that has its TTL already is left alone; one that has another is changed."""
    plain = TABLE.format(input="", rows="")
    as_wanted = TABLE.format(input=f" TTL {DAYS_30}", rows=" TTL addDays(toDateTime(toStartOfDay(at)), 91)")
    assert list(changes(KEPT, plain, None, None)) == []
    assert list(changes(KEPT, plain, Keep(30), Keep(90))) == [
        f"modify column input ttl {DAYS_30}",
        f"modify column events ttl {DAYS_30}",
        "modify ttl addDays(toDateTime(toStartOfDay(at)), 91)",
    ]
    assert list(changes(KEPT, as_wanted, Keep(30), Keep(90))) == [f"modify column events ttl {DAYS_30}"]
    assert list(changes(KEPT, as_wanted, None, None)) == ["modify column input remove ttl", "remove ttl"]

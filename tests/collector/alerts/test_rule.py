"""Rules as data: what is read, and each refusal."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from sightline_collector.alerts.rule import Rule, duration, parse_rules, rules_in_force, shipped_rules
from sightline_collector.errors import BadConfiguration

WHOLE = """
- name: slow
  query: select model, 1 as value
  above: 0.5
  for: 1h 30m
  keep_firing_for: 90s
  interval: 30s
  cooldown: 2d
  min_samples: 50
  no_data: keep
  severity: warning
  summary: "{model}: {value:.0%} of {samples}"
  next_step: look at {model}
"""


def test_a_rule_is_read_whole() -> None:
    """Every field of a rule arrives, durations as spans of time."""
    (rule,) = parse_rules(WHOLE, "rules.yaml")
    assert (rule.hold, rule.keep_firing) == (timedelta(minutes=90), timedelta(seconds=90))
    assert (rule.interval, rule.cooldown) == (timedelta(seconds=30), timedelta(days=2))
    assert (rule.threshold, rule.min_samples, rule.no_data) == (0.5, 50, "keep")


def test_a_message_holds_the_instances_numbers_and_the_next_step() -> None:
    """Labels, value and samples are filled in with the formats that the rule asks for."""
    (rule,) = parse_rules(WHOLE, "rules.yaml")
    assert rule.message(0.75, 80, (("model", "m1"),)) == "m1: 75% of 80\nNext: look at m1"


@pytest.mark.parametrize(
    ("about", "labels", "title"),
    [
        ("", {"project": "default", "model": "gpt-4o", "feature": ""}, "slow: over (gpt-4o)"),
        ("", {"project": "shop", "model": "gpt-4o"}, "slow: over (shop, gpt-4o)"),
        ("", {}, "slow: over"),
        ("{slice:words}", {}, "slow: over"),
        (
            "{column:words} of {slice:words}",
            {"project": "default", "column": "output_tokens", "slice": "model=my_model"},
            "slow: over (output tokens of model my_model)",
        ),
        (
            "{slice:words}",
            {"project": "shop", "slice": "model,feature=a=b,c,d"},
            "slow: over (shop, model a=b, feature c,d)",
        ),
        ("{slice:>8}", {"slice": "a=b"}, "slow: over (     a=b)"),
    ],
)
def test_a_title_is_words(about: str, labels: dict[str, str], title: str) -> None:
    """Names lose their underscores, values do not; the project is said unless nobody named one."""
    (rule,) = parse_rules(WHOLE + f"  about: '{about}'\n", "rules.yaml")
    assert rule.title(tuple(labels.items()), "over") == title
    assert rule.title(tuple(labels.items())) == title.replace(": over", "")


def test_a_message_without_data_stays_as_it_is_written() -> None:
    """What cannot be filled in, as when there is no data, does not fail the alert."""
    (rule,) = parse_rules(WHOLE, "rules.yaml")
    assert rule.message(None, None, ()) == "{model}: {value:.0%} of {samples}\nNext: look at {model}"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("above: 0.5", "", "exactly one of above and below"),
        ("above: 0.5", "above: 0.5\n  below: 0.1", "exactly one of above and below"),
        ('summary: "{model}: {value:.0%} of {samples}"', "", "summary: Field required"),
        ("next_step: look at {model}", "", "next_step: Field required"),
        ("severity: warning", "severity: dire", "severity"),
        ("for: 1h 30m", "for: a while", "write a duration such as 90s"),
        ("for: 1h 30m", "fore: 1h", "fore: Extra inputs"),
        ("name: slow", "name: Slow!", "rule Slow!: name"),
    ],
)
def test_a_wrong_rule_is_named_with_its_fault(old: str, new: str, says: str) -> None:
    """The error says which file, which rule and what is wrong with it."""
    with pytest.raises(BadConfiguration) as caught:
        parse_rules(WHOLE.replace(old, new), "rules.yaml")
    assert says in str(caught.value)
    assert "rules.yaml, rule" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: b", "must be a list"),
        ("- [", "is not YAML"),
        ("- 3", "rule that is no mapping"),
        (WHOLE * 2, "twice"),
    ],
)
def test_a_wrong_file_is_refused(text: str, says: str) -> None:
    """Text that is no list of rules, or names one twice, is refused with what to do."""
    with pytest.raises(BadConfiguration, match=says):
        parse_rules(text, "rules.yaml")


def test_ones_own_rules_stand_beside_the_shipped_ones(tmp_path: Path) -> None:
    """One of a shipped rule's name stands in its place; without a file the shipped ones are alone."""
    shipped = [rule.name for rule in shipped_rules()]
    file = tmp_path / "rules.yaml"
    file.write_text(WHOLE + WHOLE.replace(parse_rules(WHOLE, "")[0].name, shipped[0]))
    own, instead = parse_rules(file.read_text(), "")
    assert rules_in_force(None) == shipped_rules()
    assert rules_in_force(file) == [instead, *shipped_rules()[1:], own]


@pytest.mark.parametrize("content", [None, b"\xff", b"- name: x"])
def test_a_file_of_rules_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None) -> None:
    """One that is not there, is no text, or is no whole rule."""
    file = tmp_path / "rules.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadConfiguration, match=re.escape(str(file))):
        rules_in_force(file)


@pytest.mark.parametrize("text", ["", "5", "5 parsecs", "m5"])
def test_a_duration_without_units_is_refused(text: str) -> None:
    """A duration is a number with s, m, h or d."""
    with pytest.raises(ValueError, match="write a duration"):
        duration(text)


@pytest.mark.parametrize("rule", shipped_rules(), ids=lambda rule: rule.name)
def test_the_shipped_rules_say_what_to_look_at(rule: Rule) -> None:
    """Each shipped rule's next step names a view to look at."""
    assert "`select * from " in rule.next_step

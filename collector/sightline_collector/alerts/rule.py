"""An alert rule as data: a query over views, how long it must hold, and what a person reads and does next.

    - name: error_surge
      query: select model, count() as samples, avg(status = 'error') as value from spans group by model
      above: 0.05           # or below:
      for: 2m               # must hold so long before anyone is told
      summary: "{model}: {value:.1%} of {samples} calls failed"
      next_step: "open ..."
      about: "{slice:words}"  # optional, in the title: by default all labels but the default project

A row of the query is one instance: `value` is judged, `samples` says on how many calls it rests, every other
column is a label. The query may use {now:DateTime}: the time it is asked for. {slice:words} writes a label
that is made of names, model=gpt-4o, as words: model gpt-4o.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from importlib import resources
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from sightline_collector.errors import BadConfiguration

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

DEFAULT_PROJECT = "default"
"""Of whoever names none: it tells nothing apart."""

Labels = tuple[tuple[str, str], ...]
"""What tells one instance of a rule from the next: (column, text), in column order."""


def duration(value: object) -> object:
    """'90s', '5m', '1h 30m' or '2d' as a timedelta; anything else as it is, for pydantic to judge."""
    if not isinstance(value, str):
        return value
    parts = re.findall(r"(\d+)\s*([smhd])", value)
    if not parts or re.sub(r"\d+\s*[smhd]|\s", "", value):
        raise ValueError("write a duration such as 90s, 5m, 1h or 2d")
    return timedelta(seconds=sum(int(n) * SECONDS[unit] for n, unit in parts))


Duration = Annotated[timedelta, BeforeValidator(duration), Field(ge=timedelta(0), le=timedelta(days=60))]


class Rule(BaseModel):
    """One rule. Exactly one of `above` and `below` is given; summary and next_step are not optional."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    query: Annotated[str, Field(min_length=1)]
    above: float | None = None
    below: float | None = None
    hold: Annotated[Duration, Field(alias="for")] = timedelta(0)
    keep_firing: Annotated[Duration, Field(alias="keep_firing_for")] = timedelta(0)
    interval: Duration = timedelta(minutes=1)
    cooldown: Duration = timedelta(0)
    min_samples: Annotated[int, Field(ge=0)] = 0
    no_data: Literal["ok", "keep", "alert"] = "ok"
    severity: Literal["info", "warning", "critical"]
    summary: Annotated[str, Field(min_length=1)]
    next_step: Annotated[str, Field(min_length=1)]
    about: str = ""

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("give exactly one of above and below")
        return self

    @property
    def threshold(self) -> float:
        """The value beyond which the rule's condition is true."""
        return self.above if self.above is not None else self.below or 0.0

    def holds(self, value: float) -> bool:
        """True when the value is beyond the threshold."""
        return value > self.threshold if self.above is not None else value < self.threshold

    def title(self, labels: Labels, state: str = "") -> str:
        """What alerts of one instance are called, in words; '' as state is that it fires."""
        known = dict(labels)
        project = "" if known.get("project") == DEFAULT_PROJECT else known.get("project", "")
        others = [text for name, text in labels if name != "project"]
        said = [_filled(self.about, _labels(labels))] if self.about and known else others
        about = ", ".join(text for text in (project, *said) if text)
        name = self.name.replace("_", " ") + (f": {state}" if state else "")
        return f"{name} ({about})" if about else name

    def message(self, value: float | None, samples: int | None, labels: Labels) -> str:
        """What a person reads: the summary with the instance's numbers, then the next step."""
        known: dict[str, Any] = {**_labels(labels), "value": value, "samples": samples}
        return f"{_filled(self.summary, known)}\nNext: {_filled(self.next_step, known)}"


class _Label(str):
    """A label's text, which {name:words} in a template writes as words."""

    __slots__ = ()

    def __format__(self, form: str) -> str:
        if form != "words":
            return super().__format__(form)
        # As drift's slices are: model=gpt-4o, or model,feature=gpt-4o,support. Names have no commas.
        names, _, values = self.partition("=")
        keys = names.replace("_", " ").split(",")
        pairs = zip_longest(keys, values.split(",", len(keys) - 1), fillvalue="")
        return ", ".join(" ".join(pair).strip() for pair in pairs)


def _labels(labels: Labels) -> dict[str, _Label]:
    return {name: _Label(text) for name, text in labels}


def _filled(template: str, known: Mapping[str, Any]) -> str:
    """The template filled in; as it stands where an instance lacks what it names, as with no data."""
    try:
        return template.format_map(known)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError):
        return template


def parse_rules(text: str, origin: str) -> list[Rule]:
    """The rules of a YAML text. Raises BadConfiguration that names the origin, the rule and each fault."""
    try:
        entries = yaml.safe_load(text)
    except yaml.YAMLError as e:
        raise BadConfiguration(f"{origin} is not YAML ({e})", hint="correct it and start again") from None
    if not isinstance(entries, list):
        raise BadConfiguration(f"{origin} must be a list of rules", hint="begin each with `- name:`")
    rules = [_parsed(entry, origin) for entry in entries]
    names = [rule.name for rule in rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadConfiguration(f"{origin} has these rules twice: {', '.join(twice)}", hint="rename one")
    return rules


def _parsed(entry: object, origin: str) -> Rule:
    name = entry.get("name", "without a name") if isinstance(entry, dict) else "that is no mapping"
    try:
        return Rule.model_validate(entry)
    except ValidationError as e:
        faults = "; ".join(f"{'.'.join(map(str, f['loc'])) or 'rule'}: {f['msg']}" for f in e.errors())
        raise BadConfiguration(f"{origin}, rule {name}: {faults}", hint="correct the rule") from None


def shipped_rules() -> list[Rule]:
    """The rules that come with the collector."""
    file = resources.files("sightline_collector") / "data" / "alert_rules.yaml"
    return parse_rules(file.read_text("utf8"), "alert_rules.yaml")


def rules_in_force(own: Path | None) -> list[Rule]:
    """The shipped rules, and those of a file of one's own, which stand in the place of shipped ones of their
    names. Raises BadConfiguration."""
    if own is None:
        return shipped_rules()
    try:
        text = own.read_text("utf8")
    except (OSError, UnicodeError) as e:
        why = e.strerror if isinstance(e, OSError) else "it is not UTF-8"
        hint = "name a YAML file with --alert-rules, or leave it out"
        raise BadConfiguration(f"the alert rules {own} cannot be read ({why})", hint=hint) from None
    named = {rule.name: rule for rule in parse_rules(text, str(own))}
    return [*(named.pop(rule.name, rule) for rule in shipped_rules()), *named.values()]

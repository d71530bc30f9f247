"""Alert rules of one's own, in a collector as a user runs it."""

from __future__ import annotations

import re
from pathlib import Path

from collector_process import CollectorProcess, wait_until

README = Path(__file__).parents[3] / "collector" / "README.md"
(README_RULE,) = re.findall(r"^```yaml\n(.*?)^```", README.read_text(encoding="utf8"), re.M | re.S)
RULES = """
- name: desk_is_open
  query: select 'night' as shift, 3 as value, 7 as samples
  above: 2
  severity: info
  summary: "{samples} people wait at {shift}"
  next_step: "send somebody"
"""


def test_a_rule_of_ones_own_fires(tmp_path: Path) -> None:
    """A file of rules, and the alert is in the view with its labels and its value; the store answers the
    query of the rule that the README shows, too."""
    (tmp_path / "rules.yaml").write_text(README_RULE + RULES)
    flags = ("--alert-rules", str(tmp_path / "rules.yaml"), "--alert-interval-s", "0.2")
    with CollectorProcess(tmp_path / "data", *flags) as collector:
        collector.start()
        wait_until(lambda: bool(collector.ask("select 1 from alerts")))
        rows = collector.ask("select title, state, value from alerts")
        assert "sightline_alert_failed_rules_total{" not in collector.metrics()
        assert rows == [{"title": "desk is open (night)", "state": "firing", "value": 3}]
        collector.stop()


def test_a_file_of_rules_that_is_wrong_is_no_start(tmp_path: Path) -> None:
    """Before anything is opened, with the file, the rule and the field."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.replace("above", "beyond"))
    with CollectorProcess(tmp_path / "data", "--alert-rules", str(rules)) as collector:
        collector.launch()
        assert collector.wait() == 1
        assert f"{rules}, rule desk_is_open: beyond" in collector.output
    assert not (tmp_path / "data").exists()

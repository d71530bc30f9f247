"""The webhook that the demo's alerts come to, told by the collector's own notifier."""

from sightline_collector.alerts.notify import tell
from sightline_collector.demo.alert_receiver import receiving


def test_what_is_told_arrives_with_its_title_and_its_text() -> None:
    """The receiver keeps what the notifier posted, in the order of its coming."""
    with receiving() as receiver:
        assert tell(receiver.notify_url, "half is spent", "Next: look", "warning") is None
        assert tell(receiver.notify_url, "all is spent", "Next: stop", "critical") is None
        alerts = receiver.wait(lambda alert: alert["type"] == "failure", 10)
    assert [(alert["title"], alert["message"]) for alert in alerts] == [
        ("half is spent", "Next: look"),
        ("all is spent", "Next: stop"),
    ]


def test_an_alert_that_does_not_come_is_waited_for_no_longer_than_said() -> None:
    """Nothing is what there is when time is up, even if other alerts came."""
    with receiving() as receiver:
        assert tell(receiver.notify_url, "half is spent", "Next: look", "warning") is None
        assert receiver.wait(lambda alert: alert["type"] == "failure", 0.05) == []

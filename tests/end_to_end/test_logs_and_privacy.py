"""What a program logged and said, as the store has it: joined to its span, and masked on the way."""

from pathlib import Path

from collector_process import CollectorProcess
from sdk.programs import run

PROGRAM = """
import logging
import sightline

logging.basicConfig(level=logging.INFO)
sightline.init(
    "shop", {url!r}, sightline.Privacy(hash_key="k", hash_user_ids=True), instrument=False, logs=logging.INFO
)

@sightline.agent
def answer(question):
    logging.getLogger("shop.orders").error("cannot answer %s", question, extra={{"order": 7}})
    raise LookupError(question)

with sightline.context(user_id="ann", session_id="s1"):
    try:
        answer("who is ann@example.com, and bob@example.com?")
    except LookupError:
        pass
"""


def test_a_logged_failure_is_found_by_its_span_and_tells_nobodys_address(tmp_path: Path) -> None:
    """In the view `logs` a line stands beside the span it was written in; no address and no user id left."""
    with CollectorProcess(tmp_path / "store") as collector:
        collector.start()
        run(PROGRAM.format(url=collector.otlp))
        collector.flush()
        (row,) = collector.ask(
            "select l.severity, l.body, l.scope_name, l.attributes['order'] as number,"
            " l.attributes['user.id'] = s.user_id as same_user, length(s.user_id) as user_length,"
            " s.input, s.status_message"
            " from logs as l inner join spans as s on s.trace_id = l.trace_id and s.span_id = l.span_id"
        )
    assert row == {
        "severity": "error",
        "body": "cannot answer who is [EMAIL_1], and [EMAIL_2]?",
        "scope_name": "shop.orders",
        "number": "7",
        "same_user": 1,
        "user_length": 32,
        "input": '{"question":"who is [EMAIL_1], and [EMAIL_2]?"}',
        "status_message": "who is [EMAIL_1], and [EMAIL_2]?",
    }

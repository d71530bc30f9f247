"""The program's own logs: ids on their records, and their way to the collector."""

import json
import logging
import threading
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog
from sdk.programs import run
from sdk.servers import OtlpSink, attributes_of

import sightline
from sightline import _log_export, _safety, logs, testing
from sightline.privacy import Privacy

log = logging.getLogger("shop.orders")
ZERO_TRACE, ZERO_SPAN = "0" * 32, "0" * 16


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    """The program's loggers let everything through from INFO on."""
    root = logging.getLogger()
    before, handlers = root.level, list(root.handlers)
    root.setLevel(logging.INFO)
    yield
    root.setLevel(before)
    assert root.handlers == handlers


@pytest.fixture
def console() -> Iterator[StringIO]:
    """What a program prints that logs with ids in its format."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(trace_id)s %(span_id)s %(session_id)s|%(message)s"))
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def test_records_carry_the_ids_of_the_span_they_are_made_in(
    seen: testing.Captured, console: StringIO
) -> None:
    """Inside of a span its ids and the session's are on each record; outside they are empty."""
    undo = logs.install_trace_ids(*logging.getLogger().handlers)
    log.info("before")
    with sightline.context(session_id="s1"), sightline.stage("work"):
        log.info("inside")
    undo()
    (span,) = seen.spans
    assert console.getvalue().splitlines() == ["  |before", f"{span.trace_id} {span.span_id} s1|inside"]


def test_ids_that_the_author_gave_stay(seen: testing.Captured) -> None:
    """A record that brings ids of its own, in `extra`, keeps them: nothing is overwritten, nothing raises."""
    record = logging.makeLogRecord({"msg": "x", "trace_id": "mine"})
    with sightline.stage("work"):
        assert logs.TraceIds().filter(record)
    assert (record.__dict__["trace_id"], record.__dict__["span_id"]) == ("mine", seen.spans[0].span_id)


def test_handlers_are_as_before_when_the_ids_are_taken_off() -> None:
    """What installing returns undoes it, on just the handlers that were meant."""
    handler = logging.NullHandler()
    undo = logs.install_trace_ids(handler)
    assert [type(added) for added in handler.filters] == [logs.TraceIds]
    undo()
    assert handler.filters == []


def test_structlog_events_carry_the_ids(seen: testing.Captured) -> None:
    """The processor adds what there is, and leaves alone what the event has."""
    written = StringIO()
    processors: list[Any] = [logs.add_trace_ids, structlog.processors.JSONRenderer()]
    logger = structlog.wrap_logger(structlog.PrintLogger(written), processors=processors)
    logger.info("before")
    with sightline.context(session_id="s1"), sightline.stage("work"):
        logger.info("inside", span_id="mine")
    before, inside = map(json.loads, written.getvalue().splitlines())
    assert before == {"event": "before"}
    trace_id = seen.spans[0].trace_id
    assert inside == {"event": "inside", "span_id": "mine", "trace_id": trace_id, "session_id": "s1"}


def test_a_log_record_leaves_whole() -> None:
    """Words, level, time, place in the code, extra fields, who and where in the trace: all in one record."""
    with (
        testing.capture(logs=True, clock=testing.FixedClock()) as seen,
        sightline.context(user_id="u1", session_id="s1", feature="support"),
        sightline.stage("work"),
    ):
        log.warning("paid %d EUR", 12, extra={"order": 7, "items": ["a"], "note": None, "user": "a@b.de"})
    (record,) = seen.logs
    assert record.time_ns > 0
    assert record == testing.CapturedLog(
        event_name=None,
        trace_id=seen.spans[0].trace_id,
        span_id=seen.spans[0].span_id,
        time_ns=record.time_ns,
        body="paid 12 EUR",
        severity="WARNING",
        attributes={
            "user.id": "u1",
            "session.id": "s1",
            "sightline.feature": "support",
            "order": 7,
            "items": '["a"]',
            "user": "a@b.de",
            "code.file.path": __file__,
            "code.function.name": "test_a_log_record_leaves_whole",
            "code.line.number": record.attributes["code.line.number"],
            "thread.name": "MainThread",
        },
    )


def test_an_exception_leaves_with_its_record() -> None:
    """Its class, words and stack trace become OpenTelemetry's attributes of an exception."""
    with testing.capture(logs=True) as seen:
        try:
            raise LookupError("no such order")
        except LookupError:
            log.exception("failed")
    values = seen.logs[0].attributes
    assert (values["exception.type"], values["exception.message"]) == ("LookupError", "no such order")
    assert values["exception.stacktrace"].startswith("Traceback (most recent call last):")
    assert "LookupError: no such order" in values["exception.stacktrace"]


def test_structlog_events_leave_with_their_fields() -> None:
    """What structlog hands on to logging as a map is taken apart: the event, its fields, its exception."""
    processors: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ]
    logger = structlog.wrap_logger(log, processors=processors, wrapper_class=structlog.stdlib.BoundLogger)
    with testing.capture(logs=True) as seen:
        try:
            raise ValueError("bad")
        except ValueError:
            logger.exception("paid", order=7)
    (record,) = seen.logs
    assert (record.body, record.severity, record.attributes["order"]) == ("paid", "ERROR", 7)
    assert record.attributes["exception.message"] == "bad"


@pytest.mark.parametrize(
    ("level", "number"),
    [(5, 1), (10, 5), (15, 6), (20, 9), (25, 10), (29, 12), (30, 13), (40, 17), (50, 21), (99, 24)],
)
def test_levels_become_severities(level: int, number: int) -> None:
    """Python's five levels are OpenTelemetry's, with finer steps between them."""
    assert _log_export.severity(level).value == number


@pytest.mark.parametrize(
    ("given", "left"),
    [(False, []), (None, []), (True, ["i", "e"]), (logging.ERROR, ["e"]), ("ERROR", ["e"]), (0, ["i", "e"])],
)
def test_the_level_decides_what_leaves(given: Any, left: list[str]) -> None:
    """Without being asked for no log leaves; True is from INFO on; what loggers hold back stays back."""
    with testing.capture(logs=given) as seen:
        log.debug("d")
        log.info("i")
        log.error("e")
    assert [record.body for record in seen.logs] == left


@pytest.mark.parametrize("given", ["LOUD", -1, 1.5])
def test_a_level_that_is_none_is_refused_in_words(given: Any) -> None:
    """The error names the setting, its value, and what it may be."""
    with pytest.raises(sightline.ConfigurationError, match=r"logs is .*; it may be True, False, or a level"):
        sightline.init(endpoint="http://127.0.0.1:9", instrument=False, logs=given)


@pytest.mark.parametrize(
    ("content", "body", "note"),
    [
        ("full", "to a@b.de", "a@b.de"),
        ("masked", "to [EMAIL_1]", "[EMAIL_1]"),
        ("off", None, None),
        ("hashed", "[SHA256:13c967b0a5ddcb36:9]", "[SHA256:363a175f65786e77:6]"),
        (Privacy("off", attributes={"log.body": "masked"}), "to [EMAIL_1]", "[EMAIL_1]"),
    ],
)
def test_logs_pass_the_guard(content: Any, body: str | None, note: str | None) -> None:
    """The content mode decides over a log's words, its exception and its fields as over a span's."""
    with testing.capture(content=content, logs=True) as seen:
        try:
            raise ValueError("a@b.de")
        except ValueError:
            log.exception("to %s", "a@b.de", extra={"note": "a@b.de", "password": "abc"})
    (record,) = seen.logs
    assert (record.body, record.attributes.get("note")) == (body, note)
    kept = content == "full"
    assert ("a@b.de" in str(record), "abc" in str(record)) == (kept, kept)


class Odd:
    """A value whose text cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Hostile:
    """A value that cannot be asked for its class."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("no class")


def test_a_hostile_field_costs_itself_only() -> None:
    """The record leaves with its words and its other fields."""
    with testing.capture(logs=True) as seen:
        log.info("said", extra={"bad": Hostile(), "order": 7})
    (record,) = seen.logs
    assert record.body == "said"
    assert (record.attributes["bad"], record.attributes["order"]) == ("<unreadable>", 7)


def test_structlog_fields_are_content() -> None:
    """With content off the fields of an event leave no more than its words; numbers and places do."""
    with testing.capture(content="off", logs=True) as off:
        log.info({"event": "asked", "question": "why me?", "order": 7})
    (record,) = off.logs
    assert (record.body, record.attributes["order"]) == (None, 7)
    assert "code.function.name" in record.attributes
    assert "why me?" not in str(record)


def test_odd_records_harm_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Formats that do not fit, values without a text, and hundreds of fields: what can be sent is sent."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    many = {f"field_{n}": n for n in range(500)}
    with testing.capture(logs=True) as seen:
        log.info("%d and %d", 1)
        log.info({"a": [1]})
        log.info("%s", Odd())
        log.info("x" * 100_000, extra=many)
    assert [str(record.body)[:12] for record in seen.logs] == ["%d and %d", '{"a":[1]}', "%s", "x" * 12]
    assert len(seen.logs[3].body) < 40_000
    assert len([name for name in seen.logs[3].attributes if name.startswith("field_")]) == 64


def test_our_own_records_never_leave() -> None:
    """What Sightline says of itself stays here: a warning about sending would have to be sent."""
    with testing.capture(logs=logging.DEBUG) as seen:
        _safety.log.warning("cannot reach the collector")
        logging.getLogger("sightline.inner").warning("nor this")
        logging.getLogger("sightlines").warning("but this")
    assert [record.body for record in seen.logs] == ["but this"]


@pytest.mark.parametrize("signal", ["spans", "traces", "logs"])
@pytest.mark.parametrize("work", ["", "-spool"])
def test_what_sends_is_not_heard(signal: str, work: str) -> None:
    """What an HTTP client logs in a thread that sends, or that sends from the spool, stays here."""
    with testing.capture(logs=logging.DEBUG) as seen:
        thread = threading.Thread(target=log.error, args=("POST",), name=f"sightline-{signal}{work}")
        thread.start()
        thread.join()
    assert seen.logs == []


def test_a_record_made_while_one_is_exported_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that logs while it is given a record does not make the two go round for ever."""
    made = _log_export.severity

    def chatty(level: int) -> Any:
        log.info("and again")
        return made(level)

    monkeypatch.setattr(_log_export, "severity", chatty)
    with testing.capture(logs=True) as seen:
        log.info("once")
    assert [record.body for record in seen.logs] == ["once"]


def test_a_fault_of_the_export_does_not_reach_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted like any other, and the next record leaves."""
    monkeypatch.delenv("SIGHTLINE_STRICT")
    with testing.capture(logs=True) as seen:
        with monkeypatch.context() as broken:
            broken.setattr(_log_export, "severity", None)
            log.info("lost")
        log.info("there")
    assert [record.body for record in seen.logs] == ["there"]
    assert _safety.faults()[0] == {"LogExport": 1}
    _safety.forget_faults()


def test_logs_reach_the_collector(sink: OtlpSink) -> None:
    """On the wire: scope is the logger's name, ids are the span's; the HTTP client's records stay here."""
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    sightline.init(endpoint=sink.url, instrument=False, logs=logging.DEBUG)
    with sightline.stage("work"):
        log.error("paid by a@b.de", extra={"order": 7})
    assert sightline.flush()
    sightline.shutdown()
    log.error("after the end")
    logging.getLogger("urllib3").setLevel(logging.NOTSET)
    (record,) = sink.logs
    (span,) = sink.spans
    assert sink.log_requests[0].resource_logs[0].scope_logs[0].scope.name == "shop.orders"
    assert (record.trace_id, record.span_id) == (span.trace_id, span.span_id)
    assert (record.body.string_value, record.severity_number, record.severity_text) == (
        "paid by [EMAIL_1]",
        17,
        "ERROR",
    )
    assert attributes_of(record)["order"] == 7


def test_the_programs_own_logging_is_left_as_it_is(sink: OtlpSink) -> None:
    """Warnings without any configuration are printed as before; configuring later works, and ends no export;
    a logger that does not propagate is heard, too.
    """
    printed = run(
        "import logging, sightline, sys\n"
        f"sightline.init(endpoint={sink.url!r}, instrument=False, logs=True)\n"
        "logging.getLogger('shop').warning('one')\nassert not logging.getLogger().handlers\n"
        "logging.basicConfig(level='INFO', format='>%(message)s', stream=sys.stdout)\n"
        "apart = logging.getLogger('apart')\napart.propagate = False\n"
        "logging.info('two')\napart.error('three')"
    )
    assert printed.splitlines() == [">two", "one", "three"]  # stdout first
    assert [record.body.string_value for record in sink.logs] == ["one", "two", "three"]


def test_the_export_leaves_no_trace_when_it_ends() -> None:
    """Loggers are as before; one who has come to listen since is not cut off."""
    before = logging.Logger.callHandlers
    with testing.capture(logs=True) as outer, testing.capture(logs=logging.ERROR) as inner:
        log.info("i")
        log.error("e")
    assert logging.Logger.callHandlers is before
    assert ([r.body for r in outer.logs], [r.body for r in inner.logs]) == (["i", "e"], ["e"])


def test_others_who_listen_as_we_do_are_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """One who came to stand before us stays when we go, and no record goes round when we come again."""
    heard: list[str] = []
    with testing.capture(logs=True):
        ours: Any = logging.Logger.callHandlers

        def theirs(logger: logging.Logger, record: logging.LogRecord) -> None:
            heard.extend([record.getMessage()] if record.name == log.name else [])
            ours(logger, record)

        monkeypatch.setattr(logging.Logger, "callHandlers", theirs)
    log.info("between")
    with testing.capture(logs=True) as seen:
        log.info("again")
    assert (heard, [record.body for record in seen.logs]) == (["between", "again"], ["again"])
    monkeypatch.undo()
    with testing.capture(logs=True):
        log.info("theirs no more")
    assert (heard, logging.Logger.callHandlers is ours) == (["between", "again"], False)


def test_a_program_that_ends_loses_none_of_its_logs(sink: OtlpSink) -> None:
    """What is logged right before a normal exit arrives."""
    run(
        "import logging, sightline\nlogging.basicConfig(level='INFO')\n"
        f"sightline.init(endpoint={sink.url!r}, instrument=False, logs=True)\n"
        "for n in range(1000): logging.info('line %d', n)"
    )
    assert [record.body.string_value for record in sink.logs] == [f"line {n}" for n in range(1000)]

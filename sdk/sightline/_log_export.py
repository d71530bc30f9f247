"""The user's log records as OTLP log records: what `init(logs=)` asks for.

    Logger.callHandlers ─► LogExport ─► OTLP record ─► Shipper ─► Guard ─► collector
            │                 │ of our own logger, of our own threads, or while one is being exported
            ▼                 └─► left out, or each export would make records that have to be exported
    the program's handlers

No handler is added: with one on the root logger, `logging.basicConfig` would do nothing any more, warnings of
a program that has configured nothing would not be printed, and configuring anew would end the export.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry._logs import LoggerProvider, LogRecord, SeverityNumber

from sightline import _clock, attributes
from sightline._capture import MAX_CHARS, as_json
from sightline._context import carried
from sightline._safety import log, record_fault
from sightline.logs import IDS

EXTRAS_MAX: Final = 64  # fields of one record: a careless `extra=vars(request)` has hundreds
_NAME_MAX: Final = 256
_UNREADABLE: Final = "<unreadable>"
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", *IDS}
_CARRIED: Final = (attributes.USER_ID, attributes.SESSION_ID, attributes.FEATURE)
# Those that send; evaluators run the user's code, whose records are the user's.
_OUR_THREADS: Final = (
    "sightline-spans",
    "sightline-traces",  # from the spool, as `sightline-logs-spool`
    "sightline-logs",
    "sightline-budgets",
    "sightline-prices",
)
# Python's levels in OpenTelemetry's; between two of them there are three finer steps.
_SEVERITIES: Final = ((50, 21), (40, 17), (30, 13), (20, 9), (10, 5))
_FINER: Final = 3
_NOTHING: Final = (None, None, None)  # what exc_info is where nothing was raised

Raised = tuple[type[BaseException], BaseException | None, TracebackType | None]


class LogExport:
    """Sends records of this level and above. It never raises, and never waits."""

    def __init__(self, level: int, provider: LoggerProvider) -> None:
        self._level, self._provider = level, provider
        self._busy = threading.local()

    def take(self, record: logging.LogRecord) -> None:
        if record.levelno < self._level or _is_ours(record) or getattr(self._busy, "now", False):
            return
        self._busy.now = True
        try:
            self._provider.get_logger(record.name).emit(_as_otlp(record))
        except Exception as error:
            record_fault("LogExport", error)
        finally:
            self._busy.now = False


_loggers: Final[Any] = logging.Logger  # all of them come by its `callHandlers`
_original: Callable[[logging.Logger, logging.LogRecord], None] = _loggers.callHandlers
_lock = threading.Lock()
_exports: tuple[LogExport, ...] = ()
_standing = False  # whether we stand before `_original`, perhaps with others before us


def exporting(level: int | None, provider: LoggerProvider) -> Callable[[], None]:
    """Send what loggers let through from this level on (None: nothing); returns the way to end that."""
    if level is None:
        return lambda: None
    export = LogExport(level, provider)
    _change((*_exports, export))
    return lambda: _change(tuple(other for other in _exports if other is not export))


def _change(exports: tuple[LogExport, ...]) -> None:
    """Stand where all records come by while there are exports; who has come to stand before us stays."""
    global _exports, _original, _standing
    with _lock:
        _exports = exports
        if exports and not _standing:
            _original, _loggers.callHandlers, _standing = _loggers.callHandlers, _call_handlers, True
        elif not exports and _loggers.callHandlers is _call_handlers:
            _loggers.callHandlers, _standing = _original, False


def _call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
    for export in _exports:
        export.take(record)
    _original(logger, record)


def _is_ours(record: logging.LogRecord) -> bool:
    name = record.name
    return (
        name == log.name
        or name.startswith(f"{log.name}.")
        or (record.threadName or "").startswith(_OUR_THREADS)
    )


def _as_otlp(record: logging.LogRecord) -> LogRecord:
    body, fields = _said(record)
    around = carried()
    offset_ns = around.get(attributes.BACKDATE_NS, 0)
    values = {key: around[key] for key in _CARRIED if key in around} | _extras(fields)
    return LogRecord(
        timestamp=round(record.created * 1e9) - offset_ns,
        observed_timestamp=_clock.now_ns() - offset_ns,
        context=otel_context.get_current(),
        severity_text=record.levelname,
        severity_number=severity(record.levelno),
        body=body,
        attributes=values | _where(record) | _raised(_raised_in(record, fields)),
    )


def severity(level: int) -> SeverityNumber:
    """OpenTelemetry's severity of a level of Python's; what is below DEBUG is a trace."""
    for python, otel in _SEVERITIES:
        if level >= python:
            return SeverityNumber(otel + min((level - python) // 3, _FINER))
    return SeverityNumber.TRACE


def _said(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """The record's words, and its fields. structlog hands on a map, whose `event` is what was said."""
    fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    message: object = record.msg
    if isinstance(message, Mapping) and not record.args:
        if isinstance(event := message.get("event"), str):
            return _bounded(event), fields | {k: v for k, v in message.items() if k != "event"}
        return as_json(message), fields
    try:
        return _bounded(record.getMessage()), fields
    except Exception:  # a format that does not fit its arguments: `logging` itself complains of that
        return _bounded(message) if isinstance(message, str) else as_json(message), fields


def _extras(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What the author gave beside the words, as attributes; names that begin with _ are libraries' own."""
    kept: dict[str, Any] = {}
    for name, value in fields.items():
        if len(kept) >= EXTRAS_MAX:
            break
        if isinstance(name, str) and not name.startswith("_") and value is not None and name != "exc_info":
            kept[name[:_NAME_MAX]] = _plain(value)
    return kept


def _plain(value: Any) -> Any:
    """One value that cannot even be asked for its class costs itself, not the record."""
    try:
        if isinstance(value, str):
            return _bounded(value)
        return value if isinstance(value, bool | int | float) else as_json(value)
    except Exception:
        return _UNREADABLE


def _where(record: logging.LogRecord) -> dict[str, Any]:
    """The place in the code, and the thread."""
    values: dict[str, Any] = {
        attributes.CODE_FILE: record.pathname,
        attributes.CODE_FUNCTION: record.funcName,
        attributes.CODE_LINE: record.lineno,
        attributes.CODE_STACK: record.stack_info and _bounded(record.stack_info),
        attributes.THREAD_NAME: record.threadName,
    }
    return {name: value for name, value in values.items() if value is not None}


def _raised_in(record: logging.LogRecord, fields: Mapping[str, Any]) -> Raised | None:
    """What the record was logged for: `exc_info` in any of the ways that logging and structlog take it."""
    given = record.exc_info or fields.get("exc_info")
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    kind, error, where = given if isinstance(given, tuple) else sys.exc_info() if given else _NOTHING
    return None if kind is None else (kind, error, where)


def _raised(raised: Raised | None) -> dict[str, Any]:
    """OpenTelemetry's attributes of an exception, whose text may itself fail."""
    if raised is None:
        return {}
    kind, error, where = raised
    values = {attributes.EXCEPTION_TYPE: f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")}
    try:
        values[attributes.EXCEPTION_MESSAGE] = _bounded(str(error))
        trace = traceback.format_exception(kind, error, where)
        values[attributes.EXCEPTION_STACKTRACE] = _bounded("".join(trace))
    except Exception:
        return values
    return values


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]}<cut {len(text) - MAX_CHARS}>"

"""The program's own logs: trace and span ids on them, and, by choice, their way to the collector.

handler.addFilter(logs.TraceIds())                       "%(trace_id)s %(span_id)s" in a format
undo = logs.install_trace_ids()                          the same on all handlers that the root logger has
structlog.configure(processors=[logs.add_trace_ids, ...])
sightline.init(logs=logging.INFO)                        to the collector, beside the spans: the view `logs`
"""

import logging
from collections.abc import Callable, MutableMapping
from typing import Any, Final

from opentelemetry import trace

from sightline import attributes
from sightline._context import carried
from sightline._safety import record_fault, shielded

TRACE_ID: Final = "trace_id"
SPAN_ID: Final = "span_id"
SESSION_ID: Final = "session_id"
IDS: Final = (TRACE_ID, SPAN_ID, SESSION_ID)


def current_ids() -> dict[str, str]:
    """Ids of the current span, in lower-case hex, and of the session; '' where there is none."""
    ids = trace.get_current_span().get_span_context()
    session = str(carried().get(attributes.SESSION_ID, ""))
    if not ids.is_valid:
        return {TRACE_ID: "", SPAN_ID: "", SESSION_ID: session}
    return {TRACE_ID: f"{ids.trace_id:032x}", SPAN_ID: f"{ids.span_id:016x}", SESSION_ID: session}


class TraceIds(logging.Filter):
    """Puts `trace_id`, `span_id` and `session_id` on each record; lets all pass.

    For handlers: those of a logger are not asked about records of the loggers below it. What a record has
    already, because its author gave it in `extra`, stays.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            for name, value in current_ids().items():
                if name not in record.__dict__:
                    record.__dict__[name] = value
        except Exception as error:
            record_fault("TraceIds", error)
        return True


def install_trace_ids(*handlers: logging.Handler) -> Callable[[], None]:
    """Add `TraceIds` to these handlers (default: the root logger's); call what it returns to undo it."""
    ids, chosen = TraceIds(), handlers or tuple(logging.getLogger().handlers)
    for handler in chosen:
        handler.addFilter(ids)

    def undo() -> None:
        for handler in chosen:
            handler.removeFilter(ids)

    return undo


def add_trace_ids(
    logger: object, method_name: str, event_dict: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor: adds the ids that there are, and changes none that the event has."""
    for name, value in (_ids() or {}).items():
        if value:
            event_dict.setdefault(name, value)
    return event_dict


@shielded
def _ids() -> dict[str, str]:
    return current_ids()

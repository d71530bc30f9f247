"""What the collector says of its budgets, asked in the background and remembered.

first check ──► thread: ask ──► the last answer ◄── every check, without waiting
                 ▲      │ it did not answer: what it said before stays, and gets old
                 └──────┘ every refresh_s
"""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from opentelemetry import context as otel_context
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY

from sightline import _clock
from sightline._delivery.destination import Route
from sightline._delivery.refusal import Refusal
from sightline._fork import importing, reset_in_child
from sightline._safety import log_rarely
from sightline.budget._caps import AUTO, Budget
from sightline.budget._verdict import Finding, Status, by_status, unknown

SQL_PORT: Final = 4319  # the collector's own default
_NS_PER_S: Final = 1_000_000_000
_QUESTION: Final = b"""
select
    s.budget as budget, s.per as per, toUnixTimestamp(s.window_end) as ends_s, s.spend_usd as spend_usd,
    s.limit_usd as limit_usd, s.state as state, l.project as project, l.service as service,
    l.feature as feature, l.model as model, l.user_id as user_id
from budget_status as s
inner join budget_limits as l on l.budget = s.budget
format JSONEachRow
"""


class Statuses:
    """The budgets of the collector behind `port`, for one `Budget` that asks for them."""

    def __init__(self, budget: Budget, port: Route) -> None:
        self._budget, self._port = budget, port
        self._known: tuple[int, Sequence[Status]] | None = None  # when it was asked, by the elapsed clock
        self.stale = True
        self._reset()
        reset_in_child(self._reset)

    def _reset(self) -> None:
        """No thread yet; a forked child goes by its parent's last answer until it has one of its own."""
        self._lock = threading.Lock()
        self._tried = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def findings(self, service: str, values: Mapping[str, Any], model: str | None) -> Iterator[Finding]:
        """What each budget says that covers such a call; whose window is over says nothing."""
        statuses = self._statuses()
        if statuses is None:
            yield unknown(self._budget, self._port.address)
            return
        now_s = _clock.now_ns() / _NS_PER_S
        for status in statuses:
            if status.ends_s > now_s and status.covers(self._budget.project, service, values, model):
                yield by_status(status)

    def close(self) -> None:
        self._closed.set()

    def _statuses(self) -> Sequence[Status] | None:
        """The last answer; None when there is none, or it is too old."""
        self._ensure_thread()
        if self._known is None and self._budget.on_unknown == "deny":
            self._tried.wait(self._budget.timeout_s)  # or else each program's first call would be denied
        known = self._known
        if known is None or _clock.elapsed_ns() - known[0] > self._budget.max_age_s * _NS_PER_S:
            return None
        return known[1]

    def _ensure_thread(self) -> None:
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                thread = threading.Thread(target=self._run, name="sightline-budgets", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return  # the interpreter is going down
                self._thread = thread

    def _run(self) -> None:
        token = otel_context.attach(otel_context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        closed = self._closed
        try:
            while not closed.is_set():
                self._ask()
                self._tried.set()
                closed.wait(self._budget.refresh_s)
        finally:
            otel_context.detach(token)

    def _ask(self) -> None:
        asked_ns = _clock.elapsed_ns()
        try:
            self._known, self.stale = (asked_ns, answered(self._port)), False
        except Exception as error:
            self.stale = True
            log_rarely(
                "budgets",
                "Sightline does not know the collector's budgets: %s (%s); %s",
                self._port.address,
                _why(error),
                "calls are denied" if self._budget.on_unknown == "deny" else "calls are allowed",
            )


def answered(route: Route) -> tuple[Status, ...]:
    """The budgets in force as the SQL port tells them. Raises ConnectionError, and ValueError."""
    with importing:
        from sightline._delivery.http import HttpTransport
    port = HttpTransport(route, content_type="text/plain")
    try:
        answer = port.send(_QUESTION)
    finally:
        port.close()
    if isinstance(answer, Refusal):
        raise ConnectionError(answer.detail)
    rows = (json.loads(line, parse_float=Decimal) for line in answer.decode().splitlines())
    return tuple(_status(row) for row in rows)


def port_of(budget: Budget | None, spans: Route) -> Route | None:
    """Where a budget asks the collector, and with what; None when it asks nobody.

    The headers that spans are sent with, an API key among them, go along to the same host, and never in the
    clear when spans are sent over TLS.
    """
    address = address_of(budget.collector, spans.url) if budget else ""
    if not budget or not address:
        return None
    asked, sent = urlsplit(address), _parts(spans.url)
    same = asked.hostname == sent.hostname and (asked.scheme == "https" or sent.scheme != "https")
    headers = spans.headers if same else ()
    return replace(spans, url=address, headers=headers, timeout_s=budget.timeout_s, compression="none")


def address_of(collector: str | None, endpoint: str) -> str:
    """Where budgets are asked for, of what a Budget names and where spans are sent to; '' is nowhere."""
    if collector != AUTO:
        return collector or ""
    parts = _parts(endpoint)
    host, scheme = parts.hostname or "127.0.0.1", "https" if parts.scheme == "https" else "http"
    return f"{scheme}://[{host}]:{SQL_PORT}" if ":" in host else f"{scheme}://{host}:{SQL_PORT}"


def _parts(endpoint: str) -> SplitResult:
    return urlsplit(endpoint if "://" in endpoint else f"http://{endpoint}")


def _status(row: Mapping[str, Any]) -> Status:
    money = {name: Decimal(row[name]) for name in ("spend_usd", "limit_usd")}
    return Status(**{**row, **money, "ends_s": int(row["ends_s"])})


def _why(error: Exception) -> str:
    """Without what the answer says: it may be anybody's."""
    return str(error) if isinstance(error, ConnectionError) else type(error).__name__

"""Plays the visits against the desk, several at once, each at its own time in the past two weeks."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, cast

from openai import OpenAI

import sightline
from sightline import testing
from sightline_collector.demo.agent import Desk
from sightline_collector.demo.documents import Library
from sightline_collector.demo.visits import Visit, rating

VISITORS_AT_ONCE: Final = 16
READING_TIME: Final = timedelta(seconds=90)  # between an answer and its thumb


class Traffic:
    """Counts what happened: outcomes, thumbs, visits."""

    def __init__(
        self, client_of: Callable[[int], OpenAI], library: Library, seed: int, watch: Callable[[int], None]
    ) -> None:
        """`client_of` gives the client for a day; `watch` is told how many visits are done."""
        self._client_of, self._library, self._seed, self._watch = client_of, library, seed, watch
        self._desks: dict[int, Desk] = {}
        self._lock = threading.Lock()
        self.counted: Counter[str] = Counter()

    def play(self, visits: Sequence[Visit]) -> None:
        """Play them all; raises what a visit raises, which is a fault of the demo's.

        When it is interrupted, visits that have begun come to their end, and no other begins.
        """
        with ThreadPoolExecutor(VISITORS_AT_ONCE, thread_name_prefix="visitor") as visitors:
            try:
                for done, _ in enumerate(visitors.map(self._visit, visits), 1):
                    self._watch(done)
            except BaseException:
                visitors.shutdown(cancel_futures=True)
                raise

    def _visit(self, visit: Visit) -> None:
        with _at(_moment(visit)):
            reply = self._desk(visit.day).handle(visit.request)
        thought = rating(visit, reply, self._seed)
        if thought:
            with _at(_moment(visit, later=READING_TIME)), _who(visit):
                sightline.feedback(
                    reply.traceparent,
                    thumbs=cast(Literal["up", "down"], thought.thumbs),
                    comment=thought.comment,
                    correction=thought.correction,
                )
        self._count(reply.outcome, f"thumbs {thought.thumbs}" if thought else "no thumb")

    def _desk(self, day: int) -> Desk:
        with self._lock:
            if day not in self._desks:
                self._desks[day] = Desk(self._client_of(day), self._library)
            return self._desks[day]

    def _count(self, *what: str) -> None:
        with self._lock:
            self.counted.update(what)


def _moment(visit: Visit, later: timedelta = timedelta()) -> datetime | None:
    """The visit's time on its day; None for today, whose visits happen now."""
    if visit.day == 0:
        return None
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=visit.day, seconds=visit.second) + later


def _at(moment: datetime | None) -> AbstractContextManager[None]:
    return testing.at(moment) if moment else nullcontext()


@contextmanager
def _who(visit: Visit) -> Iterator[None]:
    asked = visit.request
    with sightline.context(user_id=asked.user_id, session_id=asked.session_id, feature=asked.feature):
        yield

"""The queue between the program and the network."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from sightline import _safety
from sightline._delivery.limits import Limits
from sightline._delivery.refusal import Refusal
from sightline._delivery.shipping import Shipper

QUICK = Limits(max_items=10, max_bytes=1_000, batch_items=4, batch_bytes=1_000, delay_s=0.01)


class Line:
    """A shipper, what it sent and what it lost; `held` keeps every send waiting."""

    def __init__(self, limits: Limits = QUICK, *, keeps: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.lost: Counter[str] = Counter()
        self.open = threading.Event()
        self.open.set()
        self.answer: Callable[[Sequence[int]], Refusal | None] = lambda batch: None
        self.kept: list[int] = []
        self.full: str | None = None
        self.shipper = Shipper(
            "test",
            self._send,
            weigh=lambda item: 1,
            lost=self._lose,
            limits=limits,
            keep=self._put_aside if keeps else None,
        )

    @property
    def sent(self) -> list[int]:
        return [item for batch in self.batches for item in batch]

    def _send(self, batch: Sequence[int]) -> Refusal | None:
        assert self.open.wait(30)
        refusal = self.answer(batch)
        if refusal is None:
            self.batches.append(list(batch))
        return refusal

    def _lose(self, reason: str, items: int) -> None:
        self.lost[reason] += items

    def _put_aside(self, batch: Sequence[int]) -> str | None:
        if self.full is None:
            self.kept += batch
        return self.full


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.open.set()
    made.shipper.close(30)


@pytest.fixture
def keeping() -> Iterator[Line]:
    """A line with somewhere to put what cannot be sent now."""
    made = Line(keeps=True)
    yield made
    made.open.set()
    made.shipper.close(30)


def nobody(batch: Sequence[int]) -> Refusal:
    return Refusal("unreachable", later=True)


def test_everything_arrives_in_order_and_in_batches(line: Line) -> None:
    """Items leave in the order they came, no batch is larger than its bound."""
    line.open.clear()
    for item in range(9):
        line.shipper.put(item)
    line.open.set()
    assert line.shipper.flush(30)
    assert line.sent == list(range(9))
    assert max(map(len, line.batches)) <= 4
    assert (line.shipper.sent, line.shipper.queued, line.lost) == (9, 0, {})


def test_a_lone_item_leaves_after_the_delay(line: Line, until: Callable[..., None]) -> None:
    """Nobody has to flush."""
    line.shipper.put(1)
    until(lambda: line.shipper.sent == 1)
    assert line.batches == [[1]]


def test_a_full_queue_drops_what_comes_and_counts_it(line: Line) -> None:
    """Of what does not fit nothing is sent and each is counted; the program never waits."""
    line.open.clear()
    for item in range(30):
        line.shipper.put(item)
    line.open.set()
    assert line.shipper.flush(30)
    assert line.sent == sorted(line.sent)
    assert line.sent[:10] == list(range(10))
    assert len(line.sent) + line.lost["queue_full"] == 30
    assert line.lost["queue_full"] >= 30 - 10 - 4  # the queue, and one batch on its way


def test_bytes_are_bounded_too(line: Line) -> None:
    """A few fat items fill the queue as many thin ones do."""
    line.shipper._weigh = lambda item: 400
    line.open.clear()
    for item in range(8):
        line.shipper.put(item)
    assert line.lost["queue_full"] >= 8 - 2 - 3
    line.open.set()
    assert line.shipper.flush(30)
    assert len(line.sent) + line.lost["queue_full"] == 8


@pytest.mark.parametrize("refusal", ["answers no", "raises"])
def test_a_refused_batch_is_lost_and_counted(line: Line, refusal: str) -> None:
    """A batch that the collector did not take for good is counted, and the next one is tried."""

    def refuse(batch: Sequence[int]) -> Refusal:
        line.answer = lambda batch: None
        if refusal == "raises":
            raise OSError("no route")
        return Refusal()

    line.answer = refuse
    line.shipper.put(1)
    assert line.shipper.flush(30)
    line.shipper.put(2)
    assert line.shipper.flush(30)
    assert (line.sent, line.lost) == ([2], {"export_failed": 1})
    _safety.forget_faults()


def test_a_collector_that_is_not_there_is_waited_for(line: Line, until: Callable[..., None]) -> None:
    """What may be taken later stays in the queue, in its order, and leaves when somebody is there again."""
    tries = Counter[str]()

    def nobody(batch: Sequence[int]) -> Refusal:
        tries["nobody"] += 1
        return Refusal("unreachable", later=True)

    line.answer = nobody
    line.shipper.put(1)
    until(lambda: tries["nobody"])
    for item in range(2, 6):
        line.shipper.put(item)
    line.answer = lambda batch: None
    until(lambda: line.sent == [1, 2, 3, 4, 5])
    assert line.lost == {}


def test_a_flush_does_not_wait_for_a_collector_that_is_not_there(line: Line) -> None:
    """It tries at once, and answers False instead of waiting its whole time."""
    line.answer = lambda batch: Refusal("unreachable", later=True)
    line.shipper.put(1)
    assert not line.shipper.flush(60)
    assert not line.shipper.flush(60)
    line.answer = lambda batch: None
    assert line.shipper.flush(60)
    assert line.sent == [1]


def test_closing_without_a_collector_counts_what_is_left() -> None:
    """At the exit what nobody took is lost, by reason, and nothing is missing in the count."""
    line = Line()
    line.answer = lambda batch: Refusal("unreachable", later=True)
    for item in range(6):
        line.shipper.put(item)
    assert not line.shipper.close(60)
    line.shipper.flush(30)
    assert (sum(line.lost.values()), line.shipper.queued) == (6, 0)


def test_a_request_that_is_too_large_is_split(line: Line) -> None:
    """A batch refused as a whole goes in halves; only what is refused alone is lost."""

    def picky(batch: Sequence[int]) -> Refusal | None:
        return Refusal("refused_413", splits=True) if len(batch) > 2 or 2 in batch else None

    line.answer = picky
    for item in range(4):
        line.shipper.put(item)
    assert line.shipper.flush(30)
    assert (line.sent, line.lost) == ([0, 1, 3], {"refused_413": 1})


def test_a_batch_taken_in_part_is_counted_in_part(line: Line) -> None:
    """Some may be rejected and the others taken: each is counted as what it is, nothing is sent again."""
    line.answer = lambda batch: Refusal("rejected", items=1)
    for item in range(3):
        line.shipper.put(item)
    assert line.shipper.flush(30)
    assert (line.shipper.sent + line.lost["rejected"], line.shipper.queued) == (3, 0)
    assert line.lost["rejected"] >= 1


def test_closing_sends_what_is_there() -> None:
    """Nothing that was put before the close is lost."""
    line = Line(replace(QUICK, delay_s=60))
    for item in range(6):
        line.shipper.put(item)
    assert line.shipper.close(30)
    assert (sorted(line.sent), line.lost) == (list(range(6)), {})


def test_what_comes_after_the_close_is_counted() -> None:
    """A span that ends after the shutdown is lost, by name."""
    line = Line()
    line.shipper.close(30)
    line.shipper.put(1)
    assert line.lost == {"closed": 1}


def test_closing_gives_up_in_time() -> None:
    """A collector that does not answer holds an exit up no longer than the bound; the rest is counted."""
    line = Line()
    line.open.clear()
    for item in range(8):
        line.shipper.put(item)
    assert not line.shipper.close(0.05)
    assert line.lost["closed"] >= 4
    line.open.set()


def test_flush_answers_whether_all_left_in_time(line: Line) -> None:
    """False says that something is still on its way."""
    line.open.clear()
    line.shipper.put(1)
    assert not line.shipper.flush(0.05)
    line.open.set()
    assert line.shipper.flush(30)


def test_many_threads_lose_nothing(line: Line) -> None:
    """Put from several threads at once, every item is either sent or counted as lost."""
    threads = [
        threading.Thread(target=lambda: deque(map(line.shipper.put, range(2_000)), maxlen=0))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert line.shipper.flush(30)
    assert len(line.sent) + line.lost["queue_full"] == 8_000


def test_a_going_down_interpreter_still_sends(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """When no thread can be started any more, the flush itself sends."""

    def refuse(thread: Any) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    line.shipper.put(1)
    assert line.shipper.flush(30)
    assert line.sent == [1]


# -- With somewhere to put what cannot be sent now -------------------------------------------------


def test_what_may_be_taken_later_is_kept(keeping: Line) -> None:
    """The queue does not fill up; kept is neither sent nor lost."""
    keeping.answer = nobody
    for item in range(9):
        keeping.shipper.put(item)
    assert keeping.shipper.flush(30)
    assert sorted(keeping.kept) == list(range(9))
    assert (keeping.shipper.kept, keeping.shipper.sent, keeping.shipper.queued, keeping.lost) == (9, 0, 0, {})


def test_what_is_refused_for_good_is_not_kept(keeping: Line) -> None:
    """Nobody would take it later either."""
    keeping.answer = lambda batch: Refusal("refused_400")
    keeping.shipper.put(1)
    assert keeping.shipper.flush(30)
    assert (keeping.kept, keeping.lost) == ([], {"refused_400": 1})


def test_a_full_place_leaves_the_queue_and_is_blamed_for_it(keeping: Line) -> None:
    """Then items wait in memory as without it; those that do not fit there are lost by the place's name."""
    keeping.answer, keeping.full = nobody, "spool_full"
    keeping.shipper.put(0)
    assert not keeping.shipper.flush(30)
    for item in range(1, 12):
        keeping.shipper.put(item)
    assert keeping.lost == {"spool_full": 1}
    keeping.answer = lambda batch: None
    assert keeping.shipper.flush(30)
    assert keeping.sent == list(range(11))


def test_closing_keeps_what_could_not_be_sent_in_time() -> None:
    """Also the batch that is on its way and does not come back: it may arrive twice, but not never."""
    line = Line(replace(QUICK, delay_s=60), keeps=True)
    line.open.clear()
    for item in range(9):
        line.shipper.put(item)
    assert not line.shipper.close(0.05)
    line.shipper.give_up(0.05)
    assert (sorted(line.kept), line.lost) == (list(range(9)), {})
    line.answer = nobody
    line.open.set()
    assert line.shipper.flush(30)
    assert (len(line.kept), line.shipper.sent) == (9, 0)


def test_giving_up_counts_the_batch_on_its_way() -> None:
    """Nothing is lost in silence: what was under way when the program ended is lost by name."""
    line = Line()
    line.open.clear()
    for item in range(8):
        line.shipper.put(item)
    line.shipper.close(0.05)
    line.shipper.give_up(0.05)
    assert line.lost == {"closed": 8}
    line.open.set()

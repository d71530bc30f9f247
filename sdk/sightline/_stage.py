"""Stages: named shares of a trace's time, for the latency breakdown."""

from collections.abc import Iterator
from contextlib import contextmanager

from sightline import attributes
from sightline._spans.open import OpenSpan


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Put the time of the block under this stage: one of `attributes.STAGES`, or a name of your own."""
    opened = OpenSpan(name, {attributes.OPERATION: "step", attributes.STAGE: name})
    opened.activate()
    try:
        yield
    except BaseException as error:
        opened.fail(error)
        raise
    finally:
        opened.end()

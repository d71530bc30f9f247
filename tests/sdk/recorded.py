"""What a test wants of the spans that were recorded."""

from sightline.testing import Captured, CapturedSpan


def only(seen: Captured) -> CapturedSpan:
    """The one span there is: a call is never recorded twice."""
    (span,) = seen.spans
    return span

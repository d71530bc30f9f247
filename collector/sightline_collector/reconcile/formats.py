"""Which provider's export a file is: told by what is in it, never by its name. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sightline_collector.reconcile import anthropic, aws, google, openai
from sightline_collector.reconcile.document import Document, documents
from sightline_collector.reconcile.line import FAULTS, Rates, Statement, Unreadable


@dataclass(frozen=True, slots=True)
class Format:
    """A provider's exports: whether a document is one, how it is read, and how one is got."""

    recognises: Callable[[Document], bool]
    read: Callable[[Document, Rates], Statement]
    how: str


FORMATS = (
    Format(openai.recognises, openai.read, openai.HOW),
    Format(anthropic.recognises, anthropic.read, anthropic.HOW),
    Format(google.recognises, google.read, google.HOW),
    Format(aws.recognises, aws.read, aws.HOW),
)


def statements(data: bytes, rates: Rates) -> Iterator[Statement]:
    """What the file says, or each file in a .zip. Raises Unreadable, which says what is understood."""
    for document in documents(data):
        found = next((known for known in FORMATS if known.recognises(document)), None)
        if found is None:
            raise Unreadable(
                "the file is no usage or cost export that is known here",
                "these are, and so they are got:\n" + "\n".join(known.how for known in FORMATS),
            )
        statement = _read(found, document, rates)
        if not statement.days and not statement.beside:
            raise Unreadable(
                f"none of the file's lines could be read as {statement.format}",
                "the first: " + "; ".join(f"line {n}: {why}" for n, why in statement.refused[:3])
                if statement.refused
                else "it has only a heading: export it for days with usage",
            )
        yield statement


def _read(known: Format, document: Document, rates: Rates) -> Statement:
    try:
        return known.read(document, rates)
    except FAULTS as e:
        raise Unreadable(f"the file is damaged ({e!r})", "fetch it again, or for other days") from None

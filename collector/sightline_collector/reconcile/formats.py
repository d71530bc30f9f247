"""Which provider's export a file is: told by what is in it, never by its name. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sightline_collector.reconcile import anthropic, aws, google, openai
from sightline_collector.reconcile.document import Document, Table, documents
from sightline_collector.reconcile.line import FAULTS, Rates, Statement, Unreadable

NAMES_MAX, NAME_CHARACTERS_MAX = 8, 40
"""Of what an unknown file has, so much is named."""


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
                f"the file is no usage or cost export that is known here: it has {_found(document)}",
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


def _found(document: Document) -> str:
    """The names in it by which it would be told."""
    if isinstance(document, Table):
        return "the columns " + _few(document.columns)
    names = dict.fromkeys(name for _, value in document.values[:NAMES_MAX] for name in value)
    return "the keys " + _few(tuple(names)) if names else "no keys"


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(name[:NAME_CHARACTERS_MAX] for name in names[:NAMES_MAX])
    return shown + (f" and {len(names) - NAMES_MAX} more" if len(names) > NAMES_MAX else "")


def _read(known: Format, document: Document, rates: Rates) -> Statement:
    try:
        return known.read(document, rates)
    except FAULTS as e:
        raise Unreadable(f"the file is damaged ({e!r})", "fetch it again, or for other days") from None

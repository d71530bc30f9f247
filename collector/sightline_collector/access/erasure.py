"""The whole erasure of a subject: log, store, dead letters, then a search of all files, and a certificate.

::

    log ──flush──▶ store ──delete, redact, old files gone──▶ dead letters anew ──▶ search ──▶ certificate

What is received while it runs is not part of it: the certificate says until when.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from sightline_collector.access import unfinished
from sightline_collector.access.erase import Erased, erase, known, of_others
from sightline_collector.access.places import places
from sightline_collector.access.redact import Redacted, redact
from sightline_collector.access.redaction import PLACEHOLDER, Redaction
from sightline_collector.access.rewriting import rewriting
from sightline_collector.access.search import PART, SCHEMA, Found, Needles, Searched, search
from sightline_collector.access.subject import Asked, Subject, without
from sightline_collector.errors import LogClosed
from sightline_collector.receive.check import REQUESTS
from sightline_collector.sql.catalog import DERIVED, Catalog
from sightline_collector.store.durable import sync_all
from sightline_collector.store.engine import Engine
from sightline_collector.wal.dead_letter import DeadLetters, Letter
from sightline_collector.wal.segment import Entry, Record, frame, records

NOT_COVERED = [
    "backups and other copies that were made before",
    "what was received after received_before",
    "what senders hold: an SDK's queue and its spool folder, and the queues of collectors in between",
    "blocks that the file system has freed and not overwritten",
    f"{unfinished.FOLDER}/ in the data folder: the ids of their traces, until a certificate is complete",
]
LEFT_AS_THEY_ARE = "what others say of them is left: `sightline forget --redact-mentions` redacts it"
OF_SERVER = "the store is a server, whose files are its own: its rows were counted, its bytes not searched"


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def forget(
    engine: Engine,
    folder: Path,
    letters: DeadLetters,
    asked: Asked,
    flushed_at: datetime,
    stopping: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Erases what was stored by `flushed_at` and says what was done. Blocking; raises a Fault, OSError."""
    subject = known(engine, asked.user, asked.session)
    subject = replace(subject, traces=unfinished.remembered(folder, subject.digest, subject.traces))
    with rewriting(engine, partial(_pause, stopping)) as work:
        tables = erase(engine, subject, work)
        shared = of_others(engine, subject.traces)
        redaction = Redaction(asked.names, subject.traces - shared) if asked.redact else None
        redacted = redact(engine, redaction, work) if redaction else Redacted()
    not_yet_gone = [] if engine.embedded else work.left  # of the embedded store every file is searched
    put_anew = _clean_letters(letters, subject, redaction)
    sought = replace(subject, traces=redaction.traces) if redaction else subject
    needles = Needles(sought, redaction, _schema(engine.database))
    torn = _remove_torn(folder / "wal" / "torn", needles)
    searched = Searched()
    found = _searched(folder, engine, needles, searched)
    certificate = {
        "subject_sha256": subject.digest,
        "of": "a session of a user" if asked.session else "a user",
        "received_before": flushed_at.isoformat(),
        "finished_at": utc_now().isoformat(),
        "sightline": version("sightline"),
        "store": str(engine.url),
        "traces": len(subject.traces),
        "tables": [asdict(table) for table in tables],
        "mentions": _mentions(asked, redacted, shared),
        "dead_letters": put_anew,
        "damaged_pieces_of_the_log": torn,
        "not_yet_gone": not_yet_gone,
        "search": _search_said(engine, searched, found),
        "not_covered": NOT_COVERED,
        "complete": _is_complete(found, searched, tables, redacted) and not not_yet_gone,
    }
    if certificate["complete"] or not subject.traces:
        unfinished.done(folder, subject.digest)
    return {**certificate, "sha256": digest(certificate)}


def _mentions(asked: Asked, redacted: Redacted, shared: Collection[str]) -> object:
    if not asked.redact:
        return LEFT_AS_THEY_ARE
    return {
        "names": len(asked.names),
        "replaced_by": PLACEHOLDER,
        **redacted.said(),
        "traces_that_others_have_a_part_in": len(shared),
    }


def _schema(database: str) -> bytes:
    """Our own statements, with their comments."""
    catalog = Catalog(database)
    own = (relation for folder in ("tables", *DERIVED) for relation in catalog.relations(folder))
    return "\n".join(f"{one.name}\n{one.header}\n{one.body}" for one in own).encode()


def _searched(folder: Path, engine: Engine, needles: Needles, searched: Searched) -> list[Found]:
    """What still holds them, in files that a power cut leaves as they are: a segment let go or a part that it
    brings back would be stored again."""
    stores = [engine.url.path] if engine.url.path else []
    for place in places(folder, *stores):
        if place.is_dir():
            sync_all(place)
    every = search(folder, needles, searched, *stores)
    return [one for one in every if not one.file.startswith(f"{unfinished.FOLDER}/")]


def _search_said(engine: Engine, searched: Searched, found: list[Found]) -> dict[str, object]:
    return {
        **asdict(searched),
        "what": "the id and the ids of their traces, in every file of the data folder, of the store, and of"
        " where links in them lead, compressed or not",
        "found": [asdict(one) for one in found],
        **({} if engine.embedded else {"store": OF_SERVER}),
    }


def _is_complete(found: list[Found], searched: Searched, tables: list[Erased], redacted: Redacted) -> bool:
    """A name within a longer word, or a word of the schema's, is told, and no mention. What could not be read
    may hold anything."""
    left = any(table.left for table in tables) or redacted.left.total()
    return not left and not searched.unreadable and all(one.what in (PART, SCHEMA) for one in found)


def _pause(stopping: Callable[[], bool], seconds: float) -> None:
    if stopping():
        raise LogClosed("The collector is stopping", hint="ask again once it runs: what is erased stays so")
    time.sleep(seconds)


def digest(certificate: dict[str, Any]) -> str:
    """SHA-256 of a certificate without its own: of its JSON with sorted keys and no spaces."""
    said = {name: value for name, value in certificate.items() if name != "sha256"}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _clean_letters(letters: DeadLetters, subject: Subject, redaction: Redaction | None) -> dict[str, int]:
    done = {"searched": 0, "changed": 0, "removed": 0, "items": 0}
    for letter in letters.letters():
        done["searched"] += 1
        framed = _read(letters, letter)
        whole = records(framed)
        gone, left = _cleaned(letter, framed, whole[0], subject, redaction) if whole else (0, b"")
        why = redaction.text(letter.why.encode()).decode() if redaction else letter.why
        if whole and left == framed and why == letter.why:
            continue
        if left:
            letters.put(letter.signal, left, records(left)[0], why, letter.code)
        if left != framed or not left:
            letters.drop(letter)
        done["changed" if left else "removed"] += 1
        done["items"] += gone
    return done


def _read(letters: DeadLetters, letter: Letter) -> bytes:
    """A letter's record; b"" when somebody has removed it: then there is none to be kept."""
    try:
        return letters.read(letter)
    except FileNotFoundError:
        return b""


def _cleaned(
    letter: Letter, framed: bytes, record: Record, subject: Subject, redaction: Redaction | None
) -> tuple[int, bytes]:
    """How many items of a letter are the subject's; the letter without them and their names, b"" when it has
    no others."""
    try:
        request = REQUESTS[letter.signal].FromString(bytes(record.body(framed)))
    except DecodeError:
        return record.items, b""
    gone = without(request, letter.signal, subject)
    named = redaction.message(request) if redaction else 0
    if not gone and not named:
        return 0, framed
    body = request.SerializeToString()
    if not body:
        return gone, b""
    entry = Entry(body, max(0, record.items - gone), record.project, record.received_at_ns)
    length, trailer = frame(entry, record.batch, record.writer)
    return gone, length + body + trailer


def _remove_torn(folder: Path, needles: Needles) -> dict[str, int]:
    """What was cut off the log is no request any more: a piece that holds the subject goes as a whole."""
    pieces = [path for path in folder.glob("*") if path.is_file()] if folder.is_dir() else []
    theirs = [path for path in pieces if set(needles.within(path.read_bytes(), raw=True)) - {PART}]
    for path in theirs:
        path.unlink()
    return {"searched": len(pieces), "removed": len(theirs)}

"""Sends stored requests to a collector over OTLP/HTTP, and waits where the answer says that waiting helps.

What was acknowledged, which only an answer of OTLP that rejects nothing is, is written down beside its
segment at once (`SEGMENT.sent`, a line for each request): a run that was cut short goes on where it stopped,
and sends at most the request that was under way twice. A segment or dead letter whose requests were all sent
is moved to `replayed/` in its folder: no start stores it once more, or lists it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from google.protobuf.message import DecodeError

from sightline_collector.errors import FolderUnusable, OwnFault
from sightline_collector.operate.direct import NoRedirects
from sightline_collector.operate.segments import SegmentFile
from sightline_collector.receive.answer import PROTOBUF, rejected
from sightline_collector.wal.dead_letter import REASON
from sightline_collector.wal.folder import lock_folder
from sightline_collector.wal.segment import Damage, Record, Signal, read

ANSWER_S = 60.0
PATIENCE_S = 120.0
"""How long one request is tried again before the run stops: a collector restarts within seconds."""
PAUSE_S = 1.0
"""Between tries when the answer names no time."""
RETRIED = frozenset({429, 502, 503, 504})
"""The status codes that OTLP 1.11 lets a sender try again."""

ANSWER_BYTES_MAX = 1 << 20
REPLAYED = "replayed"

Send = Callable[[Signal, bytes], None]


class NotDelivered(OwnFault):
    """The collector that requests are sent to does not take them."""

    reason = "not_delivered"


@dataclass(slots=True)
class Delivered:
    """What a run did: requests and items sent, requests that an earlier run had sent, damaged bytes, and
    segments that hold requests of other projects still."""

    requests: int = 0
    items: int = 0
    before: int = 0
    damaged_bytes: int = 0
    left: int = 0


def sender(
    url: str,
    headers: Mapping[str, str],
    pause: Callable[[float], None] = time.sleep,
    patience_s: float = PATIENCE_S,
) -> Send:
    """Sends one request to `url`/v1/SIGNAL and returns once it is acknowledged; raises NotDelivered."""
    said = {"Content-Type": "application/x-protobuf", **headers}
    opener = build_opener(ProxyHandler({}), NoRedirects())

    def send(signal: Signal, body: bytes) -> None:
        address = f"{url.rstrip('/')}/v1/{signal}"
        give_up_s = time.monotonic() + patience_s
        while True:
            try:
                request = Request(address, body, said)  # noqa: S310 - an operator's
                with opener.open(request, timeout=ANSWER_S) as response:
                    return _check_taken(signal, response, address)
            except HTTPError as e:
                wait_s, why = _read_refusal(e, address)
            except (OSError, HTTPException, ValueError) as e:
                wait_s, why = PAUSE_S, f"{address} does not answer ({getattr(e, 'reason', e)})"
            if time.monotonic() + wait_s > give_up_s:
                raise NotDelivered(why, hint="mend that and run this again: it goes on where it stopped")
            pause(wait_s)

    return send


def _check_taken(signal: Signal, response: HTTPResponse, address: str) -> None:
    """Raises NotDelivered unless the answer is OTLP's, and acknowledges the whole request."""
    kind = response.headers.get_content_type()
    try:
        if response.status != HTTPStatus.OK or kind != PROTOBUF.decode():
            raise DecodeError
        count, words = rejected(signal, response.read(ANSWER_BYTES_MAX))
    except DecodeError:
        raise NotDelivered(
            f"{address} answered {response.status} with {kind}, which is no answer of OTLP",
            hint="name the collector's own address: something else answers there",
        ) from None
    if count:
        raise NotDelivered(
            f"{address} rejected {count:,} items of a request: {_printable(words)}",
            hint="see the answer; what was sent before it is acknowledged",
        )


def _printable(words: str) -> str:
    return "".join(c if c.isprintable() else " " for c in words).strip()[:300]


def _read_refusal(error: HTTPError, address: str) -> tuple[float, str]:
    """How long to wait, and the collector's words. Raises NotDelivered for a refusal for good."""
    with error:
        said = error.read(2000).decode(errors="replace")
    there = error.headers.get("Location")
    why = f"{address} answered {error.code}: " + _printable(f"see {there}" if there else said)
    if error.code not in RETRIED:
        raise NotDelivered(why, hint="see the answer; what was sent before it is acknowledged") from None
    after = error.headers.get("Retry-After", "")
    return (float(after) if after.isdigit() else PAUSE_S), why


def deliver(files: Iterable[SegmentFile], send: Send, project: str | None = None) -> Delivered:
    """Send every whole record that was not sent before, the oldest segment first.

    `project`: only its records. Raises NotDelivered, FolderUnusable, OSError; what was sent stays noted.
    """
    done = Delivered()
    for file in files:
        content = file.path.read_bytes()
        found = list(read(content, file.batch))
        done.damaged_bytes += sum(one.end - one.start for one in found if isinstance(one, Damage))
        whole = [one for one in found if isinstance(one, Record)]
        with _noted(file) as (sent, note):
            for record in whole:
                if record.start in sent:
                    done.before += 1
                elif project in (None, record.project):
                    send(file.signal, bytes(record.body(content)))
                    note(record.start)
                    done.requests += 1
                    done.items += record.items
            all_sent = bool(whole) and all(record.start in sent for record in whole)
        if all_sent:
            _set_aside(file)
        else:
            done.left += 1
    return done


def _set_aside(file: SegmentFile) -> None:
    """A start on the folder would store it once more, or list it with what else is to be sent."""
    replayed = file.path.parent / REPLAYED
    replayed.mkdir(exist_ok=True)
    for path in (file.path, _notes_of(file), file.path.with_suffix(REASON)):
        if path.exists():
            path.rename(replayed / path.name)


def projects(files: Iterable[SegmentFile]) -> set[str]:
    """The projects that the files' records belong to."""
    return {one.project for file in files for one in file.found() if isinstance(one, Record)}


@contextmanager
def _noted(file: SegmentFile) -> Iterator[tuple[set[int], Callable[[int], None]]]:
    """The starts of records that were sent before, and how to note another one durably."""
    path = _notes_of(file)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as e:
        raise FolderUnusable(
            f"{path} cannot be written ({e.strerror})",
            hint="copy the folder to where this user may write, and send that copy",
        ) from None

    def note(start: int) -> None:
        os.write(fd, f"{start}\n".encode())
        os.fdatasync(fd)
        sent.add(start)

    try:
        lines = path.read_text()
        whole = lines[: lines.rfind("\n") + 1]  # the last line of a run that was killed may be cut
        os.ftruncate(fd, len(whole))
        sent = {int(line) for line in whole.split()}
        yield sent, note
    finally:
        os.close(fd)


def _notes_of(file: SegmentFile) -> Path:
    return file.path.with_name(f"{file.path.name}.sent")


@contextmanager
def taken(folder: Path) -> Iterator[None]:
    """A log folder for this process alone. Raises FolderInUse while a collector runs on it."""
    held = [lock_folder(one) for one in (folder, folder.parent) if (one / "lock").exists()]
    try:
        yield
    finally:
        for fd in held:
            os.close(fd)

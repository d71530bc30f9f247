"""Tells one channel, an address as apprise spells them; never shows what could be a secret of it.

Nearly all of an address can be a secret (a token in the path, a password), so what is shown or stored of it
is its scheme and, where that is a machine's name, its host and port. Plain http and https addresses are
webhooks that take JSON.
"""

from __future__ import annotations

import hashlib
import logging
import re
import warnings
from functools import cache
from typing import Any, Literal
from urllib.parse import urlsplit

TIMEOUT_S = 15.0
"""How long one channel may take: the next one waits for it."""

HOSTED = frozenset({"http", "https", "json", "jsons", "form", "forms", "xml", "xmls", "mailto", "mailtos"})
"""Schemes whose host is a machine's name; with others a token may stand in its place."""

NOTICES = {"info": "info", "warning": "warning", "critical": "failure", "over": "success"}
"""What apprise calls each tone."""
Tone = Literal["info", "warning", "critical", "over"]


@cache
def _apprise() -> Any:
    """The library with all its channels: two seconds of imports, so not before somebody is to be told."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import apprise

        apprise.Apprise.instantiate("json://localhost")
    # Both libraries' logs quote addresses, path and all.
    logging.getLogger("apprise").addHandler(logging.NullHandler())
    logging.getLogger("apprise").propagate = False
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    return apprise


def masked(address: str) -> str:
    """The address without what could be a secret."""
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname, parts.port) if parts.scheme in HOSTED else (None, None)
    except ValueError:
        return "***"
    if not host:
        return f"{parts.scheme or '?'}://***"
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}:{port}/***" if port else f"{parts.scheme}://{named}/***"


def channel_id(address: str) -> str:
    """Tells channels apart without telling what they are."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def unusable(address: str) -> str | None:
    """What is wrong with an address and what to write instead; None when it can be told."""
    if _channel(address) is not None:
        return None
    # Without a scheme it is a word that somebody typed, and no address with a secret in it.
    shown = masked(address) if "://" in address else repr(address)
    return (
        f"{shown} is no address that can be told: write a webhook as https://host/path, or one of"
        " apprise's, such as slack://TokenA/TokenB/TokenC or mailto://user:password@host"
    )


def tell(address: str, title: str, body: str, tone: Tone) -> str | None:
    """Tell a channel, waiting at most TIMEOUT_S. None when it took the message, else why it did not."""
    channel = _channel(address)
    if channel is None:
        return "no such kind of channel"
    teller = _apprise().Apprise()
    teller.add(channel)
    lines: list[str] = []
    told = teller.notify(
        body=body,
        title=title,
        notify_type=NOTICES[tone],
        body_format="text",
        timeout=TIMEOUT_S,
        log_level=logging.WARNING,
        log_callback=lambda entry, _: lines.append(entry.message),
    )
    return None if told else _reason(" ".join(lines))


def _channel(address: str) -> Any | None:
    instantiate = _apprise().Apprise.instantiate
    found = instantiate(address, suppress_exceptions=True)
    if found is None and re.match(r"https?://", address):
        webhook = re.sub(r"^http", "json", address)
        found = instantiate(webhook, suppress_exceptions=True)
    return found


def _reason(log: str) -> str:
    """Why, in words that hold nothing of the address: apprise's own may."""
    code = re.search(r"error=(\d{3})", log)
    if code:
        return f"answered {code[1]}"
    for word in ("connection", "timeout", "timed out", "socket"):
        if word in log.lower():
            return "no connection" if word in ("connection", "socket") else "no answer in time"
    return "refused"

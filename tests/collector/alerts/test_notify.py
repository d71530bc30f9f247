"""Channels: what they are sent, what is shown of them, and why they were not told."""

from __future__ import annotations

import logging
import re
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import ClassVar

import pytest
from collector.alerts.webhook import Webhook
from served import served

from sightline_collector.alerts import api
from sightline_collector.alerts.notify import channel_id, masked, tell, unusable
from sightline_collector.errors import BadConfiguration


class Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP as a mail takes."""

    mails: ClassVar[list[str]] = []

    def handle(self) -> None:
        self.wfile.write(b"220 mail\r\n")
        while line := self.rfile.readline():
            verb = line.strip().upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.mails.append(self._mail())
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return

    def _mail(self) -> str:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        return b"".join(lines).decode()


@contextmanager
def mail_server() -> Iterator[int]:
    """A mail server's port."""
    with served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox)) as address:
        yield int(address.partition(":")[2])


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("json://user:pw@hooks.example:8080/t0ken?key=t0ken", "json://hooks.example:8080/***"),
        ("https://user:t0ken@[::1]:8443/", "https://[::1]:8443/***"),
        ("https://hooks.slack.com/services/T0/B0/t0ken", "https://hooks.slack.com/***"),
        ("mailto://me:t0ken@mail.example", "mailto://mail.example/***"),
        ("slack://t0kenA/t0kenB/t0kenC", "slack://***"),
        ("t0ken", "?://***"),
        ("json://[t0ken", "***"),
    ],
)
def test_an_address_is_shown_without_secrets(address: str, shown: str) -> None:
    """Of an address only the scheme is shown, and host and port where they are a machine's."""
    assert masked(address) == shown
    assert "t0ken" not in channel_id(address)


def test_a_webhook_is_told(webhook: Webhook) -> None:
    """Title, text and tone arrive as JSON; a plain http address is a webhook too."""
    plain = webhook.address.replace("json://", "http://")
    assert tell(webhook.address, "title", "first\nsecond", "critical") is None
    assert tell(plain, "again", "body", "over") is None
    said = [(post["title"], post["message"], post["type"]) for post in webhook.posts]
    assert said == [("title", "first\nsecond", "failure"), ("again", "body", "success")]


def test_a_mail_is_sent() -> None:
    """E-mail over plain SMTP arrives with subject and text."""
    with mail_server() as port:
        address = f"mailto://127.0.0.1:{port}/?from=sightline@a.example&to=ops@b.example&mode=insecure"
        assert tell(address, "budget passed", "spend and next step", "warning") is None
    (mail,) = Mailbox.mails
    assert "budget passed" in mail
    assert "spend and next step" in mail
    assert "ops@b.example" in mail


def test_a_refusal_says_why_and_no_secret(webhook: Webhook) -> None:
    """An error answer gives its code, a dead port says so, and no log holds the address' path."""
    lines = StringIO()
    handler = logging.StreamHandler(lines)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        webhook.answers = [500]
        assert tell(webhook.address, "t", "b", "info") == "answered 500"
        assert tell("json://127.0.0.1:1/s3cret-token", "t", "b", "info") == "no connection"
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert "s3cret" not in lines.getvalue()


def test_an_unknown_kind_of_address_is_refused() -> None:
    """An address that nothing can tell is named without secrets, with what to write instead."""
    fault = unusable("carrier-pigeon://t0ken")
    assert fault is not None
    assert "carrier-pigeon://***" in fault
    assert "https://host/path" in fault
    assert unusable("https://hooks.example/path") is None


def test_a_test_notification_is_sent_or_explained(webhook: Webhook) -> None:
    """The test arrives; a channel that refuses or is none raises with what to do."""
    assert api.try_channel(webhook.address) == webhook.shown
    assert webhook.titles() == ["sightline: a test"]
    webhook.answers = [403]
    with pytest.raises(BadConfiguration, match=re.escape(f"{webhook.shown} was not told: answered 403")):
        api.try_channel(webhook.address)
    with pytest.raises(BadConfiguration, match="no address that can be told"):
        api.try_channel("nonsense")

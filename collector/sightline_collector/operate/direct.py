"""Requests that carry a key or acknowledged data go where they are sent, and nowhere else."""

from __future__ import annotations

from http.client import HTTPMessage
from typing import IO
from urllib.request import HTTPRedirectHandler, Request


class NoRedirects(HTTPRedirectHandler):
    """Takes a redirect for the answer. Followed, a POST would become a GET of a login page, which is 200, and
    the key would go to whoever is named."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """None: what was answered is raised as HTTPError."""

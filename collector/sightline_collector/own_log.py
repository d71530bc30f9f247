"""The collector's own log: structured, for people on a terminal, JSON lines otherwise."""

from __future__ import annotations

import logging
import os
import sys

import structlog


def configure(form: str) -> None:
    """Send structlog's and the libraries' records to standard error.

    `form` is text, json, or auto: text on a terminal.
    """
    # gRPC's core writes a line for whatever anyone sends that it cannot read, and asks only the environment.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
    ]
    last = structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("apprise", "httpx", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # Their retries are told by our own errors. Not urllib3: importing the client sets that one's level.
    # What uvicorn warns of, requests that are no HTTP, anyone can send: they are counted.
    for told in ("clickhouse_connect", "urllib3.connectionpool", "uvicorn.error"):
        logging.getLogger(told).setLevel(logging.ERROR)

"""Handles to a store, and what a client's exceptions mean. Every handle is made here."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from sightline_collector.errors import Fault, FolderInUse, FolderUnusable, StoreRefused, StoreUnreachable
from sightline_collector.sql.catalog import DATA
from sightline_collector.store.url import StoreUrl
from sightline_collector.store.verdict import ENGINE_SAYS

ENGINE_OPTIONS = {
    # The engine's own defaults are for a machine of its own: 5 GiB of caches, 0.9 of the memory.
    "mark_cache_size": 64 << 20,
    "index_mark_cache_size": 16 << 20,
    "primary_index_cache_size": 64 << 20,
    "uncompressed_cache_size": 0,
    "max_server_memory_usage": 1500 << 20,
    "background_pool_size": 2,
    "background_schedule_pool_size": 4,
    # The engine looks at its own memory ten times a second by default: a fifth of what an idle one spends.
    "memory_worker_period_ms": 500,
    "config-file": str(DATA / "engine.xml"),
}

ALLOCATOR = "dirty_decay_ms:30000,muzzy_decay_ms:10000,thp:always,metadata_thp:auto"
"""Keeps an insert's memory for the next one, half a minute long, in huge pages where the system gives them:
giving it back at once and asking for it anew was an eighth of the work, and after ten seconds a twentieth.
Read when the engine is loaded, so set before."""

ANSWER_S = 60
"""A server that has not answered by then is asked again: nothing here takes so long."""

WRONG_CREDENTIALS = {193, 194, 516}
CANNOT_OPEN, LOCKED = 76, "server instance"
"""What the engine says of a folder that another has; of any file without the words."""
ONE_PROCESS = "stop the other collector, or give this one a folder of its own with --store chdb:FOLDER"
OTHER_FOLDER = "make it a folder that this user may write, or choose another with --store chdb:FOLDER"
START_IT = "start it, or correct the address; chdb:./sightline-data needs no server"
NO_PATTERN = "choose a folder without any of * ? { } in its path"
COPY_LINKS = "copy it anew with its links, as `cp -a` or `rsync -a` do, or use `sightline backup`"
NOT_BEGUN, ABOVE = "EmbeddedServer", "the engine has said why above: it may be in use, or damaged"
CHECK_LOGIN = "check the user and password in the store's address"


def connect(url: StoreUrl, given: Mapping[str, Any] | None) -> Client:
    """A handle of its own to a store, with these settings. Raises a Fault."""
    settings = {"session_timezone": "UTC", **(given or {})}
    try:
        if url.path is not None:
            return _embedded(url.path, settings)
        return clickhouse_connect.get_client(
            host=url.host,
            port=url.port,
            username=url.user,
            password=url.password,
            secure=url.secure,
            settings=settings,
            autogenerate_session_id=False,
            connect_timeout=5,
            query_retries=0,  # what is to be tried again is decided above, after a count
            send_receive_timeout=ANSWER_S,
        )
    except (ClickHouseError, OSError) as e:
        raise fault_of(e, url) from None


def _embedded(path: Path, settings: Mapping[str, Any] | None) -> Client:
    refuse_pattern(path)
    _refuse_copied(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / "writable").touch()
        (path / "writable").unlink()
    except OSError as e:
        raise FolderUnusable(f"{path} cannot be used ({e.strerror})", hint=OTHER_FOLDER) from None
    _load_engine()
    return clickhouse_connect.get_client(
        interface="chdb", path=str(path), settings=dict(settings or {}), chdb_options=ENGINE_OPTIONS
    )


def refuse_pattern(path: Path) -> None:
    """Raises FolderUnusable for a folder whose files the engine could not name."""
    if set("*?{}") & set(str(path)):
        raise FolderUnusable(f"{path} would be read as a pattern of names", hint=NO_PATTERN)


def _refuse_copied(path: Path) -> None:
    """Raises FolderUnusable for a store whose tables' names are folders: the engine makes links of them, and
    stops with pages of words where it finds others."""
    for name in path.glob("data/*/*"):
        if name.is_dir() and not name.is_symlink():
            raise FolderUnusable(
                f"{path} was copied with its links followed: {name} is none", hint=COPY_LINKS
            )


def _load_engine() -> None:
    """Import chdb, without pyarrow unless it is here already: chdb would load it for the sake of data frames,
    and with it numpy, which takes a quarter of a second and 45 MB."""
    os.environ.setdefault("JE_MALLOC_CONF", ALLOCATOR)
    if {"chdb", "pyarrow"} & sys.modules.keys():
        return
    sys.modules["pyarrow"] = None  # type: ignore[assignment]
    try:
        import_module("chdb.state")
    finally:
        del sys.modules["pyarrow"]


def fault_of(error: Exception, url: StoreUrl) -> Fault:
    """A client's exception as ours: the engine's code when it answered, unreachable when it did not."""
    text = str(error)
    found = ENGINE_SAYS.search(text)
    if found is None:
        return StoreUnreachable(f"the store at {url} does not answer ({_cause(text, url)})", hint=START_IT)
    code = int(found[1])
    if code == CANNOT_OPEN and LOCKED in text and url.path is not None:
        return FolderInUse(f"another process has {url.path} open", hint=ONE_PROCESS)
    hint = CHECK_LOGIN if code in WRONG_CREDENTIALS else f"see the engine's error {code}"
    hint = ABOVE if NOT_BEGUN in text else hint
    return StoreRefused(f"the store at {url} refused: {text[found.start() :][:500]}", hint=hint, code=code)


def _cause(text: str, url: StoreUrl) -> str:
    """What lies at the bottom of a client's nested words."""
    if "NameResolutionError" in text:
        return f"no host is called {url.host!r}"
    found = re.search(r"\[Errno -?\d+\] ([\w ]+)", text)
    return found[1] if found else text[:300]

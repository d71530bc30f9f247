"""The .proto text by which the embedded engine reads requests, as a file that is whole whatever has happened.

A file that a power cut left empty would make every request look like one that the engine will never take.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def schema_file(folder: Path, schema: str) -> Path:
    """The file without its suffix, as the engine wants it; made when it is not there, or is not whole.

    Named by content: the engine caches files by path, and would write a schema that is given as text into the
    working directory. Raises OSError.
    """
    content = schema.encode()
    file = folder / f"{hashlib.sha256(content).hexdigest()[:16]}.proto"
    if not (file.is_file() and file.read_bytes() == content):
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(f".{os.getpid()}")
        with unfinished.open("wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        unfinished.rename(file)
    return file.with_suffix("")

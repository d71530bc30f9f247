"""tiktoken's vocabularies, where this machine has them: in its cache folder, or in a package.

Nothing is ever downloaded: tiktoken fetches a vocabulary that it misses, and one that is broken, so it is
given what was read and verified here. No package is imported for the sake of the files in it. An empty
TIKTOKEN_CACHE_DIR, tiktoken's way of saying "no cache", turns vocabularies off.
"""

import hashlib
import os
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from sightline._fork import importing


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`file_name` is what tiktoken caches it under: the sha1 of its address."""

    file_name: str
    sha256: str
    pattern: str


VOCABULARIES: Final = {
    "o200k_base": Vocabulary(
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        "|".join(
            (
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                r"\p{N}{1,3}",
                r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
                r"\s*[\r\n]+",
                r"\s+(?!\S)",
                r"\s+",
            )
        ),
    ),
    "cl100k_base": Vocabulary(
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    ),
}
# package -> the folder in it that holds vocabularies under tiktoken's names for them
CARRIERS: Final = {
    "litellm": "litellm_core_utils/tokenizers",
    "llama_index": "core/_static/tiktoken_cache",
}


def load(name: str) -> Any | None:
    """The encoding of this name, in about a third of a second; None when its vocabulary is not here, or
    tiktoken is not.
    """
    if find_spec("tiktoken") is None:
        return None
    vocabulary = VOCABULARIES[name]
    content = next((found for folder in _folders() if (found := _verified(folder, vocabulary))), None)
    if content is None:
        return None
    with importing:
        from tiktoken import Encoding
    lines = (line.split() for line in content.splitlines() if line)
    ranks = {b64decode(token): int(rank) for token, rank in lines}
    return Encoding(name, pat_str=vocabulary.pattern, mergeable_ranks=ranks, special_tokens={})


def _folders() -> Iterator[Path]:
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder == "":
        return
    yield Path(folder or Path(tempfile.gettempdir()) / "data-gym-cache")
    for package, inside in CARRIERS.items():
        for place in _places_of(package):
            yield Path(place) / inside


def _places_of(package: str) -> list[str]:
    """Where a package lies, without importing it."""
    try:
        with importing:
            spec = find_spec(package)
    except (ImportError, ValueError):  # half imported, or put there by hand
        return []
    return list(spec.submodule_search_locations or ()) if spec else []


def _verified(folder: Path, vocabulary: Vocabulary) -> bytes | None:
    """The file's content, if it is what it should be."""
    try:
        content = (folder / vocabulary.file_name).read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == vocabulary.sha256 else None

"""The support desk's library: Sightline's own documents, cut into passages and searched by BM25.

README                         one passage a section
views, steps and ingest SQL    one passage a file: its header
Python modules                 one passage a module: its docstring
"""

import ast
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from sightline_collector.demo.answers import words

MAX_PASSAGE_CHARACTERS: Final = 1_000
MIN_PASSAGE_CHARACTERS: Final = 80
SATURATION: Final = 1.5  # BM25's k1
LENGTH_WEIGHT: Final = 0.75  # BM25's b

_HEADER_KEY = re.compile(r"\.? (Units|Reads|Served by|Readers):")


@dataclass(frozen=True, slots=True)
class Passage:
    title: str
    text: str


@dataclass(frozen=True)
class Library:
    """Passages that can be searched."""

    passages: Sequence[Passage]

    def search(self, question: str, limit: int = 4) -> list[Passage]:
        """The passages that fit the question best, best first; fewer when fewer share a word with it."""
        scores: dict[int, float] = {}
        for word in set(words(question)):
            for at, weight in self._index.get(word, ()):
                scores[at] = scores.get(at, 0) + weight
        best = sorted(scores, key=lambda at: (-scores[at], at))
        return [self.passages[at] for at in best[:limit]]

    def titled(self, title: str) -> Passage:
        """The passage of this title; KeyError when there is none."""
        return {passage.title: passage for passage in self.passages}[title]

    @cached_property
    def _index(self) -> dict[str, list[tuple[int, float]]]:
        """For each word the passages that have it, with what it weighs there: BM25, rare words more."""
        counts = [Counter(words(f"{p.title} {p.text}")) for p in self.passages]
        mean = sum(counted.total() for counted in counts) / max(1, len(counts))
        holders = Counter(word for counted in counts for word in counted)
        index: dict[str, list[tuple[int, float]]] = {}
        for at, counted in enumerate(counts):
            damping = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * counted.total() / mean)
            for word, n in counted.items():
                rarity = math.log(1 + (len(counts) - holders[word] + 0.5) / (holders[word] + 0.5))
                weight = rarity * n * (SATURATION + 1) / (n + damping)
                index.setdefault(word, []).append((at, weight))
        return index


def own_documents() -> Library:
    """The documents of the Sightline that is installed."""
    found = [*_readme(), *_relations(), *_modules("sightline"), *_modules("sightline_collector")]
    return Library([passage for passage in found if len(passage.text) >= MIN_PASSAGE_CHARACTERS])


def _readme() -> Iterator[Passage]:
    for section in _readme_text().split("\n## "):
        title, _, body = section.partition("\n")
        yield from _passages(f"README: {title.strip('# ')}", body)


def _readme_text() -> str:
    """In a source tree the file itself: the installed copy is as old as the installation."""
    file = Path(str(resources.files("sightline"))).parents[1] / "README.md"
    if file.is_file():
        return file.read_text(encoding="utf8")
    return str(metadata.metadata("sightline").json.get("description", ""))


def _relations() -> Iterator[Passage]:
    for folder in ("views", "steps", "ingest"):
        for file in _files(resources.files("sightline_collector") / "sql" / folder, ".sql"):
            lines = [line.removeprefix("--").strip() for line in _lines(file) if line.startswith("--")]
            header = _HEADER_KEY.sub(r". \1:", " ".join(lines))
            yield from _passages(f"{folder}: {file.name.removesuffix('.sql')}", header)


def _modules(package: str) -> Iterator[Passage]:
    root = resources.files(package)
    folders = [root, *(entry for entry in root.iterdir() if entry.is_dir() and entry.name != "demo")]
    for folder in folders:
        for file in _files(folder, ".py"):
            docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf8"))) or ""
            yield from _passages(f"{folder.name}/{file.name}", docstring)


def _files(folder: Traversable, ending: str) -> list[Traversable]:
    found = [entry for entry in folder.iterdir() if entry.is_file() and entry.name.endswith(ending)]
    return sorted(found, key=lambda entry: entry.name)


def _lines(file: Traversable) -> list[str]:
    return file.read_text(encoding="utf8").splitlines()


def _passages(title: str, text: str) -> Iterator[Passage]:
    """Paragraphs of prose, unwrapped and joined up to a passage's length: models read passages, not pages."""
    held = ""
    for paragraph in filter(_is_prose, text.strip().split("\n\n")):
        line = " ".join(paragraph.split())[:MAX_PASSAGE_CHARACTERS]
        if held and len(held) + len(line) > MAX_PASSAGE_CHARACTERS:
            yield Passage(title, held)
            held = ""
        held = f"{held}\n{line}".strip()
    yield Passage(title, held)


def _is_prose(paragraph: str) -> bool:
    """Drawings, tables and code are not."""
    return not paragraph.startswith(("    ", "```", "|")) and not set(paragraph) & set("─│├└┌►▶")

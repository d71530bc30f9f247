"""Token counts where none were reported: by a vocabulary that is here, or by bytes; never by a download."""

import sys
import threading
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st
from sdk.programs import run
from sdk.servers import OtlpSink, attributes_of

import sightline
from sightline import _estimate, _vocabulary
from sightline.testing import Captured

SPEC: Any = find_spec("litellm")
CARRIED = Path(SPEC.submodule_search_locations[0]) / _vocabulary.CARRIERS["litellm"]
ELSEWHERE = "/nowhere"
GREETING = "Hello there, wonderful world of tokens!"


@pytest.fixture
def vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vocabularies that a package in the test environment carries, where tiktoken looks, too."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(CARRIED))


@pytest.mark.parametrize(("name", "model"), [("o200k_base", "gpt-4o"), ("cl100k_base", "gpt-4")])
@pytest.mark.usefixtures("vocabulary")
def test_texts_are_counted_as_tiktoken_does(name: str, model: str) -> None:
    """The same file, read by us, gives the same tokens, special words and strange letters included."""
    theirs = tiktoken.get_encoding(name)
    for text in (
        GREETING,
        "",
        "Здравствуй, мир",
        "你好",
        "<|endoftext|>",
        "def f(x):\n    return x\n",
        "a\ud800",
    ):
        sendable = text.encode("utf-8", "replace").decode()
        assert _estimate.count_tokens(text, model) == len(theirs.encode(sendable, disallowed_special=()))


@pytest.mark.usefixtures("vocabulary")
def test_a_very_long_text_is_judged_by_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting has a bound in time; what is beyond it is taken to be like the rest."""
    monkeypatch.setattr(_estimate, "MAX_CHARS", 1_000)
    assert _estimate.count_tokens("word " * 2_000, "gpt-4o") == pytest.approx(2_000, rel=0.01)


def test_a_package_that_carries_a_vocabulary_is_not_imported() -> None:
    """The file is found where the package lies, and neither the package nor the network is touched."""
    program = (
        "import socket, sys\n"
        "socket.socket.connect = None\n"
        "from sightline import _estimate\n"
        f"print(_estimate.count_tokens({GREETING!r}, 'gpt-4o'))\n"
        "print({'litellm', 'requests'} & set(sys.modules))\n"
    )
    environment = {"TIKTOKEN_CACHE_DIR": ELSEWHERE, "PYTHONPATH": ":".join(sys.path)}
    assert run(program, **environment) == "8\nset()\n"


def test_a_vocabulary_that_is_not_there_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a broken file bytes are counted, and the folder stays as it was."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(_vocabulary, "CARRIERS", {})
    broken = tmp_path / _vocabulary.VOCABULARIES["o200k_base"].file_name
    broken.write_bytes(b"broken")
    assert _estimate.count_tokens("x" * 9, "gpt-4o") == 3
    assert broken.read_bytes() == b"broken"


def test_a_package_put_there_by_hand_carries_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module without a place, as test doubles are, is no carrier and no fault."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", ELSEWHERE)
    monkeypatch.setattr(_vocabulary, "CARRIERS", {"litellm": "x", "no_such_package": "x"})
    monkeypatch.setitem(sys.modules, "litellm", type(sys)("litellm"))
    assert _vocabulary.load("o200k_base") is None


def test_older_models_have_the_older_vocabulary() -> None:
    """GPT-4 before 4o and GPT-3.5 use cl100k, what came after uses o200k."""
    names = ["gpt-4", "gpt-4-turbo", "gpt-3.5-turbo", "gpt-4o", "gpt-4.1", "o3", "claude-sonnet-4-5", None]
    assert [_estimate._encoding_name(name) for name in names] == ["cl100k_base"] * 3 + ["o200k_base"] * 5


@given(st.text())
def test_bytes_are_counted_up(text: str) -> None:
    """Four bytes are a token, and any text is at least one."""
    tokens = _estimate.bytes_as_tokens(text)
    assert tokens * 4 >= len(text)
    assert (tokens == 0) is (text == "")


@pytest.mark.usefixtures("vocabulary")
def test_a_call_without_usage_is_counted_exactly(seen: Captured) -> None:
    """What was guessed by bytes is counted before it leaves: tokens, cost and speed."""
    with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages="Hello there") as call:
        call.chunk("Hello there,")
        call.chunk(" wonderful world of tokens!")
    assert call.usage.output_tokens == 10
    values = seen.spans[0].attributes
    assert values["gen_ai.usage.output_tokens"] == 8
    assert values["gen_ai.usage.input_tokens"] == 2 + 3 + 3
    assert values["sightline.usage.estimated"] is True
    assert values["sightline.tokens_per_second"] == pytest.approx(7 / 0.001)
    assert Decimal(values["sightline.cost_usd"]) == Decimal("0.000006")
    assert "sightline.usage.uncounted" not in values


def test_a_vocabulary_is_never_loaded_on_the_programs_thread(
    sink: OtlpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That takes a third of a second: it is done where spans are shipped, also for a decorated stream."""
    threads, load = set(), _vocabulary.load

    def watched_load(name: str) -> Any:
        threads.add(threading.current_thread().name)
        return load(name)

    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(CARRIED))
    monkeypatch.setattr(_vocabulary, "load", watched_load)
    sightline.init("counted", sink.url, instrument=False)

    @sightline.llm(provider="openai", model="gpt-4o-mini")
    def speak(prompt: str) -> Any:
        yield from (GREETING[:9], GREETING[9:])

    list(speak("hello"))
    with sightline.llm_call(provider="openai", model="gpt-4o-mini") as call:
        call.record(GREETING)
    assert sightline.flush()
    assert threads == {"sightline-spans"}
    assert [attributes_of(span)["gen_ai.usage.output_tokens"] for span in sink.spans] == [8, 8]


@pytest.mark.usefixtures("vocabulary")
def test_without_tiktoken_bytes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra: where it is not installed, four bytes are a token."""
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert _vocabulary.load("o200k_base") is None

"""What type checkers say about decorated functions, each in its strictest mode."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mypy import api

PROGRAM = '''
from collections.abc import AsyncGenerator, Generator
import sightline

@sightline.step
def bare(a: int, *, b: str = "") -> float:
    """What it does."""
    return 1.0

@sightline.agent(name="x", stage="mine", capture=False)
async def named(a: int) -> str:
    return ""

@sightline.tool()
def stream(a: int) -> Generator[int]:
    yield a

@sightline.llm(provider="openai", model="gpt-4o")
async def astream(a: int) -> AsyncGenerator[str]:
    yield ""

class Shop:
    @sightline.tool
    def price(self, item: str) -> int:
        return 1

    @sightline.tool(name="other")
    @classmethod
    def opened(cls, item: str) -> "Shop":
        return cls()

    @classmethod
    @sightline.step
    def reopened(cls, item: str) -> "Shop":
        return cls()

    @sightline.guardrail
    @staticmethod
    def allowed(item: str) -> bool:
        return True

@sightline.evaluator
def polite(input: object, output: str) -> bool:
    return True

@sightline.agent(evaluators=[polite])
def judged(question: str) -> str:
    return question

GREETING = sightline.prompt("greeting", [{"role": "user", "content": "Say hello to {{name}}"}])

reveal_type(bare)
reveal_type(named)
reveal_type(stream)
reveal_type(astream)
reveal_type(Shop().price)
reveal_type(Shop.opened)
reveal_type(Shop.reopened)
reveal_type(Shop.allowed)
with sightline.llm_call(provider="p", model="m") as call:
    reveal_type(call)
reveal_type(polite("", ""))
reveal_type(judged)
with GREETING.using(name="Ann") as messages:
    reveal_type(messages)
bare("x")
Shop().price(1)
sightline.init(content="some")
'''
BY_MYPY = [
    "def (a: int, *, b: str =) -> float",
    "def (a: int) -> typing.Coroutine[Any, Any, str]",
    "def (a: int) -> typing.Generator[int, None, None]",
    "def (a: int) -> typing.AsyncGenerator[str, None]",
    "def (item: str) -> int",
    "def (item: str) -> program.Shop",
    "def (item: str) -> program.Shop",
    "def (item: str) -> bool",
    "sightline._llm_call.LLMCall",
    "bool",
    "def (question: str) -> str",
    "list[dict[str, str]]",
]
BY_PYRIGHT = [
    '(a: int, *, b: str = "") -> float',
    "(a: int) -> CoroutineType[Any, Any, str]",
    "(a: int) -> Generator[int, None, None]",
    "(a: int) -> AsyncGenerator[str, None]",
    "(item: str) -> int",
    "(item: str) -> Shop",
    "(item: str) -> Shop",
    "(item: str) -> bool",
    "LLMCall",
    "bool",
    "(question: str) -> str",
    "list[dict[str, str]]",
]


def mypys_word(program: Path) -> tuple[list[str], list[str]]:
    said, _, _ = api.run(["--strict", "--no-incremental", "--follow-imports=silent", str(program)])
    lines = said.splitlines()
    revealed = [line.split('"')[1] for line in lines if "Revealed type" in line]
    return revealed, [line.split("error: ")[1] for line in lines if "error: " in line]


def pyrights_word(program: Path) -> tuple[list[str], list[str]]:
    settings = program.with_name("pyrightconfig.json")
    settings.write_text(json.dumps({"typeCheckingMode": "strict", "include": [program.name]}))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run([*command, "-p", settings.parent], capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    revealed = [
        each["message"].split(' is "', 1)[1][:-1] for each in found if each["severity"] == "information"
    ]
    return revealed, [each["message"] for each in found if each["severity"] == "error"]


@pytest.mark.parametrize(
    ("word", "expected", "wrong"),
    [
        (mypys_word, BY_MYPY, ['Argument 1 to "bare"', 'Argument 1 to "price"', 'Argument "content"']),
        (pyrights_word, BY_PYRIGHT, ['parameter "a"', 'parameter "item"', 'parameter "content"']),
    ],
    ids=["mypy", "pyright"],
)
def test_decorators_keep_the_functions_types(
    tmp_path: Path,
    word: Callable[[Path], tuple[list[str], list[str]]],
    expected: list[str],
    wrong: list[str],
) -> None:
    """Parameters and results stay as written, in every form of decorator; a wrong call is an error."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    revealed, errors = word(program)
    assert revealed == expected
    assert len(errors) == len(wrong), errors
    for error, fragment in zip(errors, wrong, strict=True):
        assert fragment in error

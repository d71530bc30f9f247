"""What a type checker says about decorated functions."""

from pathlib import Path

from mypy import api

PROGRAM = """
from collections.abc import AsyncGenerator, Generator
import sightline

@sightline.step
def bare(a: int, *, b: str = "") -> float:
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

reveal_type(bare)
reveal_type(named)
reveal_type(stream)
reveal_type(astream)
bare("x")
sightline.init(content="some")
with sightline.llm_call(provider="p", model="m") as call:
    reveal_type(call)
"""
REVEALED = [
    "def (a: int, *, b: str =) -> float",
    "def (a: int) -> typing.Coroutine[Any, Any, str]",
    "def (a: int) -> typing.Generator[int, None, None]",
    "def (a: int) -> typing.AsyncGenerator[str, None]",
    "sightline._llm_call.LLMCall",
]


def test_decorators_keep_the_functions_types(tmp_path: Path) -> None:
    """Parameters and results stay as written, in every form of decorator; a wrong call is an error."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    said, _, _ = api.run(["--strict", "--no-incremental", "--follow-imports=silent", str(program)])
    lines = said.splitlines()
    assert [line.split('"')[1] for line in lines if "Revealed type" in line] == REVEALED
    errors = [line.split("error: ")[1] for line in lines if "error: " in line]
    assert len(errors) == 2, said
    assert 'Argument 1 to "bare"' in errors[0]
    assert 'Argument "content" to "init"' in errors[1]

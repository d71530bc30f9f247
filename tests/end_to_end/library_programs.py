"""What users do with each library, four calls where it has them: `library_programs.py ROOT_URL`.

Each call's prompt says what the server is to do: answer as a whole, as a stream, as a stream that dies, or
refuse. The span's feature is the library; its variant says whether content was on.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import Any

import sightline

SECRET = "my-secret-question"
WHOLE, STREAM, DIES, REFUSED = (f"{word} {SECRET}" for word in ("whole", "stream", "dies", "refused"))


def openai_chat(root: str) -> None:
    """Chat completions, and an embedding."""
    from openai import OpenAI

    with OpenAI(base_url=f"{root}/v1", api_key="k", max_retries=0) as client:

        def ask(prompt: str, stream: bool) -> Any:
            messages: Any = [{"role": "user", "content": prompt}]
            return client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=stream)

        four_calls(ask)
        client.embeddings.create(model="text-embedding-3-small", input=SECRET, encoding_format="float")


def openai_responses(root: str) -> None:
    """Responses."""
    from openai import OpenAI

    with OpenAI(base_url=f"{root}/v1", api_key="k", max_retries=0) as client:
        four_calls(
            lambda prompt, stream: client.responses.create(model="gpt-4o-mini", input=prompt, stream=stream)
        )


def anthropic(root: str) -> None:
    """Messages."""
    from anthropic import Anthropic

    with Anthropic(base_url=root, api_key="k", max_retries=0) as client:

        def ask(prompt: str, stream: bool) -> Any:
            messages: Any = [{"role": "user", "content": prompt}]
            return client.messages.create(
                model="claude-sonnet-4-6", max_tokens=9, messages=messages, stream=stream
            )

        four_calls(ask)


def google_genai(root: str) -> None:
    """Contents."""
    from google import genai

    client = genai.Client(api_key="k", http_options={"base_url": root})

    def ask(prompt: str, stream: bool) -> Any:
        models = client.models
        generate: Any = models.generate_content_stream if stream else models.generate_content
        return generate(model="gemini-2.5-flash", contents=prompt)

    four_calls(ask)


def litellm(root: str) -> None:
    """Through OpenAI's client, which is instrumented, too; and to Anthropic, by its own HTTP."""
    import litellm

    def ask(prompt: str, stream: bool) -> Any:
        return litellm.completion(
            model="openai/gpt-4o-mini",
            messages=[{"role": "user", "content": prompt}],
            api_base=f"{root}/v1",
            api_key="k",
            stream=stream,
            max_retries=0,
        )

    four_calls(ask)
    messages = [{"role": "user", "content": STREAM}]
    model = "anthropic/claude-sonnet-4-6"
    for chunk in litellm.completion(model=model, messages=messages, api_base=root, api_key="k", stream=True):
        assert getattr(chunk, "usage", None) is None  # asked for by us, and not the caller's


def langchain(root: str) -> None:
    """LangChain's model, which calls OpenAI's client."""
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="gpt-4o-mini", base_url=f"{root}/v1", api_key="k", max_retries=0)
    four_calls(lambda prompt, stream: model.stream(prompt) if stream else model.invoke(prompt))


def openai_agents(root: str) -> None:
    """An agent with a tool, run as a whole and streamed."""
    import agents
    from openai import AsyncOpenAI

    def search(question: str) -> str:
        """Look it up."""
        return f"found {question}"

    client = AsyncOpenAI(base_url=f"{root}/v1", api_key="k", max_retries=0)
    model = agents.OpenAIChatCompletionsModel(model="gpt-4o-mini", openai_client=client)
    agent = agents.Agent(
        name="helper", instructions=SECRET, tools=[agents.function_tool(search)], model=model
    )

    async def stream(prompt: str) -> None:
        async for _ in agents.Runner.run_streamed(agent, prompt).stream_events():
            pass

    async def main() -> None:
        await agents.Runner.run(agent, f"use_tool {SECRET}")
        await stream(STREAM)
        for failing in (stream(DIES), agents.Runner.run(agent, REFUSED)):
            with contextlib.suppress(Exception):
                await failing

    asyncio.run(main())


def pydantic_ai(root: str) -> None:
    """An agent on OpenAI's client, and one on Anthropic's."""
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI
    from pydantic_ai import Agent
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.anthropic import AnthropicProvider
    from pydantic_ai.providers.openai import OpenAIProvider

    openai = AsyncOpenAI(base_url=f"{root}/v1", api_key="k", max_retries=0)
    claude = AsyncAnthropic(base_url=root, api_key="k", max_retries=0)
    helper = Agent(
        OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(openai_client=openai)), name="helper"
    )
    other = Agent(
        AnthropicModel("claude-sonnet-4-6", provider=AnthropicProvider(anthropic_client=claude)), name="other"
    )

    async def stream(agent: Any, prompt: str) -> None:
        async with agent.run_stream(prompt) as answer:
            async for _ in answer.stream_text():
                pass

    async def main() -> None:
        await helper.run(WHOLE)
        await stream(helper, STREAM)
        with contextlib.suppress(Exception):
            await stream(helper, DIES)
        with contextlib.suppress(Exception):
            await helper.run(REFUSED)
        await other.run(WHOLE)

    asyncio.run(main())


def mcp(root: str) -> None:
    """A client and a server of tools, in one process."""
    from mcp import Client
    from mcp.server import MCPServer

    server = MCPServer("shop")

    @server.tool()
    def search(question: str) -> str:
        """Look it up."""
        if question.startswith("fail"):
            raise ValueError(question)
        return f"found {question}"

    async def main() -> None:
        async with Client(server) as client:
            await client.call_tool("search", {"question": SECRET})
            await client.call_tool("search", {"question": f"fail {SECRET}"})

    asyncio.run(main())


def four_calls(ask: Callable[[str, bool], Any]) -> None:
    """A whole answer, a stream, a stream that dies, and a refusal."""
    ask(WHOLE, False)
    for _ in ask(STREAM, True):
        pass
    with contextlib.suppress(Exception):
        for _ in ask(DIES, True):
            pass
    with contextlib.suppress(Exception):
        ask(REFUSED, False)


PROGRAMS = (
    openai_chat, openai_responses, anthropic, google_genai, mcp, litellm, langchain, openai_agents,
    pydantic_ai,
)  # fmt: skip


def main(root: str) -> None:
    """Run each library twice; what is said is recorded the first time only."""
    for content in ("full", "off"):
        sightline.init("libraries", content=content)
        for program in PROGRAMS:
            feature = program.__name__
            with (
                sightline.context(
                    user_id="u1", session_id="s1", feature=feature, variant=content, prompt=("greet", "3")
                ),
                sightline.stage("program"),
            ):
                program(root)
        sightline.shutdown()
    print(sightline.health().faults, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

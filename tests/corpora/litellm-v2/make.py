"""LiteLLM's second OpenTelemetry integration: OpenAI plain and streamed, Anthropic around a tool, and a
question that LiteLLM's own cache answers the second time.
"""

import asyncio
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["LITELLM_OTEL_V2"] = "true"
os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"

import litellm
from litellm.litellm_core_utils.litellm_logging import _in_memory_loggers

litellm.callbacks = ["otel"]
litellm.cache = litellm.Cache(type="local")
GPT, CLAUDE = "openai/gpt-5-mini", "anthropic/claude-sonnet-4-5"
tool = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def question(text):
    return [{"role": "user", "content": text}]


async def main():
    await litellm.acompletion(model=GPT, user="ann", messages=question("What does a lighthouse do?"))
    stream = await litellm.acompletion(
        model=GPT, messages=question("Count to three."), stream=True, stream_options={"include_usage": True}
    )
    async for _ in stream:
        pass
    messages = question("How warm is it in Lisbon?")
    answer = await litellm.acompletion(model=CLAUDE, messages=messages, tools=[tool])
    asked = answer.choices[0].message
    result = {"role": "tool", "tool_call_id": asked.tool_calls[0].id, "content": "19 degrees in Lisbon"}
    messages = [*messages, asked.model_dump(exclude_none=True), result]
    await litellm.acompletion(model=CLAUDE, messages=messages, tools=[tool])
    for _ in range(2):
        await litellm.acompletion(model=GPT, messages=question("What is a buoy?"), caching=True)
        await asyncio.sleep(1)
    await asyncio.sleep(2)  # its callbacks run after the answer


asyncio.run(main())
_in_memory_loggers[0].tracer_provider.shutdown()

"""Tools that a model asks for, run side by side in a thread pool: each is a child of the agent that waits.

    python tools_in_threads.py

Thread pools lose OpenTelemetry's context; `sightline.init()` sees to it that they do not. What arrives:

    invoke_agent plan_trip
      chat gpt-4o-mini
      execute_tool weather
      execute_tool weather
      chat gpt-4o-mini
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai

import sightline

MODEL = os.environ.get("MODEL", "gpt-4o-mini")
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Tomorrow's weather in a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]

sightline.init("trips")
client = openai.OpenAI()


@sightline.tool
def weather(city: str) -> str:
    return {"Oslo": "snow, -4 C", "Rome": "sun, 21 C"}.get(city, "unknown")


def call_tool(call: Any) -> dict[str, Any]:
    arguments = json.loads(call.function.arguments)
    return {"role": "tool", "tool_call_id": call.id, "content": weather(**arguments)}


@sightline.agent
def plan_trip(question: str) -> str:
    messages: list[Any] = [{"role": "user", "content": question}]
    while True:
        completion = client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)
        message = completion.choices[0].message
        if not message.tool_calls:
            return message.content or ""
        messages.append(message.model_dump(exclude_none=True))
        with ThreadPoolExecutor() as pool:
            messages += pool.map(call_tool, message.tool_calls)


if __name__ == "__main__":
    print(plan_trip("Oslo or Rome tomorrow?"))

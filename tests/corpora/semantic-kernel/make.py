"""Semantic Kernel: a plain question, a streamed one, and a tool that the kernel runs itself."""

import os

os.environ["SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE"] = "true"

import asyncio

from openai import AsyncOpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from semantic_kernel import Kernel
from semantic_kernel.connectors.ai import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
from semantic_kernel.contents import ChatHistory
from semantic_kernel.functions import kernel_function

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)


class Weather:
    @kernel_function(description="The weather in a city.")
    def get_weather(self, city: str) -> str:
        return f"19 degrees in {city}"


def asked(question: str) -> ChatHistory:
    history = ChatHistory()
    history.add_user_message(question)
    return history


async def main() -> None:
    chat = OpenAIChatCompletion(ai_model_id="gpt-5-mini", async_client=AsyncOpenAI())
    kernel = Kernel(services=[chat])
    plain = OpenAIChatPromptExecutionSettings()
    await chat.get_chat_message_content(asked("What does a lighthouse do?"), plain)
    async for _ in chat.get_streaming_chat_message_content(asked("Count to three."), plain):
        pass
    kernel.add_plugin(Weather(), "weather")
    tools = OpenAIChatPromptExecutionSettings(function_choice_behavior=FunctionChoiceBehavior.Auto())
    await chat.get_chat_message_content(asked("How warm is it in Lisbon?"), tools, kernel=kernel)


asyncio.run(main())
provider.shutdown()

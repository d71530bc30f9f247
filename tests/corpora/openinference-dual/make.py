"""OpenInference that writes OpenTelemetry's names beside its own, over OpenAI's responses."""

import os

os.environ["OPENINFERENCE_ENABLE_GENAI_SEMCONV"] = "true"

import openai
from openinference.instrumentation import TracerProvider
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=provider)

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"type": "function", "name": "get_weather", "parameters": CITY, "strict": False}
QUESTION = {"role": "user", "content": "How warm is it in Lisbon?"}
gpt = openai.OpenAI()


def ask(question, **more):
    return gpt.responses.create(model="gpt-5-mini", input=question, **more)


ask("What does a lighthouse do?")
for _ in ask("Count to three.", stream=True):
    pass
call = ask([QUESTION], tools=[WEATHER]).output[0]
result = {"type": "function_call_output", "call_id": call.call_id, "output": "19 degrees in Lisbon"}
ask([QUESTION, call.model_dump(exclude_none=True), result], tools=[WEATHER])
provider.shutdown()

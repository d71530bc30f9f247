"""Google's SDK under OpenTelemetry's own instrumentation: plain, streamed, and a tool that the SDK runs."""

import os

os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"

from google import genai
from google.genai.types import GenerateContentConfig
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.google_genai import GoogleGenAiSdkInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

MODEL = "gemini-2.5-flash"
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
GoogleGenAiSdkInstrumentor().instrument()


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"19 degrees in {city}"


client = genai.Client()
client.models.generate_content(model=MODEL, contents="What does a lighthouse do?")
for _ in client.models.generate_content_stream(model=MODEL, contents="Stream: count to three."):
    pass
client.models.generate_content(
    model=MODEL,
    contents="How warm is it in Lisbon?",
    config=GenerateContentConfig(tools=[get_weather]),
)
provider.shutdown()

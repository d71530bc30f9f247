"""Bedrock under OpenTelemetry's instrumentation of botocore: a plain question, two calls around a tool."""

import os

import boto3
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

MODEL = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
BotocoreInstrumentor().instrument()

os.environ |= {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "k"}
client = boto3.client(
    "bedrock-runtime",
    endpoint_url=os.environ["ANTHROPIC_BASE_URL"],
    region_name="us-east-1",
)
tool = {
    "toolSpec": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}},
    }
}


def said(text):
    return {"role": "user", "content": [{"text": text}]}


client.converse(modelId=MODEL, messages=[said("What does a lighthouse do?")])
messages = [said("How warm is it in Lisbon?")]
asked = client.converse(modelId=MODEL, messages=messages, toolConfig={"tools": [tool]})["output"]["message"]
call = asked["content"][0]["toolUse"]
result = {"toolUseId": call["toolUseId"], "content": [{"text": "19 degrees in Lisbon"}]}
messages += [asked, {"role": "user", "content": [{"toolResult": result}]}]
client.converse(modelId=MODEL, messages=messages, toolConfig={"tools": [tool]})
provider.shutdown()

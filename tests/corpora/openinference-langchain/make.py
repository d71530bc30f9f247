"""LangChain under OpenInference: a model, a stream, an agent with a tool, embeddings in a retriever."""

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openinference.instrumentation import TracerProvider
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
LangChainInstrumentor().instrument(tracer_provider=provider)


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"19 degrees in {city}"


model = ChatOpenAI(model="gpt-5-mini")
model.invoke("What does a lighthouse do?")
for _ in model.stream("Count to three.", stream_usage=True):
    pass
agent = create_agent(model, [get_weather], name="forecaster")
question = {"messages": [{"role": "user", "content": "How warm is it in Lisbon?"}]}
agent.invoke(question, {"metadata": {"session_id": "talk-1"}})
embeddings = OpenAIEmbeddings(model="text-embedding-3-small", check_embedding_ctx_length=False)
store = InMemoryVectorStore.from_texts(["A lighthouse warns ships."], embeddings)
store.as_retriever().invoke("lighthouse")
provider.shutdown()

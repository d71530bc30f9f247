"""One question, asked by each provider's own client. Imported where they are used: some take seconds."""

from collections.abc import Callable, Iterator
from typing import Any

from sdk.conversations import CONVERSATIONS

MESSAGES: Any = [{"role": "user", "content": "hello"}]

Ask = Callable[..., Any]
Call = Callable[..., Any]  # a client's method, with what it is to be called with


def _called(method: Any, **request: Any) -> Any:
    return method(**request)


def _openai(url: str, stream: bool, call: Call = _called) -> Any:
    import openai

    with openai.OpenAI(base_url=url, api_key="k", max_retries=0) as client:
        create: Any = client.chat.completions.create
        return _read(call(create, model="gpt-4o", messages=MESSAGES, stream=stream), stream)


def _responses(url: str, stream: bool, call: Call = _called) -> Any:
    import openai

    with openai.OpenAI(base_url=url, api_key="k", max_retries=0) as client:
        create: Any = client.responses.create
        return _read(call(create, model="o3", input="hello", stream=stream), stream)


def _anthropic(url: str, stream: bool, call: Call = _called) -> Any:
    import anthropic

    with anthropic.Anthropic(base_url=url, api_key="k", max_retries=0) as client:
        create: Any = client.messages.create
        return _read(call(create, model="claude", max_tokens=9, messages=MESSAGES, stream=stream), stream)


def _google(url: str, stream: bool, call: Call = _called) -> Any:
    from google import genai

    client = genai.Client(api_key="k", http_options=genai.types.HttpOptions(base_url=url))
    models = client.models
    method: Any = models.generate_content_stream if stream else models.generate_content
    answer = _read(call(method, model="gemini-2.5-pro", contents="hello"), stream)
    client.close()
    return answer


def _bedrock(url: str, stream: bool, call: Call = _called) -> Any:
    import boto3  # type: ignore[import-untyped]
    from botocore.config import Config

    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="k",
        aws_secret_access_key="s",
        config=Config(retries={"max_attempts": 0}),
    )
    method = client.converse_stream if stream else client.converse
    answer = call(method, modelId="m", messages=[{"role": "user", "content": [{"text": "hello"}]}])
    said = _read(answer["stream"], stream) if stream else answer
    client.close()
    return said


def _mistral(url: str, stream: bool, call: Call = _called) -> Any:
    from mistralai.client import Mistral

    with Mistral(api_key="k", server_url=url) as client:
        method: Any = client.chat.stream if stream else client.chat.complete
        return _read(call(method, model="mistral-large-latest", messages=MESSAGES), stream)


def _cohere(url: str, stream: bool, call: Call = _called) -> Any:
    import cohere
    import httpx

    with httpx.Client() as http:
        client = cohere.ClientV2(api_key="k", base_url=url, httpx_client=http)
        method: Any = client.chat_stream if stream else client.chat
        return _read(call(method, model="command-a-03-2025", messages=MESSAGES), stream)


def _ollama(url: str, stream: bool, call: Call = _called) -> Any:
    import ollama

    client: Any = ollama.Client(host=url)
    said = _read(call(client.chat, model="llama3.2", messages=MESSAGES, stream=stream), stream)
    client._client.close()
    return said


def _litellm(url: str, stream: bool, call: Call = _called) -> Any:
    import litellm
    import openai

    with openai.OpenAI(base_url=url, api_key="k", max_retries=0) as client:
        usage = {"include_usage": True} if stream else None
        asked: dict[str, Any] = {"messages": MESSAGES, "stream": stream, "stream_options": usage}
        model = "openai/gpt-4o-2024-08-06"
        return _read(call(litellm.completion, model=model, client=client, **asked), stream)


def _read(answer: Any, stream: bool) -> Any:
    """A stream is read to its end, or to where it breaks off, while its client is there."""
    return list(_until_it_breaks(answer)) if stream else answer


def _until_it_breaks(stream: Any) -> Iterator[Any]:
    events = iter(stream)
    while True:
        try:
            event = next(events)
        except StopIteration:
            return
        except Exception:  # each client has its own word for a lost connection
            return
        yield event


ASK: dict[str, Ask] = {
    "openai": _openai,
    "compatible": _openai,
    "responses": _responses,
    "anthropic": _anthropic,
    "google": _google,
    "bedrock": _bedrock,
    "mistral": _mistral,
    "cohere": _cohere,
    "ollama": _ollama,
    "litellm": _litellm,
}
assert ASK.keys() == CONVERSATIONS.keys()


def _embed_openai(url: str) -> Any:
    import openai

    with openai.OpenAI(base_url=url, api_key="k") as client:
        return client.embeddings.create(model="e", input="hello", encoding_format="float")


def _embed_mistral(url: str) -> Any:
    from mistralai.client import Mistral

    with Mistral(api_key="k", server_url=url) as client:
        return client.embeddings.create(model="e", inputs=["hello"])


def _embed_cohere(url: str) -> Any:
    import cohere
    import httpx

    with httpx.Client() as http:
        client = cohere.ClientV2(api_key="k", base_url=url, httpx_client=http)
        return client.embed(model="e", input_type="search_query", texts=["hello"], embedding_types=["float"])


def _embed_google(url: str) -> Any:
    from google import genai

    client = genai.Client(api_key="k", http_options=genai.types.HttpOptions(base_url=url))
    answer = client.models.embed_content(model="e", contents="hello")
    client.close()
    return answer


def _embed_ollama(url: str) -> Any:
    import ollama

    client: Any = ollama.Client(host=url)
    answer = client.embed(model="e", input="hello")
    client._client.close()
    return answer


EMBED: dict[str, Callable[[str], Any]] = {
    "openai": _embed_openai,
    "mistral": _embed_mistral,
    "cohere": _embed_cohere,
    "google": _embed_google,
    "ollama": _embed_ollama,
}

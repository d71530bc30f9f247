"""What each provider says in its own way, read into the same words and counts."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from sdk.conversation import said_by
from sdk.openai_conversations import OPENAI
from sdk.other_conversations import ANTHROPIC

from sightline._answer import Answer
from sightline.usage import Usage, normalised


@pytest.mark.parametrize(
    ("body", "text", "usage"),
    [
        (ANTHROPIC.whole, "hmHello there", Usage(18495, 445, 16399, 2089, cache_write_1h_tokens=89)),
        (OPENAI.whole, "Hello there", Usage(2006, 300, 1920, None, 0, 0, 0)),
    ],
    ids=["anthropic", "openai"],
)
def test_a_body_of_invoke_model_is_its_makers_own(body: Any, text: str, usage: Usage) -> None:
    """What Bedrock passes through is read as the model maker's JSON, streamed as bytes too."""
    whole, streamed = Answer(0), Answer(0)
    whole.response(body)
    streamed.chunk({"chunk": {"bytes": json.dumps(body).encode()}}, 1)
    assert (whole.text(), whole.usage) == (streamed.text(), streamed.usage) == (text, usage)


def test_what_bedrock_counted_itself_is_known() -> None:
    """The last event of an InvokeModel stream has Bedrock's own counts, whatever the model."""
    metrics = {"inputTokenCount": 7, "outputTokenCount": 3, "invocationLatency": 5}
    answer = Answer(0)
    answer.chunk({"chunk": {"bytes": json.dumps({"amazon-bedrock-invocationMetrics": metrics}).encode()}}, 1)
    assert answer.usage == Usage(7, 3)


@pytest.mark.parametrize(
    ("embedding", "tokens"),
    [
        ({"object": "list", "model": "e", "data": [], "usage": {"prompt_tokens": 9, "total_tokens": 9}}, 9),
        ({"embeddings": {"float": [[0.1]]}, "meta": {"billed_units": {"input_tokens": 9}}}, 9),
        ({"embeddings": [{"values": [0.1], "statistics": {"tokenCount": 4}}] * 2}, 8),
        ({"model": "e", "embeddings": [[0.1]], "prompt_eval_count": 9}, 9),
    ],
    ids=["openai", "cohere", "google", "ollama"],
)
@pytest.mark.parametrize("shape", [dict, lambda pairs: SimpleNamespace(**pairs)], ids=["json", "object"])
def test_embeddings_have_an_input_only(embedding: Any, tokens: int, shape: Any) -> None:
    """They are counted, and no output is guessed for them."""
    answer = Answer(0)
    answer.response(shape(embedding))
    assert answer.usage == Usage(tokens)
    assert "sightline.usage.estimated" not in said_by(answer)


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ({"choices": [{"delta": {}, "finish_reason": "length"}]}, "length"),
        ({"choices": [{"delta": {}, "finish_reason": "function_call"}]}, "tool_calls"),
        ({"choices": [{"delta": {}, "finish_reason": "model_length"}]}, "length"),
        ({"choices": [{"delta": {}, "finish_reason": "quite_new"}]}, "quite_new"),
        ({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}, "tool_calls"),
        ({"type": "message_delta", "delta": {"stop_reason": "refusal"}}, "content_filter"),
        ({"candidates": [{"finishReason": "MAX_TOKENS"}]}, "length"),
        ({"candidates": [{"finishReason": "SAFETY"}]}, "content_filter"),
        ({"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}]}, "error"),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "content_filter"),
        ({"messageStop": {"stopReason": "guardrail_intervened"}}, "content_filter"),
        ({"type": "message-end", "delta": {"finish_reason": "MAX_TOKENS"}}, "length"),
        ({"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}}, "tool_calls"),
        ({"message": {}, "done": True, "done_reason": "length"}, "length"),
        ({"object": "response", "status": "failed"}, "error"),
        (
            {
                "object": "response",
                "status": "incomplete",
                "incomplete_details": {"reason": "max_output_tokens"},
            },
            "length",
        ),
        ({"object": "response", "status": "completed", "output": [{"type": "function_call"}]}, "tool_calls"),
    ],
)
def test_every_provider_ends_in_the_same_words(reason: Any, word: str) -> None:
    """Finish reasons are OpenTelemetry's; a word that nobody knows yet stays as it is."""
    answer = Answer(0)
    answer.chunk(reason, 1)
    assert said_by(answer)["gen_ai.response.finish_reasons"] == (word,)


@pytest.mark.parametrize(
    "whole",
    [
        {"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]},
        {"model": "m", "message": {"role": "assistant", "content": "Hi"}, "done": True},
        {"generation": "Hi", "stop_reason": "stop"},
        {"inputTextTokenCount": 1, "results": [{"outputText": "Hi", "tokenCount": 1}]},
    ],
    ids=["google", "ollama", "llama", "titan"],
)
def test_a_whole_answer_replaces_its_chunks_where_both_look_alike(whole: dict[str, Any]) -> None:
    """What is taken as a whole has the last word: its text is not added to that of the stream."""
    answer = Answer(0)
    answer.chunk(whole, 1)
    answer.response(whole)
    assert answer.text() == "Hi"


def test_web_searches_are_counted() -> None:
    """Searches of the provider's own tool are paid one by one."""
    anthropic, openai = Answer(0), Answer(0)
    used = {"input_tokens": 1, "output_tokens": 2, "server_tool_use": {"web_search_requests": 3}}
    anthropic.response({"type": "message", "content": [], "usage": used})
    searches = [{"type": "web_search_call", "id": "w"}] * 2
    openai.response(
        {"object": "response", "output": searches, "usage": {"input_tokens": 1, "output_tokens": 2}}
    )
    assert (anthropic.usage.web_searches, openai.usage.web_searches) == (3, 2)


@pytest.mark.parametrize(
    ("said", "tier"),
    [
        ({"speed": "fast", "service_tier": "standard"}, "fast"),
        ({"speed": "standard", "service_tier": "batch"}, "batch"),
    ],
)
def test_anthropics_fast_mode_is_a_tier(said: dict[str, str], tier: str) -> None:
    """The mode that was billed is told where a tier is; the ordinary one leaves the tier as it is."""
    answer = Answer(0)
    answer.response({"type": "message", "content": [], "usage": {"input_tokens": 1, **said}})
    assert answer.service_tier == tier


@pytest.mark.parametrize(
    "usage",
    [
        {"promptTokenCount": 1000, "toolUsePromptTokenCount": 50, "candidatesTokenCount": 200},
        {"prompt_token_count": 1000, "tool_use_prompt_token_count": 50, "candidates_token_count": 200},
    ],
    ids=["json", "client"],
)
def test_what_gemini_counts_beside_is_added(usage: dict[str, int]) -> None:
    """Thoughts belong to the output, the results of Google's own tools to the input."""
    answer = Answer(0)
    camel = "promptTokenCount" in usage
    beside = {"thoughtsTokenCount": 800, "cachedContentTokenCount": 400, "totalTokenCount": 2050}
    snake = {"thoughts_token_count": 800, "cached_content_token_count": 400, "total_token_count": 2050}
    answer.response({"usageMetadata" if camel else "usage_metadata": usage | (beside if camel else snake)})
    assert answer.usage == Usage(1050, 1000, 400, reasoning_tokens=800)


def test_a_gateway_that_adds_anthropics_counts_to_openais_counts_once() -> None:
    """LiteLLM's prompt tokens include the cache's, which it repeats in Anthropic's words."""
    usage = {
        "prompt_tokens": 18495,
        "completion_tokens": 445,
        "total_tokens": 18940,
        "cache_read_input_tokens": 16399,
        "cache_creation_input_tokens": 2089,
        "prompt_tokens_details": {
            "cached_tokens": 16399,
            "cache_creation_tokens": 2089,
            "cache_creation_token_details": {"ephemeral_1h_input_tokens": 89},
        },
    }
    answer = Answer(0)
    answer.response({"choices": [], "usage": usage})
    assert answer.usage == Usage(18495, 445, 16399, 2089, cache_write_1h_tokens=89)


def test_what_bedrock_keeps_for_an_hour_is_known() -> None:
    """Writes into the cache are told apart by how long they last: the longer are dearer."""
    details = [{"ttl": "5m", "inputTokens": 2000}, {"ttl": "1h", "inputTokens": 89}]
    usage = {"inputTokens": 7, "outputTokens": 445, "cacheWriteInputTokens": 2089, "cacheDetails": details}
    answer = Answer(0)
    answer.chunk({"metadata": {"usage": usage, "serviceTier": {"type": "priority"}}}, 1)
    assert answer.usage == Usage(2096, 445, None, 2089, cache_write_1h_tokens=89)
    assert answer.service_tier == "priority"


def test_an_ambiguous_cache_is_settled_by_the_total() -> None:
    """5000 of input, 2000 from the cache, 100 of output and 7100 in all: the cache stood outside."""
    usage = {
        "input_tokens": 5000,
        "output_tokens": 100,
        "total_tokens": 7100,
        "input_tokens_details": {"cached_tokens": 2000},
    }
    answer = Answer(0)
    answer.response({"object": "response", "output": [], "usage": usage})
    assert answer.usage == normalised(Usage(5000, 100, 2000), total_tokens=7100) == Usage(7000, 100, 2000)


def test_a_server_that_gives_up_has_failed() -> None:
    """An error event ends the answer as one; what was said before it is kept, and counted."""
    answer = Answer(0)
    for at_ns, event in enumerate(
        [*ANTHROPIC.events[:7], {"type": "error", "error": {"type": "overloaded_error"}}]
    ):
        answer.chunk(event, at_ns)
    values = said_by(answer)
    assert (answer.failed, values["gen_ai.response.finish_reasons"]) == (True, ("error",))
    assert (values["gen_ai.usage.output_tokens"], values["sightline.usage.estimated"]) == (2, True)


def test_a_refused_stream_is_no_usage() -> None:
    """A server that gives up before it says anything was paid nothing."""
    answer = Answer(0)
    answer.chunk({"type": "error", "error": {"type": "overloaded_error"}}, 1)
    assert not [name for name in said_by(answer, "hello") if "usage" in name]


def test_ollamas_generate_is_read() -> None:
    """Text without a message around it, in chunks, with its counts in the last."""
    answer = Answer(0)
    chunks: list[Any] = [{"response": "Hel"}, {"response": "lo"}, {"response": "", "eval_count": 2}]
    for at_ns, more in enumerate(chunks):
        answer.chunk(
            {"model": "llama3.2", "done": "eval_count" in more, "prompt_eval_count": 3, **more}, at_ns
        )
    assert (answer.text(), answer.usage, answer.model) == ("Hello", Usage(3, 2), "llama3.2")


def test_every_choice_is_kept_apart() -> None:
    """Of several answers to one question each has its words and its end."""
    answer = Answer(0)
    for at_ns, (index, text, end) in enumerate(
        [(1, "b", None), (0, "a", None), (1, "B", "length"), (0, "A", "stop")]
    ):
        answer.chunk({"choices": [{"index": index, "delta": {"content": text}, "finish_reason": end}]}, at_ns)
    values = said_by(answer)
    contents = [message["parts"][0]["content"] for message in json.loads(values["gen_ai.output.messages"])]
    assert (contents, values["gen_ai.response.finish_reasons"]) == (["aA", "bB"], ("stop", "length"))


def test_older_ways_of_openai_are_read() -> None:
    """The `text` of completions, the one function call of older chats, the transcript of a voice."""
    completed, called, spoken = Answer(0), Answer(0), Answer(0)
    completed.chunk({"object": "text_completion", "choices": [{"index": 0, "text": "Hello"}]}, 1)
    for at_ns, fragment in enumerate([{"name": "f", "arguments": ""}, {"arguments": "{}"}]):
        delta = {"content": None, "function_call": fragment}
        called.chunk({"choices": [{"delta": delta, "finish_reason": None}]}, at_ns)
    spoken.chunk({"choices": [{"delta": {"audio": {"transcript": "Hello"}}}]}, 1)
    assert (completed.text(), called.text(), spoken.text()) == ("Hello", "f{}", "Hello")
    assert called.first_token_ns == 0


LLAMA: list[Any] = [
    {"generation": "Hello", "prompt_token_count": 9, "generation_token_count": 1, "stop_reason": None},
    {"generation": " there", "prompt_token_count": None, "generation_token_count": 2, "stop_reason": "stop"},
]
TITAN = [
    {"outputText": "Hello", "index": 0, "totalOutputTextTokenCount": 1, "inputTextTokenCount": 9},
    {"outputText": " there", "index": 0, "totalOutputTextTokenCount": 2, "completionReason": "FINISH"},
]
TITAN_WHOLE = {
    "inputTextTokenCount": 9,
    "results": [{"tokenCount": 2, "outputText": "Hello there", "completionReason": "FINISH"}],
}


@pytest.mark.parametrize(
    "bodies",
    [
        LLAMA,
        TITAN,
        [TITAN_WHOLE],
        [{**LLAMA[0], **LLAMA[1], "generation": "Hello there", "prompt_token_count": 9}],
    ],
    ids=["llama streamed", "titan streamed", "titan", "llama"],
)
def test_models_that_are_found_only_on_bedrock_are_read(bodies: list[Any]) -> None:
    """Llama and Titan have languages of their own, as the body of InvokeModel or the bytes of its stream."""
    answer = Answer(0)
    for at_ns, body in enumerate(bodies):
        answer.chunk({"chunk": {"bytes": json.dumps(body).encode()}}, at_ns)
    assert (answer.text(), answer.usage, answer.finished) == ("Hello there", Usage(9, 2), True)
    assert said_by(answer)["gen_ai.response.finish_reasons"] == ("stop",)

"""What servers send for an embedding of a million tokens, where they count."""

from sdk.conversation import Json

_INPUT = {"gen_ai.usage.input_tokens": 1_000_000}
_LIST = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}]}
_PAID = {"usage": {"prompt_tokens": 1_000_000, "total_tokens": 1_000_000}}
# client -> what its server sends for an embedding, provider, model, counts, cost
EMBEDDED: dict[str, tuple[Json, str, str, Json, str | None]] = {
    "openai": (
        {**_LIST, **_PAID, "model": "text-embedding-3-small"},
        "openai",
        "text-embedding-3-small",
        _INPUT,
        "0.02",
    ),
    "mistral": (
        {**_LIST, **_PAID, "id": "e1", "model": "mistral-embed"},
        "mistral_ai",
        "mistral-embed",
        {**_INPUT, "gen_ai.usage.output_tokens": 0},
        "0.1",
    ),
    "cohere": (
        {
            "id": "e1",
            "response_type": "embeddings_by_type",
            "embeddings": {"float": [[0.1]]},
            "texts": ["hello"],
            "meta": {"billed_units": {"input_tokens": 1_000_000}},
        },
        "cohere",
        "embed-v4.0",
        _INPUT,
        "0.12",
    ),
    # Gemini does not say; what is known of the request is estimated.
    "google": (
        {"embeddings": [{"values": [0.1]}]},
        "gcp.gemini",
        "gemini-embedding-001",
        {"gen_ai.usage.input_tokens": 2 + 3 + 3, "sightline.usage.estimated": True},
        "0.0000012",
    ),
    "ollama": (
        {"model": "nomic-embed-text", "embeddings": [[0.1]], "prompt_eval_count": 5},
        "ollama",
        "nomic-embed-text",
        {"gen_ai.usage.input_tokens": 5},
        None,
    ),
}

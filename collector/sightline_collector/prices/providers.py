"""
Which names mean which provider, as rules that rewrite `name|model` to `provider|model`. Pure.

The order is: OpenTelemetry's names that the library does not know or takes for another provider, the
library's own ids, its match clauses. `litellm|openai/gpt-4o` is `openai|gpt-4o`; `litellm|gpt-4o`, and
`|gpt-4o` of a call that names no provider, are told by the model's name; `|openai:gpt-4o` says it itself. The
view asks the `litellm` rules again for a call whose provider is unknown or lacks the model.
"""

from collections.abc import Iterator, Sequence

from genai_prices.types import Provider

from sightline.pricing import PROVIDER_ALIASES
from sightline_collector.prices.override import SELF_HOSTED
from sightline_collector.prices.rules import RuleTree, alternatives, literal, shape

PROVIDER_OF_OTEL_NAME = {**PROVIDER_ALIASES, "ibm.watsonx.ai": "watsonx"}
"""OpenTelemetry's `gen_ai.provider.name` -> the library's id, where the library would answer otherwise: as in
the SDK, and a seller that only the second price list has."""

PROVIDER_OF_LITELLM_NAME = {
    "azure_ai": "azure",
    "azure_text": "azure",
    "codestral": "mistral",
    "fireworks_ai": "fireworks",
    "meta_llama": "meta",
    "text-completion-codestral": "mistral",
    "vertex_ai-anthropic_models": "google",
}
"""Likewise LiteLLM's names of providers."""

PROVIDER_OF_VERCEL_NAME = {"togetherai": "together", "gateway": "vercel_ai_gateway"}
"""Likewise the Vercel AI SDK's."""

PROVIDER_OF_EMITTER_NAME = {
    "az.ai.agents": "azure",
    "microsoft.foundry": "azure",
    "ibm.watson.ai": "watsonx",
    "oci_genai": "oci",
    "oracle": "oci",
    "alibaba": "dashscope",
    "alibaba_cloud": "dashscope",
    "qwen": "dashscope",
    "tongyi": "dashscope",
    "zhipu": "zhipuai",
    "jina": "jina_ai",
    "workers-ai": "cloudflare",
    "together.ai": "together",
    "fireworks.ai": "fireworks",
    "x.ai": "x-ai",
    "z.ai": "zai",
}
"""Likewise those of other emitters: Azure's agents, OpenLIT, OpenInference, Pydantic AI, frameworks of
China's models, and sellers by their domains."""

BEDROCK_NAME = (
    r"arn:aws[a-z-]*:bedrock:.*|"
    r"(?:[a-z]{2}(?:-gov)?-[a-z]+-[0-9]/)?(?:(?:us|us-gov|eu|apac|ap|au|jp|in|ca|sa|global)\.)?"
    r"(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshotai?|nvidia|openai|qwen|writer|zai)"
    r"\.[^/]*"
)
"""Names of models that only Bedrock gives, whichever framework calls it: `us.anthropic.claude-...`."""

PATH = (
    r"(?:(?:(?:projects/[^/|]*/locations/[^/|]*/)?publishers/[^/|]*/)?models/|"
    r"(?:converse|converse_like|invoke|responses)/|"
    r"arn:aws[a-z-]*:bedrock:[^|/]*:(?:foundation-model|inference-profile)/)?"
)
"""What Google's and Amazon's interfaces put before a model's name, and LiteLLM to say which it asks."""

MODELS_OF_ONE = {
    "openai": (
        r"text-embedding-(?:ada-002|3-small|3-large)|chatgpt-.*|codex-mini.*|computer-use.*|"
        r"(?:text-)?davinci-00[23]|babbage-002|ft:(?:gpt|o[0-9]|davinci|babbage).*"
    ),
    "cohere": r"(?:embed|rerank)-(?:english|multilingual|v[0-9]).*|command|c4ai-.*",
    "mistral": r"codestral",
    "perplexity": r"sonar(?:-.*)?|r1-1776",
}
"""Names that tell a provider which the library asks for: many spans of embeddings name none."""

NO_SLASH_AHEAD = "(?![^/]+/)"
"""A look-ahead of the library: the name has no slash. Said positively: the rest of it is `[^/]*`."""

OTHER_NAMES = (
    PROVIDER_OF_OTEL_NAME | PROVIDER_OF_LITELLM_NAME | PROVIDER_OF_VERCEL_NAME | PROVIDER_OF_EMITTER_NAME
)

SERVED_ONESELF = r"vllm[^|/]*|openai[_-](?:compatible|like)"
"""What one serves oneself by OpenAI's interface: the library's "contains openai" takes it for OpenAI's."""

BY_ITS_MODEL = r"^\s*litellm\s*\|(?:litellm_proxy/)?"
"""Before a name that tells its provider itself; a proxy's clients put the proxy's before it."""

NO_PROVIDER = r"^(?:\s*litellm\s*)?\|(?:litellm_proxy/)?"
"""Before a name whose provider has to be told by what it looks like."""

ROUTES = "nitro|floor|online|exacto"
"""How OpenRouter shall choose who serves a model, or help it: behind the model's name. What that costs is not
known: the model's own price is assumed."""

_BEFORE_MODEL = (
    (BY_ITS_MODEL, "/", "[^|/]*"),
    (r"^\s*", r"\s*\|", "[^|]*"),
)
"""What stands before a provider's name, what behind it, and what its name is made of."""


def provider_rules(providers: Sequence[Provider]) -> RuleTree:
    """Rules whose value `key` is `provider|model`, with the model quoted from the name."""
    tree = RuleTree()
    tree.add(rf"^{literal(SELF_HOSTED)}\|{PATH}(.*)$", key=rf"{SELF_HOSTED}|\1")
    for name, provider_id in OTHER_NAMES.items():
        tree.add(rf"^\s*{literal(name)}\s*\|{PATH}(.*)$", key=rf"{provider_id}|\1")
    tree.add(rf"{BY_ITS_MODEL}(?:openrouter/)?([^|/]+/[^|]*):(?:{ROUTES})$", key=r"openrouter|\1")
    for name, provider_id in PROVIDER_OF_LITELLM_NAME.items():
        tree.add(rf"{BY_ITS_MODEL}{literal(name)}/(.*)$", key=rf"{provider_id}|\1")
    for head, tail, anything in _BEFORE_MODEL:
        for provider in providers:
            tree.add(rf"{head}{literal(provider.id)}{tail}{PATH}(.*)$", key=rf"{provider.id}|\1")
        tree.add(rf"{head}({SERVED_ONESELF}){tail}(.*)$", key=r"\1|\2")
        for provider in providers:
            _add_matches(tree, provider, head, tail, anything)
    tree.add(rf"{NO_PROVIDER}{PATH}({BEDROCK_NAME})$", key=r"aws|\1")
    for provider in providers:
        tree.add(rf"{NO_PROVIDER}{literal(provider.id)}:(.*)$", key=rf"{provider.id}|\1")
    for provider in providers:
        for name in (*_model_shapes(provider), *_models_of_one(provider)):
            tree.add(rf"{NO_PROVIDER}{PATH}({name})$", key=rf"{provider.id}|\1")
    return tree


def _add_matches(tree: RuleTree, provider: Provider, head: str, tail: str, anything: str) -> None:
    if provider.provider_match is None:
        return
    for conditions in alternatives(provider.provider_match):
        *first, last = (shape(condition, anything) for condition in conditions)
        parent = 0
        for name in first:
            parent = tree.add(f"{head}{name}{tail}", parent=parent)
        tree.add(f"{head}{last}{tail}{PATH}(.*)$", parent=parent, key=rf"{provider.id}|\1")


def _models_of_one(provider: Provider) -> Iterator[str]:
    if provider.id in MODELS_OF_ONE:
        yield MODELS_OF_ONE[provider.id]


def _model_shapes(provider: Provider) -> Iterator[str]:
    """Whole names of models that tell this provider."""
    if provider.model_match is None:
        return
    for (condition,) in alternatives(provider.model_match):
        text = getattr(condition, "regex", "")
        if NO_SLASH_AHEAD in text:
            positive = type(condition)(text.replace(NO_SLASH_AHEAD, ""))
            yield shape(positive, "[^/]*")
        else:
            yield shape(condition)

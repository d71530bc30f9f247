"""When two names mean one model: `Claude Sonnet 4.5` is `us.anthropic.claude-sonnet-4-5-20250929-v1:0`. Pure.

Spans name models as APIs do, invoices as price lists do. Both are cut into words and version numbers, what
only says when, where or whose is dropped, and the order of what remains does not matter. Dated snapshots of
a model are therefore one model.
"""

from __future__ import annotations

import re

_PATH = re.compile(r"^(?:.*/)?(?:(?:us|eu|apac|au|ca|jp|us-gov|global)\.)?")
"""A gateway's or a publisher's path, and the area of a Bedrock inference profile."""
_FINE_TUNED = re.compile(r"^ft:([^:]+):.*$")
_DATE = re.compile(
    r"(?<!\d)(?:20\d{2}-?[01]\d-?[0-3]\d|\d{2}-20\d{2}|[01]\d[0-3]\d|2[3-9](?:0[1-9]|1[0-2]))(?!\d)"
    r"|(?<=-)[01]\d-[0-3]\d$"
)
"""2024-08-06, 20250929, 09-2025, 0613, Mistral's 2407, and a preview's 05-06."""
_REVISION = re.compile(
    r"(?:(?<=\d{8})-v\d+|(?<=sonnet)-v\d+|-v?[01])?:\d+(?::\w+)?$"
    r"|(?:(?<=\d{8})-v\d+|(?<=sonnet)-v\d+|-v[01])(?=-|$)|@.*$|(?<!text-embedding)-00\d$"
)
"""Bedrock's `-v1:0` and `:0:200k`, Vertex' `@20250929`, Google's `-002`. A second version is a model of its
own (Titan's embeddings, Cohere's), unless it says which of two dates is meant."""
_JOINED = re.compile(r"(?<=[a-z])(?<!Deep)(?<!Mini)(?<!Code)(?=[A-Z][a-z]|[VG]\d)")
"""Where Bedrock's usage types join words: NovaPro, TitanEmbeddingV2; not in names such as DeepSeek."""
_SPELLINGS = (
    (re.compile("gpt-35"), "gpt-3.5"),
    (re.compile(r"^deepseek\.v3$"), "deepseek-v3.1"),
    (re.compile("embeddings?"), "embed"),
    (re.compile("titan-embed-g1-+text(?:-02)?"), "titan-embed-text"),
    (re.compile("native-audio"), "live"),
    (re.compile("(?:native-)?image(?:-generation)?"), "image"),
    (re.compile(r"(maverick|scout)-\d+b(?:-\d+e)?"), r"\1"),
)
"""Where price lists and APIs have other words; Llama's experts come in one size, which lists leave out."""
_MEMBER = re.compile(r"(?<![a-z])(?:gpt-?\d+(?:\.\d+)?o?|o\d)(?![a-z])")
"""Names in which a number is no version of its own: gpt-4o, o3."""
_WORD = re.compile(r"\d+(?:\.\d+)?[bk](?![a-z])|\d+(?:\.\d+)*|[a-z]+")
_SAYS_NOTHING = frozenset(
    (
        *("preview", "latest", "exp", "experimental", "instruct", "edition", "api", "model", "models", "v"),
        *("maas", "amazon", "bedrock", "anthropic", "google", "meta", "openai", "cohere"),
    )
)


def key(name: str) -> str:
    """Equal for names of one model; '' for no name."""
    text = _PATH.sub("", _FINE_TUNED.sub(r"\1-tuned", _JOINED.sub("-", name.strip()).lower()))
    text = re.sub(r"[\s_]+", "-", re.sub(r"\(.*?\)", " ", text).strip())
    text = _REVISION.sub("", _DATE.sub("", _REVISION.sub("", text)).rstrip("-"))
    for spelled, meant in _SPELLINGS:
        text = spelled.sub(meant, text)
    members = [member.replace("-", "") for member in _MEMBER.findall(text)]
    words = _versions(_WORD.findall(_MEMBER.sub("-", text)))
    return " ".join(sorted({*members, *words} - _SAYS_NOTHING))


def _versions(words: list[str]) -> list[str]:
    """4 and 5 that follow each other are 4.5; 2.0 is 2."""
    joined: list[str] = []
    for word in words:
        if joined and word.isdigit() and joined[-1].isdigit() and len(word + joined[-1]) < 4:
            joined[-1] += f".{word}"
        else:
            joined.append(word)
    return [re.sub(r"^(\d+)\.0$", r"\1", word) for word in joined]


_KINDS = (
    ("images", re.compile(r"gpt-image|dall-e")),
    ("audio_speeches", re.compile(r"(?:^|/)tts-|-tts")),
    ("audio_transcriptions", re.compile(r"whisper|-transcribe")),
)


def kind(operation: str, model: str) -> str:
    """Which of OpenAI's exports of usage tells of a call: each kind of interface has its own."""
    if operation == "embedding":
        return "embeddings"
    return next((name for name, pattern in _KINDS if pattern.search(model.lower())), "completions")


_PROVIDERS = (
    ("aws", re.compile(r"bedrock|^aws|^amazon")),
    ("azure", re.compile(r"azure|^az\.")),
    ("google", re.compile(r"google|vertex|gemini|^gcp")),
    ("anthropic", re.compile(r"anthropic|^claude$")),
    ("openai", re.compile(r"openai")),
)
_MODELS = (
    ("anthropic", re.compile(r"^claude")),
    ("openai", re.compile(r"^(?:ft:)?(?:gpt-|chatgpt|o\d|text-embedding-(?:3|ada)|davinci|codex|omni-)")),
    ("google", re.compile(r"^(?:models/)?(?:gemini|text-embedding-00|imagen|veo)")),
    ("aws", re.compile(r"^(?:\w+\.)?(?:anthropic|amazon|meta|cohere|mistral|ai21|deepseek)\.")),
)
_PASSING_ON = ("", "litellm", "custom", "unknown", "_other")
"""Providers that say nothing of who is paid."""


def bills(provider: str, model: str) -> str:
    """Whose invoice a span stands on: openai, anthropic, google, aws, azure, or '' for another's.

    A provider that only passes calls on, or none, is told by the model's name.
    """
    who, what = provider.lower(), model.lower()
    found = next((name for name, pattern in _PROVIDERS if pattern.search(who)), "")
    if found or who not in _PASSING_ON:
        return found
    return next((name for name, pattern in _MODELS if pattern.search(what)), "")

"""The libraries that we know, one row each: how it is noticed, and what makes its spans.

OpenTelemetry's own instrumentations come first, OpenInference's where those are missing or do not fit the
library's version; a library that makes spans by itself needs neither. Rows, not code: what a library needs
beyond that is in a file of its own here, named by `ours`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_OTEL: Final = "opentelemetry-instrumentation-"
_OPENINFERENCE: Final = "openinference-instrumentation-"


@dataclass(frozen=True, slots=True)
class Switch:
    """An environment variable that a library, or its instrumentation, asks; None leaves it unset."""

    variable: str
    with_content: str | None
    without_content: str | None


@dataclass(frozen=True, slots=True)
class Library:
    """`name` is the one for `init(instrument=[...])`. Importing `module` is using it; '' is always in use."""

    name: str
    module: str = ""
    packages: tuple[str, ...] = ()  # any of them installed: it is there
    instrumentations: tuple[str, ...] = ()  # packages that make its spans, best first
    spans_since: str = ""  # the version from which it makes spans by itself; "0": all do
    switches: tuple[Switch, ...] = ()
    silence: tuple[Switch, ...] = ()  # what ends its own spans, when somebody else makes them
    ours: str = ""  # the file here with what its spans lack
    inner: str = ""  # imported with it, where `module` is a namespace package: Python tells nobody of those

    @property
    def needs(self) -> str:
        """What to install for its spans."""
        return self.instrumentations[0] if self.instrumentations else ""


_CONTENT_ON_SPANS: Final = Switch(
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY", "NO_CONTENT"
)
_NO_INPUTS: Final = Switch("OPENINFERENCE_HIDE_INPUTS", None, "true")
_NO_OUTPUTS: Final = Switch("OPENINFERENCE_HIDE_OUTPUTS", None, "true")


def switches_of(instrumentation: str) -> tuple[Switch, ...]:
    """What tells an instrumentation to record content on spans, where our guard decides what leaves."""
    if instrumentation.startswith(_OPENINFERENCE):
        return _NO_INPUTS, _NO_OUTPUTS
    return (_CONTENT_ON_SPANS,)


def _otel(name: str) -> tuple[str, ...]:
    return (f"{_OTEL}{name}",)


def _openinference(name: str) -> tuple[str, ...]:
    return (f"{_OPENINFERENCE}{name}",)


def _long_tail(name: str, module: str, package: str) -> Library:
    """A library whose spans OpenInference makes, under the library's name."""
    return Library(name, module, (package,), _openinference(name))


def _by_name(libraries: Iterable[Library]) -> dict[str, Library]:
    return {library.name: library for library in libraries}


KNOWN: Final = _by_name(
    [
        Library("threads", ours="threads"),
        Library(
            "openai",
            "openai",
            ("openai",),
            _otel("genai-openai") + _openinference("openai"),
            ours="openai",
        ),
        Library(
            "anthropic",
            "anthropic",
            ("anthropic",),
            _otel("genai-anthropic") + _openinference("anthropic"),
            spans_since="1.14",
            switches=(Switch("ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE", "content", None),),
            silence=(Switch("ANTHROPIC_OPEN_TELEMETRY", "false", "false"),),
            ours="anthropic",
        ),
        Library(
            "google-genai",
            "google.genai",
            ("google-genai",),
            _otel("google-genai") + _openinference("google-genai"),
            ours="google_genai",
        ),
        Library(
            "bedrock",
            "botocore",
            ("boto3", "botocore"),
            _otel("genai-bedrock") + _openinference("bedrock"),
            ours="bedrock",
        ),
        Library(
            "mistralai",
            "mistralai",
            ("mistralai",),
            _openinference("mistralai"),
            spans_since="3.7",
            switches=(Switch("MISTRAL_SDK_TELEMETRY", "global", "global"),),
            ours="mistralai",
            inner="mistralai.client",
        ),
        Library(
            "litellm",
            "litellm",
            ("litellm",),
            _openinference("litellm"),
            ours="litellm",
        ),
        Library(
            "langchain",
            "langchain_core",
            ("langchain-core", "langchain"),
            _otel("genai-langchain") + _openinference("langchain"),
        ),
        Library(
            "llama-index",
            "llama_index.core",
            ("llama-index-core",),
            _otel("genai-llama-index") + _openinference("llama-index"),
        ),
        Library(
            "openai-agents",
            "agents",
            ("openai-agents",),
            _otel("genai-openai-agents") + _openinference("openai-agents"),
        ),
        Library(
            "pydantic-ai",
            "pydantic_ai",
            ("pydantic-ai", "pydantic-ai-slim"),
            spans_since="0",
            ours="pydantic_ai",
        ),
        Library("mcp", "mcp", ("mcp",), _openinference("mcp"), spans_since="2", ours="mcp"),
        Library("strands", "strands", ("strands-agents",), spans_since="0"),
        Library(
            "google-adk",
            "google.adk",
            ("google-adk",),
            spans_since="0",
            switches=(Switch("ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS", None, "false"),),
        ),
        Library(
            "agent-framework",
            "agent_framework",
            ("agent-framework-core",),
            spans_since="0",
            switches=(Switch("ENABLE_SENSITIVE_DATA", "true", None),),
        ),
        _long_tail("agno", "agno", "agno"),
        _long_tail("autogen-agentchat", "autogen_agentchat", "autogen-agentchat"),
        _long_tail("beeai", "beeai_framework", "beeai-framework"),
        _long_tail("claude-agent-sdk", "claude_agent_sdk", "claude-agent-sdk"),
        _long_tail("cohere", "cohere", "cohere"),
        _long_tail("crewai", "crewai", "crewai"),
        _long_tail("dspy", "dspy", "dspy"),
        _long_tail("groq", "groq", "groq"),
        _long_tail("guardrails", "guardrails", "guardrails-ai"),
        _long_tail("haystack", "haystack", "haystack-ai"),
        _long_tail("instructor", "instructor", "instructor"),
        _long_tail("portkey", "portkey_ai", "portkey-ai"),
        _long_tail("smolagents", "smolagents", "smolagents"),
    ]
)

"""Clients' methods that call a model, and the question whether they may, where a budget is in use.

    program ─► somebody's wrapper (the span) ─► ours ─► the client ─► HTTP
                                                 └─► BudgetExceeded, and nothing is sent

Ours is the inner wrapper where spans are made by one: then the denied call has a span already. A client that
makes its spans by itself has not begun: then ours makes one. One that is allowed has a place among the calls
under way until its client has begun a span, or has returned without one.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from inspect import iscoroutinefunction
from typing import Any, Final

from sightline import budget
from sightline._safety import log, shielded
from sightline.providers.fields import field

# module -> class and method; those that only lead to another of these are not named
Methods = Mapping[str, Sequence[str]]

_COMPLETIONS: Final = ("Completions.create", "AsyncCompletions.create")
_MESSAGES: Final = ("Messages.create", "AsyncMessages.create", "Messages.stream", "AsyncMessages.stream")
METHODS: Final[Mapping[str, Methods]] = {
    "openai": {
        "openai.resources.chat.completions": (
            *_COMPLETIONS, "Completions.parse", "AsyncCompletions.parse",
        ),
        "openai.resources.responses": (
            "Responses.create", "AsyncResponses.create", "Responses.parse", "AsyncResponses.parse",
        ),
        "openai.resources.embeddings": ("Embeddings.create", "AsyncEmbeddings.create"),
    },
    "anthropic": {
        "anthropic.resources.messages": _MESSAGES,
        "anthropic.resources.beta.messages": _MESSAGES,
    },
    "google-genai": {
        "google.genai.models": (
            "Models.generate_content", "AsyncModels.generate_content",
            "Models.generate_content_stream", "AsyncModels.generate_content_stream",
            "Models.embed_content", "AsyncModels.embed_content",
        ),
    },
    "bedrock": {"botocore.client": ("BaseClient._make_api_call",)},
    "mistralai": {
        "mistralai.client.chat": ("Chat.complete", "Chat.complete_async", "Chat.stream", "Chat.stream_async"),
    },
    "cohere": {
        "cohere.v2.client": (
            "V2Client.chat", "AsyncV2Client.chat", "V2Client.chat_stream", "AsyncV2Client.chat_stream",
        ),
    },
    "groq": {"groq.resources.chat.completions": _COMPLETIONS},
    "litellm": {"litellm": ("completion", "acompletion", "embedding", "aembedding")},
}  # fmt: skip
_PROVIDERS: Final = {"google-genai": "gcp.gen_ai", "bedrock": "aws.bedrock", "mistralai": "mistral_ai"}
_BEDROCK_CALLS: Final = ("Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream")


def ask_before_calls(library: str) -> Callable[[], None]:
    """Wrap the library's methods, now or when the program imports them; returns the way back."""
    modules = METHODS.get(library, {})
    if modules and find_spec("wrapt") is None:  # every instrumentation brings it
        log.warning("No budget is asked before %s is called: pip install wrapt", library)
        return _nothing
    asking = _Asking(library)
    for module, names in modules.items():
        asking.when_imported(module, names)
    return asking.undo


class _Asking:
    """The methods of one library that were wrapped, until that is undone."""

    def __init__(self, library: str) -> None:
        self._library = library
        self._wanted = True
        self._wrapped: list[tuple[Any, str, Any]] = []

    def when_imported(self, module: str, names: Sequence[str]) -> None:
        from wrapt import register_post_import_hook

        @shielded
        def imported(found: Any) -> None:
            for name in names if self._wanted else ():
                self._wrap(found, name)

        register_post_import_hook(imported, module)

    def undo(self) -> None:
        self._wanted = False
        while self._wrapped:
            owner, method, before = self._wrapped.pop()
            setattr(owner, method, before)

    def _wrap(self, module: Any, name: str) -> None:
        from wrapt import FunctionWrapper

        owner_name, _, method = name.rpartition(".")
        owner = getattr(module, owner_name, None) if owner_name else module
        before = getattr(owner, method, None)
        if owner is None or before is None:
            log.debug("%s has no %s: no budget is asked there", module.__name__, name)
            return
        setattr(owner, method, FunctionWrapper(before, _asking(self._library)))
        self._wrapped.append((owner, method, before))


def _nothing() -> None:
    """Nothing was wrapped."""


def _asking(library: str) -> Callable[..., Any]:
    provider = None if library == "litellm" else _PROVIDERS.get(library, library)

    def asking(call: Callable[..., Any], client: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        if library == "bedrock" and not (args and args[0] in _BEDROCK_CALLS):
            return call(*args, **kwargs)
        model = _model(library, args, kwargs)
        if iscoroutinefunction(call):
            return _later(call, args, kwargs, provider, model)
        with budget.hold(provider, model):
            return call(*args, **kwargs)

    return asking


async def _later(call: Callable[..., Any], args: Any, kwargs: Any, provider: str | None, model: str) -> Any:
    with budget.hold(provider, model):
        return await call(*args, **kwargs)


def _model(library: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """The model that is asked for; '' when that cannot be told."""
    if library == "bedrock":
        model = field(args[1], "modelId") if len(args) > 1 else ""
    else:
        model = kwargs.get("model") or (args[0] if library == "litellm" and args else "")
    return model if isinstance(model, str) else ""

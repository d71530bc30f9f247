"""A support desk for Sightline itself: the program that the demo observes.

Written as any program that uses `import sightline`: decorators on its own functions, one `context()` around
each request, the official `openai` client untouched. Nothing here knows about the demo.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from openai import OpenAI, OpenAIError

import sightline
from sightline import GuardrailTripped
from sightline_collector.demo.desk_tools import TOOLS, call_tool
from sightline_collector.demo.documents import Library, Passage

MAX_ANSWER_TOKENS: Final = 150
PASSAGES: Final = {"support": 7, "search": 4}
PROMPTS: Final = {
    ("support", "3"): "You are Sightline's support desk. Answer from the passages only, in a few sentences.",
    ("support", "4"): (
        "You are Sightline's support desk. Answer from the passages only, in a few sentences. Name the view, "
        "command or setting that helps. When a tool can answer, use it. Say so when the passages do not."
    ),
    ("search", "1"): "Answer the search in one or two sentences, from the passages only.",
    ("digest", "1"): "Sum the passage up in two sentences for a weekly digest.",
}
_SECRET = re.compile(r"\b(sk-[A-Za-z0-9]{16,}|AKIA[A-Z0-9]{16})\b")
_INJECTION = re.compile(r"ignore (all|your|previous|the) .*instructions|system prompt", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """What comes in at the desk; `feature` is support, search or digest."""

    feature: str
    question: str
    user_id: str
    session_id: str
    model: str
    prompt_version: str
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out: keep `traceparent` beside the answer, to give feedback on it later."""

    text: str
    traceparent: str
    outcome: str  # answered, blocked or failed


class Desk:
    """Answers requests with a client for any OpenAI-compatible model and a library to read from."""

    def __init__(self, client: OpenAI, library: Library) -> None:
        self._client, self._library = client, library

    def handle(self, request: Request) -> Reply:
        """Answer one request. Everything below carries who asked, for what, and with which prompt."""
        with sightline.context(
            user_id=request.user_id,
            session_id=request.session_id,
            feature=request.feature,
            prompt=(request.feature, request.prompt_version),
            variant=request.variant or None,
        ):
            answer = {"support": self.support, "search": self.search, "digest": self.digest}
            return answer[request.feature](request)

    @sightline.workflow
    def support(self, request: Request) -> Reply:
        here = sightline.traceparent()
        try:
            refuse_secrets(request.question)
            refuse_injection(request.question)
            return Reply(self.support_agent(request), here, "answered")
        except GuardrailTripped as blocked:
            return Reply(f"That cannot be answered: {blocked}", here, "blocked")
        except OpenAIError as error:
            return Reply(f"The desk is busy, please try again ({type(error).__name__})", here, "failed")

    @sightline.workflow
    def search(self, request: Request) -> Reply:
        here = sightline.traceparent()
        passages = self.find_passages(request.question, PASSAGES["search"])
        try:
            return Reply("".join(self._streamed(request, passages)), here, "answered")
        except OpenAIError as error:
            return Reply(f"No answer, only passages ({type(error).__name__})", here, "failed")

    @sightline.workflow
    def digest(self, request: Request) -> Reply:
        here = sightline.traceparent()
        passage = self._library.titled(request.question)
        try:
            return Reply("".join(self._streamed(request, [passage])), here, "answered")
        except OpenAIError as error:
            return Reply(f"No digest today ({type(error).__name__})", here, "failed")

    @sightline.agent
    def support_agent(self, request: Request) -> str:
        """Let the model call tools until it answers, twice at most."""
        messages = _briefing(request, self.find_passages(request.question, PASSAGES["support"]))
        for _ in range(2):
            completion = self._client.chat.completions.create(
                model=request.model, messages=messages, tools=TOOLS, max_completion_tokens=MAX_ANSWER_TOKENS
            )
            message = completion.choices[0].message
            if not message.tool_calls:
                break
            messages.append(message.model_dump(exclude_none=True))
            messages.extend(map(call_tool, message.tool_calls))
        return tidy(message.content or "")

    @sightline.retrieval
    def find_passages(self, question: str, limit: int) -> list[Passage]:
        return self._library.search(question, limit)

    def _streamed(self, request: Request, passages: Sequence[Passage]) -> Iterator[str]:
        stream = self._client.chat.completions.create(
            model=request.model,
            messages=_briefing(request, passages),
            max_completion_tokens=MAX_ANSWER_TOKENS,
            stream=True,
        )
        for chunk in stream:
            if chunk.choices:
                yield chunk.choices[0].delta.content or ""


@sightline.guardrail
def refuse_secrets(question: str) -> None:
    if _SECRET.search(question):
        raise GuardrailTripped("it holds a key; revoke it, then ask again without it")


@sightline.guardrail
def refuse_injection(question: str) -> None:
    if _INJECTION.search(question):
        raise GuardrailTripped("it asks for something else than support")


@sightline.step(stage="postprocessing")
def tidy(text: str) -> str:
    """One space between words, and no half sentence at the end."""
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else text.rpartition(". ")[0] or text


def _briefing(request: Request, passages: Sequence[Passage]) -> Any:
    """The messages that a call begins with: rules, material, and the question as the last paragraph."""
    material = "\n".join(f"[{n}] {passage.title}\n{passage.text}" for n, passage in enumerate(passages, 1))
    question = request.question.replace("\n\n", "\n")
    return [
        {"role": "system", "content": PROMPTS[request.feature, request.prompt_version]},
        {"role": "user", "content": f"Passages:\n{material}\n\n{question}"},
    ]

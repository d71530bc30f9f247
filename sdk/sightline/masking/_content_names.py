"""Which attributes hold content or ids, in every dialect that we know. Pure."""

from typing import Final

from sightline import attributes

_CONTENT: Final = frozenset(
    {
        attributes.INPUT_MESSAGES,
        attributes.OUTPUT_MESSAGES,
        attributes.SYSTEM_INSTRUCTIONS,
        attributes.TOOL_DEFINITIONS,
        attributes.TOOL_ARGUMENTS,
        attributes.TOOL_RESULT,
        attributes.RETRIEVAL_QUERY,
        attributes.RETRIEVAL_DOCUMENTS,
        attributes.INPUT,
        attributes.OUTPUT,
        attributes.PROMPT_TEMPLATE,
        attributes.EVALUATION_EXPLANATION,
        attributes.FEEDBACK_CORRECTION,
        attributes.EXCEPTION_MESSAGE,
        attributes.EXCEPTION_STACKTRACE,
        # OpenTelemetry, also before it had names for parts
        "gen_ai.prompt", "gen_ai.completion",
        "gen_ai.event.content", "gen_ai.content.prompt", "gen_ai.content.completion",
        "gen_ai.content.reasoning", "gen_ai.tool.description", "gen_ai.response.text",
        # OpenInference
        "input.value", "output.value", "tool.parameters", "tool.json_schema", "document.content",
        "embedding.text", "reranker.query", "llm.function_call", "llm.prompt_template.template",
        "llm.prompt_template.variables",
        # OpenLLMetry, Langfuse, MLflow, Logfire and Pydantic AI, Vercel, ADK, Haystack
        "traceloop.entity.input", "traceloop.entity.output",
        "langfuse.observation.input", "langfuse.observation.output", "langfuse.trace.input",
        "langfuse.trace.output", "mlflow.spanInputs", "mlflow.spanOutputs",
        "all_messages_events", "pydantic_ai.all_messages", "final_result", "tool_arguments",
        "tool_response", "request_data", "response_data", "events",
        "ai.prompt", "ai.value", "ai.values", "ai.embedding", "ai.embeddings", "ai.toolCall.args",
        "ai.toolCall.result", "ai.schema",
        "gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response",
        "gcp.vertex.agent.tool_call_args", "gcp.vertex.agent.tool_response", "gcp.vertex.agent.data",
        "haystack.component.input", "haystack.component.output",
        # names that events of several of them have
        "content", "message", "prompt", "completion", "arguments", "input", "output",
    }
)  # fmt: skip
_CONTENT_PREFIXES: Final = (
    attributes.PROMPT_VARIABLE_PREFIX,
    "gen_ai.prompt.0", "gen_ai.prompt.1", "gen_ai.prompt.2", "gen_ai.prompt.3", "gen_ai.prompt.4",
    "gen_ai.prompt.5", "gen_ai.prompt.6", "gen_ai.prompt.7", "gen_ai.prompt.8", "gen_ai.prompt.9",
    "gen_ai.completion.",
    "llm.input_messages.", "llm.output_messages.", "llm.prompts", "llm.completions", "llm.tools.",
    "retrieval.documents.", "reranker.input_documents.", "reranker.output_documents.",
    "embedding.embeddings.",
    "ai.prompt.", "ai.response.text", "ai.response.object", "ai.response.reasoning",
    "ai.response.toolCalls", "ai.result.",
)  # fmt: skip
# Of a log record, what OpenTelemetry and we say of it; all else its author said.
TELEMETRY: Final = ("code.", "thread.", "exception.type", attributes.FEATURE, "gen_ai.", "event.", "log.")
_IDS: Final = frozenset(
    {
        attributes.USER_ID,
        attributes.SESSION_ID,
        attributes.CONVERSATION_ID,
        attributes.RESPONSE_ID,
        attributes.TOOL_CALL_ID,
        attributes.FEEDBACK_ID,
        attributes.REQUEST_MODEL,
        attributes.RESPONSE_MODEL,
        attributes.COST_USD,
        attributes.OPERATION,
        attributes.STAGE,
        attributes.GEN_AI_OPERATION,
        attributes.GEN_AI_PROVIDER,
    }
)
_USER_IDS: Final = frozenset(
    {
        attributes.USER_ID,
        "enduser.id",
        "enduser.pseudo.id",
        "user.name",
        "user.email",
        "usr.id",
        "gen_ai.request.user",
        "langfuse.user.id",
        "langfuse.trace.user_id",
        "ai.telemetry.metadata.userId",
        "user_id",
        "userId",
        "traceloop.association.properties.user_id",
    }
)


def is_content(name: str) -> bool:
    """Whether it holds what people or models said."""
    return name in _CONTENT or name.startswith(_CONTENT_PREFIXES)


def is_id(name: str) -> bool:
    """Whether it is a name, a model or an id: chosen by the program, and what questions are asked by."""
    return name in _IDS


def is_user_id(name: str) -> bool:
    """Whether it says who used the program, in any dialect."""
    return name in _USER_IDS

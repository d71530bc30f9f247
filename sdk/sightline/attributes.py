"""The contract: every span and log attribute that Sightline writes, each once.

The SDK writes these names, the collector's SQL maps the same names to columns. `gen_ai.*`, `user.id`,
`session.id` and `error.type` are OpenTelemetry's semantic conventions; `sightline.*` is ours, for what
they lack. Beside each name: its type, its unit or values, who sets it.
"""

from typing import Final

# -- OpenTelemetry: the operation ------------------------------------------------------------------
GEN_AI_OPERATION: Final = "gen_ai.operation.name"  # string: chat, execute_tool, ...; decorators, llm_call
GEN_AI_PROVIDER: Final = "gen_ai.provider.name"  # string: openai, aws.bedrock, ...; llm_call
ERROR_TYPE: Final = "error.type"  # string: exception class or provider's code; on failure only

# -- OpenTelemetry: the request and the response of a model call -----------------------------------
REQUEST_MODEL: Final = "gen_ai.request.model"  # string; llm_call
REQUEST_STREAM: Final = "gen_ai.request.stream"  # bool; llm_call
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"  # double; llm_call
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"  # int, tokens; llm_call
REQUEST_TOP_P: Final = "gen_ai.request.top_p"  # double; llm_call
RESPONSE_MODEL: Final = "gen_ai.response.model"  # string: the model that answered; llm_call
RESPONSE_ID: Final = "gen_ai.response.id"  # string; llm_call
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"  # string[], one a choice; llm_call
TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"  # double, seconds; llm_call
SERVICE_TIER: Final = "openai.response.service_tier"  # string: the tier that was billed; llm_call

# -- OpenTelemetry: usage. The first two are totals, the rest are parts of them --------------------
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"  # int, cache included
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"  # int, reasoning included
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"  # int, part of input
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"  # int, part of input
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"  # int, part of output
AUDIO_INPUT_TOKENS: Final = "gen_ai.usage.audio.input_tokens"  # int, part of input
AUDIO_OUTPUT_TOKENS: Final = "gen_ai.usage.audio.output_tokens"  # int, part of output
IMAGE_INPUT_TOKENS: Final = "gen_ai.usage.image.input_tokens"  # int, part of input
IMAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.image.output_tokens"  # int, part of output
CACHE_WRITE_1H_TOKENS: Final = (  # int, part of cache_write: kept for an hour, at a price of its own
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"
)

# -- OpenTelemetry: content (recorded as the content mode allows) ----------------------------------
INPUT_MESSAGES: Final = "gen_ai.input.messages"  # string, JSON array of messages
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"  # string, JSON array of messages
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"  # string, JSON array of parts
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"  # string, JSON array
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"  # string, JSON; @tool
TOOL_RESULT: Final = "gen_ai.tool.call.result"  # string, JSON; @tool
RETRIEVAL_QUERY: Final = "gen_ai.retrieval.query.text"  # string; foreign instrumentations
RETRIEVAL_DOCUMENTS: Final = "gen_ai.retrieval.documents"  # string, JSON; foreign instrumentations

# -- OpenTelemetry: who and what -------------------------------------------------------------------
TOOL_NAME: Final = "gen_ai.tool.name"  # string; @tool
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"  # string; foreign instrumentations
AGENT_NAME: Final = "gen_ai.agent.name"  # string; @agent
WORKFLOW_NAME: Final = "gen_ai.workflow.name"  # string; @workflow
PROMPT_NAME: Final = "gen_ai.prompt.name"  # string; prompt(), context(prompt=)
PROMPT_VERSION: Final = "gen_ai.prompt.version"  # string; prompt(), context(prompt=)
CONVERSATION_ID: Final = "gen_ai.conversation.id"  # string; context(session_id=)
SESSION_ID: Final = "session.id"  # string; context(session_id=)
USER_ID: Final = "user.id"  # string; context(user_id=)

# -- OpenTelemetry: the HTTP request that a workflow answers ---------------------------------------
HTTP_METHOD: Final = "http.request.method"  # string: GET, POST, ...; _OTHER for unknown ones; middleware
HTTP_ROUTE: Final = "http.route"  # string: the template, never the path; middleware
HTTP_STATUS: Final = "http.response.status_code"  # int; middleware
URL_SCHEME: Final = "url.scheme"  # string: http, https; middleware
URL_PATH: Final = "url.path"  # string, without the query, masked; middleware
URL_QUERY: Final = "url.query"  # string, values masked; middleware(query=True)

# -- Sightline: spans ------------------------------------------------------------------------------
OPERATION: Final = "sightline.operation"  # string: workflow agent step tool retrieval guardrail llm evaluator
STAGE: Final = "sightline.stage"  # string: one of STAGES or the user's own; decorators, stage()
FEATURE: Final = "sightline.feature"  # string; context(feature=), EVALUATION_FEATURE
VARIANT: Final = "sightline.variant"  # string; variant(), context(variant=)
TAGS: Final = "sightline.tags"  # string[]; context(tags=)
INPUT: Final = "sightline.input"  # string, JSON of the arguments; decorators but @tool
OUTPUT: Final = "sightline.output"  # string, JSON of the result; decorators but @tool
GUARDRAIL_BLOCKED: Final = "sightline.guardrail.blocked"  # bool; @guardrail
TIME_TO_FIRST_TOKEN: Final = "sightline.time_to_first_token"  # noqa: S105  # double, s, first content
TIME_TO_FIRST_REASONING: Final = "sightline.time_to_first_reasoning"  # double, s, first shown thought
TOKENS_PER_SECOND: Final = "sightline.tokens_per_second"  # double, output tokens a second; model calls
WEB_SEARCHES: Final = "sightline.usage.web_searches"  # int: searches of the provider's own tool
USAGE_ESTIMATED: Final = "sightline.usage.estimated"  # bool: true when counted here, not reported
COST_USD: Final = "sightline.cost_usd"  # string, decimal USD: this program's own estimate
COST_REASON: Final = "sightline.cost_reason"  # string: why there is no cost_usd; see pricing.Reason
USAGE_AGGREGATED: Final = "sightline.usage.aggregated"  # bool: true when calls below carry this usage
PROMPT_TEMPLATE: Final = "sightline.prompt.template"  # string, JSON of messages; prompt(): model calls
EXPERIMENT: Final = "sightline.experiment"  # string: whose variant this is; variant()
CLIENT_GONE: Final = "sightline.http.client_gone"  # bool: true when the client left mid-answer; middleware
SHADOW: Final = "sightline.shadow"  # bool: true when nobody saw the answer; shadow()
BUDGET_DECISION: Final = "sightline.budget.decision"  # string: allow warn deny; only when not allow
SAMPLE_WEIGHT: Final = "sightline.sample.weight"  # double: for how many spans this one stands; only above 1
SAMPLE_THINNED: Final = "sightline.sample.thinned"  # bool: true when spans of this trace were left out
UNCOUNTED: Final = "sightline.usage.uncounted"  # an object of ours; removed before a span leaves
BACKDATE_NS: Final = "sightline.testing.backdate_ns"  # int, ns; removed before a span leaves
JUDGED: Final = "sightline.judged"  # bool: true when an evaluator judges it in the background
SCORE_PREFIX: Final = "sightline.score."  # + name, double: score(), inline evaluators
PROMPT_VARIABLE_PREFIX: Final = "gen_ai.prompt.variable."  # + name, string; prompt(): model calls

# -- Feedback: a log record named EVALUATION_EVENT with the judged span's ids ----------------------
EVALUATION_EVENT: Final = "gen_ai.evaluation.result"
EVALUATION_NAME: Final = "gen_ai.evaluation.name"  # string, "user_feedback" by default
EVALUATION_SCORE: Final = "gen_ai.evaluation.score.value"  # double; thumbs: up 1.0, down 0.0
EVALUATION_LABEL: Final = "gen_ai.evaluation.score.label"  # string: up, down; true, false; a signal
EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"  # string: the comment
FEEDBACK_ID: Final = "sightline.feedback.id"  # string: sent again, counted once
FEEDBACK_SOURCE: Final = "sightline.feedback.source"  # string: user annotator judge code implicit
FEEDBACK_KIND: Final = "sightline.feedback.kind"  # string: see KINDS
FEEDBACK_CORRECTION: Final = "sightline.feedback.correction"  # string: what it should have been

# -- Loss: a log record named LOSS_EVENT, one for each signal and reason ---------------------------
LOSS_EVENT: Final = "sightline.loss"
LOSS_ITEMS: Final = "sightline.loss.items"  # int: spans or records that never left
LOSS_SIGNAL: Final = "sightline.loss.signal"  # string: traces logs metrics
LOSS_REASON: Final = "sightline.loss.reason"  # string: queue_full, export_failed, ...
LOSS_WHERE: Final = "sightline.loss.where"  # string: sender collector

# -- OpenTelemetry: the program's own log records, which init(logs=) sends ---------------------------
CODE_FILE: Final = "code.file.path"  # string
CODE_FUNCTION: Final = "code.function.name"  # string
CODE_LINE: Final = "code.line.number"  # int
CODE_STACK: Final = "code.stacktrace"  # string: of a record with stack_info
THREAD_NAME: Final = "thread.name"  # string
EXCEPTION_TYPE: Final = "exception.type"  # string: class with its module
EXCEPTION_MESSAGE: Final = "exception.message"  # string; content
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"  # string; content

# -- Values ----------------------------------------------------------------------------------------
STAGES: Final = (
    "preprocessing",
    "model_inference",
    "postprocessing",
    "tool_execution",
    "guardrail",
    "retrieval",
)
# What a judgement is: said by people or code, done by people, found out later; error: an evaluator failed.
KINDS: Final = ("thumbs", "score", "label", "comment", "correction", "signal", "outcome", "error")
# With an evaluator's name, the feature of its own spans: its cost is nobody else's, its calls answer nobody.
EVALUATION_FEATURE: Final = "evaluation:"
# gen_ai.operation.name of spans that a provider bills; an agent's or workflow's usage is a sum of these.
MODEL_OPERATIONS: Final = frozenset({"chat", "text_completion", "generate_content", "embeddings"})

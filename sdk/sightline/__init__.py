"""Sightline: observability for programs that call language models, on OpenTelemetry."""

from sightline import budget, logs
from sightline._configure import Health, flush, health, init, shutdown
from sightline._context import context
from sightline._decorators import agent, guardrail, llm, retrieval, step, tool, workflow
from sightline._exits import flush_on_signals, flushed
from sightline._llm_call import LLMCall, llm_call
from sightline._sampling import Sampling
from sightline._stage import stage
from sightline.budget import Budget, Cap
from sightline.errors import BudgetExceeded, ConfigurationError, GuardrailTripped, SightlineError
from sightline.evaluation import evaluate, evaluator
from sightline.experiments import shadow, variant
from sightline.feedback import feedback, record_outcome, traceparent
from sightline.privacy import Privacy
from sightline.prompts import prompt
from sightline.scores import Score, score

__all__ = [
    "Budget",
    "BudgetExceeded",
    "Cap",
    "ConfigurationError",
    "GuardrailTripped",
    "Health",
    "LLMCall",
    "Privacy",
    "Sampling",
    "Score",
    "SightlineError",
    "agent",
    "budget",
    "context",
    "evaluate",
    "evaluator",
    "feedback",
    "flush",
    "flush_on_signals",
    "flushed",
    "guardrail",
    "health",
    "init",
    "llm",
    "llm_call",
    "logs",
    "prompt",
    "record_outcome",
    "retrieval",
    "score",
    "shadow",
    "shutdown",
    "stage",
    "step",
    "tool",
    "traceparent",
    "variant",
    "workflow",
]

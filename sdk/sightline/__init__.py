"""Sightline: observability for programs that call language models, on OpenTelemetry."""

from sightline import budget
from sightline._configure import Health, flush, health, init, shutdown
from sightline._context import context
from sightline._decorators import agent, guardrail, llm, retrieval, step, tool, workflow
from sightline._llm_call import LLMCall, llm_call
from sightline._stage import stage
from sightline.budget import Budget
from sightline.errors import BudgetExceeded, ConfigurationError, GuardrailTripped, SightlineError
from sightline.feedback import feedback, traceparent

__all__ = [
    "Budget",
    "BudgetExceeded",
    "ConfigurationError",
    "GuardrailTripped",
    "Health",
    "LLMCall",
    "SightlineError",
    "agent",
    "budget",
    "context",
    "feedback",
    "flush",
    "guardrail",
    "health",
    "init",
    "llm",
    "llm_call",
    "retrieval",
    "shutdown",
    "stage",
    "step",
    "tool",
    "traceparent",
    "workflow",
]

"""Leaving a context that was entered, also where another thread or task goes on with the work.

A token resets a context only where it was made. A generator is often stepped elsewhere: Starlette reads a
plain one in a pool of threads, each step in a copy of the request's context. There OpenTelemetry's `detach`
logs an error and leaves current what has ended.
"""

from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context


def leave(token: Any, entered: Context) -> None:
    """Go back to what was current when `attach(entered)` gave this token. Never raises.

    Elsewhere than there this is done only while `entered` is current: what else is, is not ours to leave.
    """
    try:
        otel_context._RUNTIME_CONTEXT.detach(token)
    except ValueError:
        before = getattr(token, "old_value", None)
        if otel_context.get_current() is entered:
            otel_context.attach(before if isinstance(before, Context) else Context())
    except Exception:
        otel_context.detach(token)  # says what is wrong

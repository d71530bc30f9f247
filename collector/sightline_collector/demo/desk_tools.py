"""What the desk's model may look up: tools, as functions and as the descriptions that a model reads."""

import json
from collections.abc import Callable
from typing import Any, Final

from genai_prices import Usage, calc_price
from openai.types.chat import ChatCompletionMessageToolCallUnion

import sightline

PRICED_MODELS: Final = ("gpt-4o-mini", "gpt-4o", "gpt-5-mini")
_MILLION: Final = 1_000_000


@sightline.tool
def model_price(model: str) -> str:
    """Look up what a model costs: its price for a million tokens."""
    price = calc_price(Usage(input_tokens=_MILLION, output_tokens=_MILLION), model, provider_id="openai")
    return (
        f"The price of {model} is {price.input_price} USD for a million input tokens"
        f" and {price.output_price} USD for a million output tokens."
    )


@sightline.tool
def ticket_status(ticket: str) -> str:
    """Look up the status of a support ticket by its number."""
    status = "solved" if int(ticket[-1]) % 2 == 0 else "in work"
    return f"The status of the support ticket {ticket} is: {status}."


def call_tool(call: ChatCompletionMessageToolCallUnion) -> dict[str, Any]:
    """Run the tool that the model asked for; gives the message that answers it."""
    if call.type != "function" or call.function.name not in _TOOLS:
        return {"role": "tool", "tool_call_id": call.id, "content": "There is no such tool."}
    arguments: dict[str, str] = json.loads(call.function.arguments)
    result = _TOOLS[call.function.name](**arguments)
    return {"role": "tool", "tool_call_id": call.id, "content": result}


def _described(name: str, rules: dict[str, Any]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": rules, "required": list(rules)}
    function = {"name": name, "description": _TOOLS[name].__doc__, "parameters": parameters}
    return {"type": "function", "function": function}


_TOOLS: Final[dict[str, Callable[..., str]]] = {"model_price": model_price, "ticket_status": ticket_status}
TOOLS: Final[Any] = [
    _described("model_price", {"model": {"type": "string", "enum": list(PRICED_MODELS)}}),
    _described("ticket_status", {"ticket": {"type": "string", "pattern": "^SL-[0-9]{4}$"}}),
]

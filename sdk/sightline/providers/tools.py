"""The tools that a request offers, in OpenTelemetry's shape, whichever provider's it is. Pure."""

from typing import Any

from sightline.providers.fields import either, field, getter, items, name


def definitions(tools: object) -> list[dict[str, Any]]:
    """Each tool as {"type", "name", "description", "parameters"}, with what is known of it."""
    offered = tools if isinstance(tools, list | tuple) else items(field(tools, "tools")) or (tools,)
    return [definition for tool in offered for definition in _definitions(tool)]


def _definitions(tool: object) -> list[dict[str, Any]]:
    if callable(tool) and not isinstance(tool, type):  # Google's and Ollama's clients take functions
        return [{"type": "function", "name": getattr(tool, "__name__", None)}]
    get = getter(tool)
    declared = either(get, "function_declarations", "functionDeclarations")
    if declared is not None:
        return [_definition("function", declaration) for declaration in items(declared)]
    kind = name(get("type")) or "function"
    return [_definition(kind, get("function") or get("toolSpec") or get("custom") or tool)]


def _definition(kind: str, tool: object) -> dict[str, Any]:
    get = getter(tool)
    schema = either(get, "parameters", "input_schema")
    if schema is None:
        schema = field(get("inputSchema"), "json")
    known = {"name": name(get("name")), "description": name(get("description")), "parameters": schema}
    return {"type": kind, **{key: value for key, value in known.items() if value is not None}}

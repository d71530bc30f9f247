"""The tools that a request offers, in OpenTelemetry's shape, whichever provider's it is. Pure."""

from typing import Any, Final

from sightline.providers.fields import either, field, getter, items, name

_MAX_DEPTH: Final = 10  # of objects in objects in a schema


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
        schema = either(get, "parameters_json_schema", "parametersJsonSchema")
    if schema is None:
        schema = field(get("inputSchema"), "json")
    known = {"name": name(get("name")), "description": name(get("description")), "parameters": _given(schema)}
    return {"type": kind, **{key: value for key, value in known.items() if value is not None}}


def _given(schema: object, depth: int = _MAX_DEPTH) -> Any:
    """Of a schema that is a client's object, what was said: Google's has two dozen fields for each value."""
    if depth and hasattr(type(schema), "__pydantic_fields__"):
        return {key: _given(value, depth - 1) for key, value in vars(schema).items() if value is not None}
    if depth and isinstance(schema, dict):
        return {key: _given(value, depth - 1) for key, value in schema.items()}
    return schema

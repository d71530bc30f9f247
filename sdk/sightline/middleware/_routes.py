"""The template of the route that a request took, as its framework left it behind; never the path itself.

FastAPI      scope["fastapi.telemetry"].route, or its own notes under scope["fastapi"]
Starlette    scope["route"].path_format, below the mounts that scope["root_path"] has grown by
Flask        environ["werkzeug.request"].url_rule
"""

from collections.abc import Callable, Mapping
from typing import Any

_REST = "/{path}"  # what a mount leaves to the application below it


def of_scope(scope: Mapping[str, Any]) -> str | None:
    """The route of an ASGI request; None before routing, for unknown paths, and for other frameworks."""
    noted = getattr(scope.get("fastapi.telemetry"), "route", None)
    if isinstance(noted, str):
        return noted
    template, leaf = _template(scope)
    if template is None:
        return None
    prefix = _prefix(scope, leaf)
    if hasattr(leaf, "routes"):  # a mount whose application has no routes, or none for this path
        return prefix + _REST
    return f"{prefix}{template}" or "/"


def of_environ(environ: Mapping[str, Any]) -> str | None:
    """The route of a Flask request, below where it is mounted; None when there is none."""
    rule = getattr(getattr(environ.get("werkzeug.request"), "url_rule", None), "rule", None)
    return f"{environ.get('SCRIPT_NAME', '').rstrip('/')}{rule}" if isinstance(rule, str) else None


def remembered(read: Callable[[], str | None]) -> Callable[[], str | None]:
    """`read`, which goes on answering the last route it knew: frameworks forget it before the last byte."""
    known: str | None = None

    def route() -> str | None:
        nonlocal known
        known = read() or known
        return known

    return route


def _template(scope: Mapping[str, Any]) -> tuple[str | None, Any]:
    """The template and the route that it is of. FastAPI keeps a router's prefix beside the route."""
    route = scope.get("route")
    notes = scope.get("fastapi")
    included = notes.get("effective_route_context") if isinstance(notes, Mapping) else None
    if included is not None:
        template = getattr(getattr(included, "starlette_route", None), "path_format", None)
        template = template or getattr(included, "path_format", None)
        if template:
            return str(template), route
    template = getattr(route, "path_format", None)
    return (template if isinstance(template, str) else None), route


def _prefix(scope: Mapping[str, Any], leaf: Any) -> str:
    """Where the application is mounted, with the mounts' own parameters put back in place of their values."""
    prefix = str(scope.get("root_path", "")).rstrip("/")
    own = () if hasattr(leaf, "routes") else getattr(leaf, "param_convertors", ())
    of_mounts = {str(v): name for name, v in scope.get("path_params", {}).items() if name not in own}
    if not of_mounts or not prefix:
        return prefix
    parts = ["{" + of_mounts[part] + "}" if part in of_mounts else part for part in prefix.split("/")]
    if not all("{" + name + "}" in parts for name in of_mounts.values()):
        return ""  # a value that spans several parts, or was converted: better no prefix than a raw one
    return "/".join(parts)

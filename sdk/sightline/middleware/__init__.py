"""Middleware for web services: one workflow span a request, and everything below it knows whose it is.

    app.add_middleware(ASGIMiddleware, user=header("x-user-id"))     # FastAPI, Starlette
    app.wsgi_app = WSGIMiddleware(app.wsgi_app)                      # Flask, any WSGI application
    MIDDLEWARE = ["sightline.middleware.django.DjangoMiddleware"]    # Django, both ways

    server ──► OpenTelemetry's SERVER span, if some instrumentation makes one
                 └─ POST /chats/{id}      the request: ends with the last byte of its answer
                      └─ invoke_agent ..  user, session and feature come by themselves

All take the same keyword arguments, which `Options` explains. None of the frameworks is imported. A fault of
ours costs the span, never the request.
"""

from sightline.middleware._identity import cookie, header, identify
from sightline.middleware._options import Options
from sightline.middleware.asgi import ASGIMiddleware
from sightline.middleware.wsgi import WSGIMiddleware

__all__ = ["ASGIMiddleware", "Options", "WSGIMiddleware", "cookie", "header", "identify"]

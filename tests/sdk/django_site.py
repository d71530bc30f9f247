"""A small Django project: views that answer, stream and fail, and somebody logged in."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import django
from django.conf import settings
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.urls import include, path

import sightline

MIDDLEWARE = "sightline.middleware.django.DjangoMiddleware"


@sightline.agent
def answer(number: int) -> str:
    return str(number)


def signing_in(get_response: Any) -> Any:
    """Django's own authentication, in short: it runs after ours."""

    def middleware(request: Any) -> Any:
        request.user_id = request.headers.get("x-user")
        return get_response(request)

    return middleware


def chat(request: Any, number: int) -> HttpResponse:
    return HttpResponse(answer(number))


async def achat(request: Any, number: int) -> HttpResponse:
    await asyncio.sleep(0)
    return HttpResponse(answer(number))


def stream(request: Any) -> StreamingHttpResponse:
    def pieces() -> Iterator[str]:
        for number in range(3):
            yield answer(number)

    return StreamingHttpResponse(pieces())


async def astream(request: Any) -> StreamingHttpResponse:
    async def pieces() -> AsyncIterator[str]:
        for number in range(3):
            yield answer(number)

    return StreamingHttpResponse(pieces())


async def endless(request: Any) -> StreamingHttpResponse:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0.001)

    return StreamingHttpResponse(pieces())


def breaks(request: Any) -> StreamingHttpResponse:
    return StreamingHttpResponse(answer(1 // (1 - number)) for number in range(3))


def fails(request: Any) -> HttpResponse:
    raise LookupError("not here")


def file(request: Any) -> FileResponse:
    return FileResponse(open(__file__, "rb"))  # Django closes it


urlpatterns = [
    path("v1/", include([path("chats/<int:number>", chat), path("achats/<int:number>", achat)])),
    path("stream", stream),
    path("astream", astream),
    path("endless", endless),
    path("breaks", breaks),
    path("fails", fails),
    path("file", file),
]

if not settings.configured:
    settings.configure(
        ROOT_URLCONF=__name__,
        MIDDLEWARE=[MIDDLEWARE, f"{__name__}.signing_in"],
        SIGHTLINE={"user": lambda request: request.user_id, "exclude": "/health*"},
        ALLOWED_HOSTS=["*"],
        LOGGING_CONFIG=None,
        SECRET_KEY="for tests",
    )
    django.setup()

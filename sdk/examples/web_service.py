"""A FastAPI service: a chat endpoint that streams, and one where its users say what they think of an answer.

    python web_service.py
    curl -N localhost:8000/chats/7 -H 'x-user-id: u1' -H 'content-type: application/json' -d '{"text": "Hi"}'

Each request is one span, named by its route, with user, session, status and cost below it. The answer's
`x-traceparent` header is what the feedback refers to. What arrives, and feedback on the first:

    POST /chats/{chat_id}
      invoke_agent reply
        chat gpt-4o-mini
    POST /feedback
"""

import os
from collections.abc import AsyncIterator
from typing import Literal

import openai
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

import sightline
from sightline.middleware import ASGIMiddleware, header, identify

MODEL = os.environ.get("MODEL", "gpt-4o-mini")

sightline.init("web-service")
client = openai.AsyncOpenAI()
api = FastAPI()


class Question(BaseModel):
    text: str


class Opinion(BaseModel):
    traceparent: str
    thumbs: Literal["up", "down"]
    comment: str | None = None


@sightline.agent
async def reply(question: str) -> AsyncIterator[str]:
    stream = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": question}], stream=True
    )
    async for chunk in stream:
        yield chunk.choices[0].delta.content or ""


@api.post("/chats/{chat_id}")
async def chat(chat_id: str, question: Question) -> StreamingResponse:
    identify(session_id=chat_id)  # what only the application knows; the user comes from a header
    headers = {"x-traceparent": sightline.traceparent()}
    return StreamingResponse(reply(question.text), media_type="text/plain", headers=headers)


@api.post("/feedback")
async def feedback(opinion: Opinion) -> dict[str, str]:
    return {"id": sightline.feedback(opinion.traceparent, thumbs=opinion.thumbs, comment=opinion.comment)}


# The gateway in front sets the header and drops what comes from outside.
app = ASGIMiddleware(api, user=header("x-user-id"), exclude="/health*")

if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")))

"""Quickstart: an agent that looks something up and asks a model, for a user, in a session.

    python quickstart.py

The model is OpenAI's, or the one behind OPENAI_BASE_URL; the collector is `sightline up` on this machine, or
the one behind OTEL_EXPORTER_OTLP_ENDPOINT. What arrives:

    invoke_agent answer
      retrieval search
      chat gpt-4o-mini
"""

import os

import openai

import sightline

MODEL = os.environ.get("MODEL", "gpt-4o-mini")
PASSAGES = ["The green lamp costs 12 EUR.", "The red lamp costs 14 EUR.", "Chairs are made of oak."]

sightline.init("quickstart")
client = openai.OpenAI()


@sightline.retrieval
def search(question: str) -> list[str]:
    words = set(question.lower().strip("?").split())
    return [passage for passage in PASSAGES if words & set(passage.lower().split())]


@sightline.agent
def answer(question: str) -> str:
    passages = "\n".join(search(question))
    completion = client.chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "system", "content": f"Answer from these passages only:\n{passages}"},
            {"role": "user", "content": question},
        ],
    )
    return completion.choices[0].message.content or ""


if __name__ == "__main__":
    with sightline.context(user_id="u1", session_id="s1", feature="shop"):
        print(answer("What does the green lamp cost?"))

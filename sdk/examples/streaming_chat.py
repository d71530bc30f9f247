"""A conversation whose answers are streamed: each turn is a trace, and all turns are one session.

    python streaming_chat.py

The span of a turn ends with the last word; its model call says how long the first word took, and what a
reader who stops early was still charged. What arrives:

    invoke_workflow turn
      chat gpt-4o-mini
    invoke_workflow turn
      chat gpt-4o-mini
"""

import os
from collections.abc import Iterator

import openai
from openai.types.chat import ChatCompletionMessageParam

import sightline

MODEL = os.environ.get("MODEL", "gpt-4o-mini")
QUESTIONS = ["Name a tree that bears nuts.", "And one that does not?"]

sightline.init("streaming-chat")
client = openai.OpenAI()


@sightline.workflow
def turn(messages: list[ChatCompletionMessageParam]) -> Iterator[str]:
    """Yield the answer word by word; usage is asked for by Sightline, and its chunk kept from you."""
    with client.chat.completions.create(model=MODEL, messages=messages, stream=True) as stream:
        for chunk in stream:
            if words := chunk.choices[0].delta.content:
                yield words


if __name__ == "__main__":
    messages: list[ChatCompletionMessageParam] = []
    with sightline.context(user_id="u1", session_id="conversation-1", feature="chat"):
        for question in QUESTIONS:
            print(f"> {question}")
            messages.append({"role": "user", "content": question})
            answer = ""
            for words in turn(messages):
                print(words, end="", flush=True)
                answer += words
            print()
            messages.append({"role": "assistant", "content": answer})

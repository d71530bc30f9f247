"""A queue between two processes: who orders and who works are one trace, with the same user.

    python worker_queue.py

Any broker works the same way: its messages carry the headers that `propagation.headers()` gives. Processes
are spawned here, as gunicorn's and Celery's are forked: both are safe. What arrives, from two processes:

    invoke_workflow order
      invoke_agent summarise
        chat gpt-4o-mini
"""

import multiprocessing
import os
from multiprocessing.queues import Queue
from typing import Any

import openai

import sightline
from sightline import propagation

MODEL = os.environ.get("MODEL", "gpt-4o-mini")


@sightline.agent
def summarise(text: str) -> str:
    completion = openai.OpenAI().chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": f"Sum this up in three words: {text}"}]
    )
    return completion.choices[0].message.content or ""


@sightline.workflow
def order(queue: "Queue[Any]", text: str) -> None:
    queue.put({"text": text, "headers": propagation.headers()})


def work(queue: "Queue[Any]") -> None:
    sightline.init("worker")
    while (job := queue.get()) is not None:
        with propagation.received(job["headers"]):
            print(summarise(job["text"]))


if __name__ == "__main__":
    sightline.init("shop")
    spawned = multiprocessing.get_context("spawn")
    jobs = spawned.Queue()
    worker = spawned.Process(target=work, args=(jobs,))
    worker.start()
    with sightline.context(user_id="u1", session_id="s1", feature="digest"):
        order(jobs, "The green lamp is sold out until Monday.")
    jobs.put(None)
    worker.join()

"""A runaway agent, stopped: it would ask its model for ever, and a budget says when it is enough.

    python budget_guard.py

Clients that Sightline observes ask by themselves before each call. One that would pass a cap is not made:
it is on record as denied, and BudgetExceeded says what was spent. What arrives:

    invoke_agent search_for_ever
      chat gpt-4o-mini
      chat gpt-4o-mini
      chat gpt-4o-mini
      chat gpt-4o-mini
"""

import os

import openai

import sightline
from sightline.budget import Cap

MODEL = os.environ.get("MODEL", "gpt-4o-mini")

sightline.init("careful", budget=sightline.Budget(per_trace=Cap(usd=0.50, calls=3)))
client = openai.OpenAI()


@sightline.agent
def search_for_ever(question: str) -> str:
    """An agent that is never content."""
    notes = ""
    while True:
        completion = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": f"{question}\nNotes so far: {notes}"}]
        )
        notes += completion.choices[0].message.content or ""
        if "DONE" in notes:
            return notes


if __name__ == "__main__":
    with sightline.context(user_id="u1", feature="research"):
        try:
            print(search_for_ever("What is the best lamp?"))
        except sightline.BudgetExceeded as enough:
            print(f"Stopped: {enough}")

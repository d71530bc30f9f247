"""Two wordings of a prompt, tried on users: who gets which, what each costs, and how each is scored.

    python prompts_ab.py

The same user gets the same variant in every process. `select * from variant_comparison` in the collector
tells whether the difference is one. What arrives, once a user:

    invoke_workflow greet
      chat gpt-4o-mini
"""

import os

import openai

import sightline

MODEL = os.environ.get("MODEL", "gpt-4o-mini")
WORDINGS = {
    "plain": sightline.prompt("greeting", "Greet {{name}} in one sentence.", version="1"),
    "warm": sightline.prompt("greeting", "Greet {{name}} as an old friend, in one sentence.", version="2"),
}

sightline.init("greetings")
client = openai.OpenAI()


@sightline.workflow
def greet(name: str, wording: str) -> str:
    with WORDINGS[wording].using(name=name) as text:
        completion = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}])
    greeting = completion.choices[0].message.content or ""
    sightline.score("names_the_user", name in greeting)
    return greeting


if __name__ == "__main__":
    for name in ("Ann", "Bob", "Cem", "Dia"):
        with (
            sightline.context(user_id=name, feature="greeting"),
            sightline.variant("greeting-tone", {"plain": 0.5, "warm": 0.5}) as wording,
        ):
            print(f"{wording}: {greet(name, wording)}")

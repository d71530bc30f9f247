"""Answers that are judged: one check in code at once, and a second model that judges in the background.

    python judged_answers.py

Verdicts are evaluation events on the judged span. The judge's own calls are traces of their own, under the
feature `evaluation:grounded`, so that judging is not mistaken for serving. What arrives:

    invoke_agent answer
      chat gpt-4o-mini
      evaluate short
    evaluate grounded
      chat gpt-4o-mini
"""

import os

import openai

import sightline

MODEL = os.environ.get("MODEL", "gpt-4o-mini")
FACTS = "The green lamp costs 12 EUR."

sightline.init("judged")
client = openai.OpenAI()


def ask(text: str) -> str:
    completion = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}])
    return completion.choices[0].message.content or ""


@sightline.evaluator(run="inline")
def short(input: object, output: str) -> bool:
    return len(output) < 200


@sightline.evaluator(source="judge")
def grounded(input: object, output: str) -> sightline.Score:
    verdict = ask(f"Do these facts support the answer? Say yes or no.\nFacts: {FACTS}\nAnswer: {output}")
    return sightline.Score(verdict.lower().startswith("yes"), comment=verdict)


@sightline.agent(evaluators=[short, grounded])
def answer(question: str) -> str:
    return ask(f"Answer from these facts: {FACTS}\n{question}")


if __name__ == "__main__":
    with sightline.context(user_id="u1", feature="shop"):
        print(answer("What does the green lamp cost?"))
    sightline.flush()  # waits for the judge, too

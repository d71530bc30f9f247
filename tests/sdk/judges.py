"""A judge that asks a model, for tests of evaluators."""

import sightline


@sightline.evaluator(source="judge")
def grounded(question: object, answer: str) -> sightline.Score:
    with sightline.llm_call(provider="openai", model="judge") as call:
        call.record_usage(input_tokens=10, output_tokens=1)
    return sightline.Score(0.25, label="poor", comment="says more than it knows")

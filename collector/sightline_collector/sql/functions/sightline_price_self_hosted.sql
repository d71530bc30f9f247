-- A name that says that one serves the model oneself, by its provider or by what stands before the model, as
-- what overrides without a seller price for all such: vllm|x and litellm|ollama/x are any self-hosted|x.
-- Another name is itself.
-- Units: a name. Reads: nothing. Readers: sightline_price_bare.
create or replace function sightline_price_self_hosted as (name) -> replaceRegexpOne(
    name,
    concat(
        '^([^|]*\\|(litellm_proxy/)?)?',
        '(ollama[^|/]*|(hosted_)?vllm[^|/]*|llama.?cpp[^|/]*|sglang|lm[_-]?studio|llamafile|local-?ai|mlx|',
        'xinference|gpt4all|lemonade|triton|tgi|text-generation-inference|huggingface_hub|',
        'openai[_-](compatible|like))',
        '[|/]'),
    'any self-hosted|')

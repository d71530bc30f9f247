-- A name without its provider, spelled as the gateway spells it that puts all providers under its
-- own name: my-proxy|openai/gpt-4o is litellm|openai/gpt-4o. Empty where one serves models oneself: what the
-- same model costs elsewhere is nobody's bill.
-- Units: a name. Reads: nothing. Readers: priced_spans.
create or replace function sightline_price_bare as (name) -> if(
    match(name, concat(
        '^(ollama[^|]*|(hosted_)?vllm[^|]*|llama.?cpp[^|]*|sglang|lm[_-]?studio|llamafile|local-?ai|mlx|',
        'xinference|gpt4all|lemonade|triton|tgi|text-generation-inference|huggingface_hub|',
        'openai[_-](compatible|like))',
        '\\|')),
    '',
    replaceRegexpOne(name, '^[^|]*', 'litellm'))

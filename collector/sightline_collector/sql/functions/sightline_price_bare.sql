-- A name without its provider, spelled as the gateway spells it that puts all providers under its
-- own name: my-proxy|openai/gpt-4o is litellm|openai/gpt-4o. Empty where one serves models oneself: what the
-- same model costs elsewhere is nobody's bill.
-- Units: a name. Reads: nothing. Readers: priced_spans.
create or replace function sightline_price_bare as (name) -> if(
    substringIndex(name, '|', 1) in (
        'ollama', 'hosted_vllm', 'vllm', 'sglang', 'lm_studio', 'lmstudio', 'llama.cpp', 'llamacpp',
        'llama_cpp', 'llamafile', 'localai', 'xinference', 'gpt4all', 'mlx'),
    '',
    replaceRegexpOne(name, '^[^|]*', 'litellm'))

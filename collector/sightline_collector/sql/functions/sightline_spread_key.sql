-- Whether a key may be one of a flattened list that Sightline knows. Asked for every attribute of every span:
-- hence no pattern. Reads: nothing. Readers: gathered_spans.
create or replace function sightline_spread_key as (key) -> multiSearchAny(key, [
    'llm.input_messages.', 'llm.output_messages.', 'gen_ai.prompt.', 'gen_ai.completion.', '.documents.',
    '_documents.', 'llm.prompts.', 'llm.completions.', 'llm.choices.', 'embedding.embeddings.',
    'llm.request.functions.', 'llm.tools.'])

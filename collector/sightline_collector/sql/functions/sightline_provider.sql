-- Who served a call: `openai` of `openai.chat`, as the AI SDK names a provider and its endpoint. The name is
-- a LowCardinality text, so that each is looked at once in a block.
-- Reads: nothing. Readers: mapped_spans.
create or replace function sightline_provider as (given) -> replaceRegexpOne(
    toLowCardinality(lower(given)),
    '\\.(chat|responses|messages|completions?|(text-?)?embeddings?|image|reranking|generative-ai)$',
    '')

-- A flattened key as the table of such keys has it, with N for its numbers: llm.prompts.10.prompt.text is
-- llm.prompts.N.prompt.text. Reads: nothing. Readers: gathered_spans.
create or replace function sightline_message_key as (key) -> replaceRegexpAll(key, '[.][0-9]{1,6}[.]', '.N.')

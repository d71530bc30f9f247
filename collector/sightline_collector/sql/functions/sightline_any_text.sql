-- An AnyValue as text: strings as they are, ints in decimal, the rest as sightline_other_text has it.
-- `tag` is its first byte. Most are strings, and what stands under a condition is copied into it and out
-- again: so they are told apart from the rest first, alone. Reads: sightline_said_text, sightline_whole_text,
-- sightline_other_text. Readers: sightline_texts, sightline_plain_texts.
create or replace function sightline_any_text as (v, tag) -> if(
    tag = 10, sightline_said_text(v), if(tag = 24, sightline_whole_text(v), sightline_other_text(v, tag)))

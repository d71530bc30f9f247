-- Why a model stopped, each reason once, with commas between them: of a list as sightline_list reads it, and
-- of enums that emitters print: FinishReason.STOP, <FinishReason.STOP: 1>. Nearly all are one of a few words,
-- or a list of one, and are not read. Reads: sightline_list. Readers: mapped_spans.
create or replace function sightline_finish_reason as (text) -> if(
    trim(both '["]' from text) in (
        '', 'stop', 'STOP', 'end_turn', 'length', 'tool_calls', 'tool_use', 'tool-calls', 'max_tokens',
        'stop_sequence', 'content_filter'),
    trim(both '["]' from text),
    arrayStringConcat(arrayDistinct(sightline_list(if(
        position(text, 'Reason.') > 0,
        lower(replaceRegexpAll(text, '<?[A-Za-z]*Reason\\.([A-Za-z_]+)(: [^>]*>)?', '\\1')),
        text))), ','))

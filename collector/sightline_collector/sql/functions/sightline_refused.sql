-- Whether a model refused: 1 or 0, NULL where no answer is known. A long text is an answer, whatever it says.
-- Reads: nothing. Readers: mapped_spans, spans.
create or replace function sightline_refused as (operation, finish_reason, output) -> multiIf(
    finish_reason in ('content_filter', 'refusal', 'SAFETY'), 1,
    operation != 'llm' or output = '', null,
    length(output) < 2000 and multiMatchAny(
        left(output, 600),
        arrayMap(words -> concat('(?i)', words), splitByChar('\n', trimBoth({data:refusals.txt})))), 1,
    0)

-- Whether a model refused: 1 or 0, NULL where no answer is known. A long text is an answer, whatever it says.
-- Reads: nothing. Readers: mapped_spans, spans.
create or replace function sightline_refused as (operation, finish_reason, output) -> multiIf(
    finish_reason in ('content_filter', 'refusal', 'SAFETY'), 1,
    operation != 'llm' or output = '', null,
    length(output) < 2000 and multiMatchAny(
        lower(left(output, 600)), splitByChar('\n', lower(trimBoth({data:refusals.txt})))), 1,
    0)

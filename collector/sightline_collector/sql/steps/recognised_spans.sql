-- Grain: one span of any dialect. Finds the attributes that mean something: `meaning` holds, for each
-- column that the dialects name, the text of the first of its keys that is present.
-- Reads: conversed_spans, dialects. Readers: mapped_spans.
select
    * except (known, keys, columns),
    CAST((columns, mapValues(known)), 'Map(LowCardinality(String), String)') as meaning,
    if(has(columns, 'input'), keys[indexOf(columns, 'input')], '') as input_key,
    if(has(columns, 'output'), keys[indexOf(columns, 'output')], '') as output_key,
    multiIf(
        empty(known), '',
        has(keys, 'openinference.span.kind'), 'openinference',
        has(keys, 'sightline.operation'), 'sightline',
        'otel-genai') as dialect
from (
    select
        *, mapKeys(known) as keys,
        arrayMap(k -> dictGet('{database}.dialects', 'column', k), keys) as columns,
        mapSort(
            (k, text) -> dictGet('{database}.dialects', 'rank', k),
            mapFilter((k, text) -> dictGet('{database}.dialects', 'rank', k) > 0, attributes)) as known
    from conversed_spans)

-- Grain: one span of any dialect, with what its events tell of a model call: the messages of each direction
-- as one list in OpenTelemetry's JSON, in the attributes span_events.input and span_events.output, and the
-- finish reasons in gen_ai.response.finish_reasons. An attribute that says it already says it alone; the
-- events stay as they are. Reads: gathered_spans. Readers: recognised_spans.
select
    * except (told, said, finished) replace (if(empty(told), attributes, mapConcat(
        attributes,
        CAST(
            arrayMap(
                direction -> (concat('span_events.', direction), concat('[', arrayStringConcat(arrayMap(
                    each -> each.2, arrayFilter(each -> each.1 = direction, said)), ','), ']')),
                arrayDistinct(tupleElement(said, 1))),
            'Map(LowCardinality(String), String)'),
        if(empty(finished) or mapContains(attributes, 'gen_ai.response.finish_reasons'), map(),
            map('gen_ai.response.finish_reasons', toJSONString(finished))))) as attributes)
from (
    select
        *,
        arrayFilter(event -> sightline_event_role(event.2) != '', events) as told,
        -- Without the brackets: lists of one direction are joined.
        if(empty(told), [], arrayFilter(each -> each.2 != '', arrayMap(
            each -> (each.1, substring(each.2, 2, length(each.2) - 2)),
            arrayMap(
                each -> (each.1, sightline_messages(each.3, each.2)),
                arrayFlatten(arrayMap(
                    event -> arrayMap(
                        direction -> (direction, sightline_event_role(event.2), if(
                            mapContains(attributes, concat('gen_ai.', direction, '.messages')), '',
                            sightline_event_text(direction, event.2, event.3, ''))),
                        ['input', 'output']),
                    told)))))) as said,
        if(empty(told), [], arrayFilter(reason -> reason != '', arrayMap(
            event -> if(
                mapContains(event.3, 'finish_reason'), event.3['finish_reason'],
                JSONExtractString(event.3['gen_ai.event.content'], 'finish_reason')),
            arrayFilter(event -> event.2 = 'gen_ai.choice', told)))) as finished
    from gathered_spans)

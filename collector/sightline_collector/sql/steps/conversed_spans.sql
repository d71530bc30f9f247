-- Grain: one span of any dialect, with what its events tell of a model call: the messages of each direction
-- as one list of JSON, as they were sent, in the attributes span_events.input and span_events.output, and
-- the finish reasons in gen_ai.response.finish_reasons. What stands there has left its event, so that it is
-- stored once. An attribute that says it already says it alone: then the events stay as they are. So do
-- those of an older convention than another that tells the direction: they tell the same once more.
-- Lambdas take the names of what is silent, not the attributes, which would be copied for each event.
-- Reads: raw_spans. Readers: recognised_spans.
select
    * except (told, silent, heard, newest, said, finished, finishes, heard_keys, heard_texts) replace (
        arrayConcat(added_keys, heard_keys) as added_keys,
        arrayConcat(added_texts, heard_texts) as added_texts,
        arrayConcat(places, arrayMap(key -> sightline_place(key), heard_keys)) as places,
        if(empty(said), events, arrayMap(
            (event, moved) -> (event.1, event.2, multiIf(
                empty(moved), event.3,
                moved = ['*'], mapFilter((key, text) -> false, event.3),
                mapFilter((key, text) -> not has(moved, key), event.3)), event.4),
            events,
            arrayMap(
                (event, open) -> sightline_event_moved(open, event.2, event.3),
                events,
                arrayMap(
                    convention -> arrayFilter((direction, by) -> by = convention, silent, newest),
                    arrayMap(name -> sightline_event_convention(name), events.2))))) as events)
from (
    select
        *,
        notEmpty(finished)
            and not has(places, sightline_place('gen_ai.response.finish_reasons')) as finishes,
        arrayConcat(
            arrayMap(direction -> concat('span_events.', direction), arrayDistinct(tupleElement(said, 1))),
            if(finishes, ['gen_ai.response.finish_reasons'], [])) as heard_keys,
        arrayConcat(
            arrayMap(
                direction -> concat('[', arrayStringConcat(arrayMap(
                    each -> each.2, arrayFilter(each -> each.1 = direction, said)), ','), ']'),
                arrayDistinct(tupleElement(said, 1))),
            if(finishes, [toJSONString(finished)], [])) as heard_texts
    from (
        select
            *,
            arrayFilter(
                (each, who, by) -> has(arrayZip(silent, newest), (who, by)),
                heard, tupleElement(heard, 1), tupleElement(heard, 3)) as said
        from (
            select
                *,
                arrayMap(
                    direction -> arrayMin(arrayMap(
                        (who, by) -> if(who = direction, by, 5),
                        tupleElement(heard, 1), tupleElement(heard, 3))),
                    silent) as newest
            from (
                select
                    *,
                    if(empty(told), [], arrayFilter(each -> each.2 != '', arrayFlatten(arrayMap(
                        event -> arrayMap(
                            direction -> (
                                direction,
                                sightline_told(
                                    sightline_event_text(direction, event.2, event.3, ''),
                                    sightline_event_role(event.2)),
                                sightline_event_convention(event.2)),
                            silent),
                        told)))) as heard,
                    if(empty(told), [], arrayFilter(reason -> reason != '', arrayMap(
                        event -> if(
                            mapContains(event.3, 'finish_reason'), event.3['finish_reason'],
                            JSONExtractString(event.3['gen_ai.event.content'], 'finish_reason')),
                        arrayFilter(event -> event.2 = 'gen_ai.choice', told)))) as finished
                from (
                    select
                        *,
                        if(empty(told), [], arrayFilter(
                            (direction, nth) -> nth = 0,
                            ['input', 'output'],
                            [indexOf(places, sightline_place('gen_ai.input.messages')),
                                indexOf(places, sightline_place('gen_ai.output.messages'))])) as silent
                    from (
                        select *, arrayFilter(event -> sightline_event_role(event.2) != '', events) as told
                        from raw_spans))))))

-- Grain: one message that a span was given or gave, in the order in which they were said: of what a span
--        holds, and, where it holds nothing, of the log records that tell of it, whenever they came
-- Units: UTC; direction is system (instructions beside the messages), input or output; position counts from
--        0 within a span's direction; role is system, user, assistant, tool or the sender's own word; parts
--        are OpenTelemetry's JSON: text, reasoning, tool_call, tool_call_response, blob, uri, file or a
--        sender's own; text is what its text parts say, on a line each; tool_calls are the names of the
--        tools that it calls; source is span or log; started_at is the span's, of one that has not come the
--        first log record's. What holds no messages is one message; of 1,000 and more the first 1,000. Of
--        log records of several conventions those of the newest tell a direction
-- Filter by trace_id, or by started_at: a read of all takes every text apart
-- Reads: spans_v1, logs_v1
-- Readers: people; the web pages
create or replace view messages as
with told as (
    select
        l.project as project, l.trace_id as trace_id, l.span_id as span_id, direction, min(l.at) as at,
        any(l.service) as service, min(sightline_event_convention(l.event_name)) as newest,
        arrayMap(each -> (each.2, each.3), arrayFilter(each -> each.4 = newest, arraySort(groupUniqArray((
            l.at, if(direction = 'system', 'system', sightline_event_role(l.event_name)), said,
            sightline_event_convention(l.event_name)))))) as texts
    from (
        select
            *, arrayJoin(['system', 'input', 'output']) as direction,
            if(direction = 'system', attributes['gen_ai.system_instructions'],
                sightline_event_text(direction, event_name, attributes, body)) as said
        from logs_v1
        where trace_id != '' and sightline_event_tells(event_name, scope_name)
    ) as l
    where said != ''
    group by project, trace_id, span_id, direction
),
-- Cut here, for the join holds them.
tellers as (
    select
        project, trace_id, span_id, started_at, operation, model, feature, session_id, input_key, output_key,
        if(mapContains(attributes, 'gen_ai.system_instructions'), 'system', '') as system_key
    from spans_v1
    where entry = 'span'
),
texts as (
    select
        project, trace_id, span_id, started_at, service, operation, model, feature, session_id,
        'span' as source, arrayJoin([
            ('system', 'system', if(
                mapContains(attributes, 'gen_ai.system_instructions'),
                attributes['gen_ai.system_instructions'],
                arrayFirst(event -> event.2 = 'gen_ai.client.inference.operation.details', events)
                    .3['gen_ai.system_instructions'])),
            ('input', if(operation = 'tool', 'assistant', 'user'),
                sightline_listed_events('input', input_key, input, output)),
            ('output', if(operation in ('tool', 'retrieval'), 'tool', 'assistant'),
                sightline_listed_events(
                    'output', input_key, input, sightline_answer(output_key, output, attributes)))]) as said,
        said.1 as direction, [(said.2, said.3)] as texts
    from spans_v1
    where input != '' or output != ''
    union all
    select
        t.project as project, t.trace_id as trace_id, t.span_id as span_id,
        if(ifNull(s.span_id, '') = '', t.at, assumeNotNull(s.started_at)) as started_at,
        t.service as service, ifNull(s.operation, '') as operation, ifNull(s.model, '') as model,
        ifNull(s.feature, '') as feature, ifNull(s.session_id, '') as session_id, 'log' as source,
        ('', '', '') as said, t.direction as direction, t.texts as texts
    -- What is told stands on the right, where the engine begins: of it there is less than there are spans.
    -- Any: a span that was sent twice is one.
    from tellers as s
    any right join told as t on t.project = s.project and t.trace_id = s.trace_id and t.span_id = s.span_id
    where ifNull(multiIf(
        t.direction = 'input', s.input_key, t.direction = 'output', s.output_key, s.system_key), '') = ''
)
select
    trace_id, span_id, direction, toUInt32(place - 1) as position, JSONExtractString(message, 'role') as role,
    arrayStringConcat(
        arrayMap(
            part -> JSONExtractString(part, 'content'),
            arrayFilter(part -> JSONExtractString(part, 'type') = 'text', each)), '\n') as text,
    concat('[', arrayStringConcat(each, ','), ']') as parts,
    arrayMap(
        part -> JSONExtractString(part, 'name'),
        arrayFilter(part -> JSONExtractString(part, 'type') = 'tool_call', each)) as tool_calls,
    JSONExtractString(message, 'finish_reason') as finish_reason, source, started_at, service, operation,
    model, feature, session_id, project
from (
    select
        *, message, place, JSONExtractArrayRaw(message, 'parts') as each
    from (
        select *, arrayFlatten(arrayMap(
            text -> JSONExtractArrayRaw(sightline_messages(text.2, text.1)), texts)) as list
        from texts)
    array join list as message, arrayEnumerate(list) as place
)

-- Grain: what log records tell of one span: its input and its output, as JSON lists of messages in the order
-- of the records' times, '' for nothing, and its project. Of records of several conventions those of the
-- newest tell a direction. A record that came twice counts once; one that comes late is found at the next
-- look. Nothing is kept here: spans are looked up, block by block, when they are read, so that what is
-- erased or has grown old in logs_v1 is gone here too. The key is a hash of project, trace and span; the
-- project says whose it is. One list: of several attributes each would be looked up by itself.
-- Reads: logs_v1. Readers: sightline_told_texts.
create or replace dictionary told_texts (span_key UInt64, told Array(String))
primary key span_key
source(clickhouse(query '
    select
        span_key,
        arrayPushBack(
            arrayMap(
                texts -> if(empty(texts), '''', concat(''['', arrayStringConcat(texts, '',''), '']'')),
                arrayMap(
                    (place, newest) -> arrayFilter(text -> text != '''', arrayMap(
                        each -> if(each.4 = newest, each.3[place], ''''), records)),
                    [1, 2],
                    arrayMap(
                        place -> arrayMin(arrayMap(each -> if(each.3[place] = '''', 5, each.4), records)),
                        [1, 2]))),
            project) as told
    from (
        select span_key, project, arraySort(groupUniqArray((at, role, said, convention))) as records
        from (
            select
                span_key, project, at, sightline_event_role(event_name) as role,
                sightline_event_convention(event_name) as convention,
                -- Lambdas, so that each long expression is planned once.
                arrayMap(
                    direction -> arrayMap(
                        text -> sightline_told(text, role),
                        [sightline_event_text(direction, event_name, attributes, body)])[1],
                    [''input'', ''output'']) as said
            from {database}.logs_v1
            where {condition} and sightline_event_tells(event_name, scope_name))
        group by span_key, project)'))
layout(direct())

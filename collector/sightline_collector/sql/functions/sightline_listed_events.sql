-- A span's input or output, by its direction, where one attribute lists the events of both (Pydantic AI 1): a
-- choice is what the model answered, all before it what it was given. `key` is where the input stood; of what
-- stood elsewhere, and of what holds no choice, each is itself.
-- Reads: nothing. Readers: messages, spans, trace_summary.
create or replace function sightline_listed_events as (direction, key, input, output) -> if(
    key != 'events' or output != '' or position(input, '"gen_ai.choice"') = 0 or JSONType(input) != 'Array',
    if(direction = 'input', input, output),
    concat('[', arrayStringConcat(
        arrayFilter(
            event -> (JSONExtractString(event, 'event.name') = 'gen_ai.choice') = (direction = 'output'),
            JSONExtractArrayRaw(input)),
        ','), ']'))

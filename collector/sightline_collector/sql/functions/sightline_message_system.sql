-- The system prompt that stands beside a request's messages or in its config, as a message; none in what is
-- a message itself. Reads: nothing. Readers: sightline_messages.
create or replace function sightline_message_system as (members) -> if(
    mapContains(members, 'role'), [],
    arrayMap(
        said -> concat('{"role":"system","content":', said.2, '}'),
        arrayFilter(
            said -> said.1 in ('system', 'systemInstruction', 'system_instruction', 'instructions'),
            arrayConcat(
                CAST(members, 'Array(Tuple(String, String))'),
                JSONExtractKeysAndValuesRaw(if(mapContains(members, 'contents'), members['config'], ''))))))

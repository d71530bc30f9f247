-- The system prompt that stands beside a request's messages, as a message; none in what is a message itself.
-- Reads: nothing. Readers: sightline_messages.
create or replace function sightline_message_system as (members) -> if(
    mapContains(members, 'role'), [],
    arrayMap(
        name -> concat('{"role":"system","content":', members[name], '}'),
        arrayFilter(
            name -> name in ('system', 'systemInstruction', 'system_instruction', 'instructions'),
            mapKeys(members))))

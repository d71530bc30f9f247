-- How a part begins, by the kind of part and its first field. Reads: nothing. Readers: sightline_flattened.
create or replace function sightline_flattened_type as (part, field) -> multiIf(
    part = 0 or field = 'type', '',
    part > 3, '"type":"tool_call",',
    part = 1, '"type":"reasoning",',
    field = 'uri', '"type":"uri",',
    part = 2 and field = 'id', '"type":"tool_call_response",',
    '"type":"text",')

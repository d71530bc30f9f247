-- A JSON object's members, each as JSON; nulls are as if they were absent. None of what is no object.
-- Reads: nothing. Readers: sightline_messages, sightline_message_members,
-- sightline_part_members.
create or replace function sightline_json_members as (json) -> CAST(
    arrayFilter(member -> member.2 != 'null', JSONExtractKeysAndValuesRaw(json)), 'Map(String, String)')

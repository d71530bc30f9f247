-- The first of the named members that is there, as JSON; '' when none is.
-- Reads: nothing. Readers: sightline_part, sightline_message and kin.
create or replace function sightline_json_member as (members, names) ->
    members[arrayFirst(name -> mapContains(members, name), names)]

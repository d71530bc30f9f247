-- The types of AnyValues, by their first bytes. Reads: sightline_any_type. Readers: spell_*.
create or replace function sightline_types as (tags_) -> arrayMap(t -> sightline_any_type(t), tags_)

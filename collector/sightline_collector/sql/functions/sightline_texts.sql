-- AnyValues as text: `tags` are their first bytes, `nested` the texts of those that are not scalar.
-- Reads: sightline_any_text. Readers: spell_*.
create or replace function sightline_texts as (values_, tags_, nested_) -> arrayMap(
    (v, t, n) -> if(t in (42, 50, 58), nested_[n],
        sightline_any_text(v, t, reinterpretAsUInt64(substring(v, 2, 8)))),
    values_, tags_, arrayCumSum(t -> t in (42, 50, 58), tags_))

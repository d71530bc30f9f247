-- A name whose compact dates are dashed: gpt-5-20251211 is gpt-5-2025-12-11. Of two dates that
-- share a dash only the first; impossible dates too, which is harmless, since no price has them.
-- Units: a name. Reads: nothing. Readers: priced_spans.
create or replace function sightline_price_dashed as (name) -> replaceRegexpAll(
    name, '-(20[0-9][0-9])([01][0-9])([0-3][0-9])(-|:|$)', '-\\1-\\2-\\3\\4')

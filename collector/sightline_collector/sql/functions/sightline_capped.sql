-- The first attributes of a resource: 128 keys and 16 KB at most. They are copied to every row, so
-- uncapped ones are a bomb: 2,000 of them times 10,000 spans need gigabytes.
-- Reads: nothing. Readers: otlp_items.
create or replace function sightline_capped as (attributes) -> arraySlice(attributes, 1, least(128,
    arrayCount(bytes -> bytes <= 16384, arrayCumSum(x -> byteSize(x), attributes))))

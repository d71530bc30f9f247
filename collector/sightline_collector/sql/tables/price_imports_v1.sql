-- Grain: one import of a published price list; the newest holds until the installed library changes
-- Units: UTC; data is the list as JSON; installed is the library that was installed then
-- Reads: -
-- Readers: the loader
create table if not exists price_imports_v1
(
    imported_at DateTime64(6, 'UTC'),
    set_by String,
    source String,
    installed String,
    data String codec(ZSTD(9))
)
engine = MergeTree
order by imported_at;

-- Settles the marks that sightline_any_json leaves: what starts after another gets a comma, a value that
-- did not come is null, a key that did not come is empty. Reads: nothing. Readers: sightline_any_json.
create or replace function sightline_json_marks as (json) -> replaceAll(replaceRegexpAll(
    replaceAll(replaceRegexpAll(
        replaceAll(replaceAll(json, '\x03\x04', ''), '\x03', '"":\x02'),
        '\\x02([\\x01\\]}])', 'null\\1'), '\x02', ''),
    '([\\[{])\\x01', '\\1'), '\x01', ',')

-- An image, a sound, a film or a document as OpenTelemetry has it: a blob when its bytes are there, a file
-- when the provider holds it, else where it is. `what` is its content, its id or its address, as JSON;
-- `words` tell what it is. Reads: nothing. Readers: sightline_part.
create or replace function sightline_part_file as (members, what, words) -> concat(
    '{"type":"', multiIf(
        match(left(what, 200), '^"data:[^",\\\\]*,') or hasAny(mapKeys(members), ['data', 'bytes']), 'blob',
        mapContains(members, 'file_id'), 'file',
        'uri'),
    '","modality":"', multiIf(
        position(words, 'image') > 0, 'image',
        position(words, 'audio') > 0, 'audio',
        position(words, 'video') > 0, 'video',
        'document'),
    '"', sightline_json_pair('mime_type', if(
        match(left(what, 200), '^"data:[^",\\\\]*,'),
        concat('"', extract(left(what, 200), '^"data:([^;,"\\\\]*)'), '"'),
        sightline_json_member(members,
            ['media_type', 'mimeType', 'mime_type', 'mediaType', 'contentType', 'format']))),
    multiIf(
        match(left(what, 200), '^"data:[^",\\\\]*,'),
        concat(',"content":"', substring(what, position(what, ',') + 1)),
        hasAny(mapKeys(members), ['data', 'bytes']), concat(',"content":', what),
        mapContains(members, 'file_id'), concat(',"file_id":', what),
        concat(',"uri":', what)),
    '}')

-- Grain: one report of lost items. `place` is where they were lost, sender or collector. A report that does
-- not say how many, or not credibly, counts for one. Reads: raw_logs. Readers: losses_v1.
create materialized view count_losses to losses_v1 as
select
    received_at, batch, writer, project, at, service,
    if(attributes['sightline.loss.where'] = '', 'sender', attributes['sightline.loss.where']) as place,
    attributes['sightline.loss.signal'] as signal, attributes['sightline.loss.reason'] as reason,
    ifNull(sightline_count(attributes['sightline.loss.items']), 1) as items
from raw_logs
where event_name = 'sightline.loss'

-- Grain: one act that is written down. Only the collector can write for the project _audit: no key is for it.
-- Reads: raw_logs. Readers: audit_v1.
create materialized view keep_audit to audit_v1 as
select
    received_at, batch, writer, project, at, attributes['sightline.audit.act'] as act,
    attributes['sightline.audit.key'] as key, attributes['sightline.audit.scope'] as scope,
    attributes['sightline.audit.what'] as what, attributes['sightline.audit.outcome'] as outcome
from raw_logs
where project = '_audit'

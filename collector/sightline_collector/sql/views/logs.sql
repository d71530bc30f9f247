-- Grain: one log record or event
-- Units: UTC; ids are lower-case hex, '' outside of a trace; severity is the level of severity_number
-- Reads: logs_v1
-- Readers: people; the web pages
create or replace view logs as
select
    at, severity, event_name, service, body, trace_id, span_id, attributes, attribute_types, body_type,
    severity_number, severity_text, observed_at, resource_attributes, resource_types, scope_name,
    scope_version, scope_attributes, flags, dropped_attributes, notes, received_at, batch, writer, project
from logs_v1

-- Grain: one span as OTLP has it, beside the attributes of its resource and scope: `shared` holds both,
-- `of_resource` says how many come from the resource.
-- Reads: otlp_traces. Readers: spelled_spans.
select
    received_at, batch, writer, project, scope_name, scope_version, shared,
    least(own, length(shared)) as of_resource, arrayJoin(spans) as span
from (
    select
        received_at, batch, writer, project, length(attributes) as own,
        each.scope.name as scope_name, each.scope.version as scope_version,
        sightline_capped(arrayConcat(attributes, each.scope.attributes)) as shared,
        each.spans as spans
    from (
        select
            received_at, batch, writer, project, of.resource.attributes as attributes,
            arrayJoin(of.scope_spans) as each
        from (
            select received_at, batch, writer, project, arrayJoin(resource_spans) as of
            from otlp_traces)))

-- Grain: one span, log record or metric as OTLP has it, beside the attributes of its resource and scope:
-- `shared` holds both, `of_resource` says how many come from the resource.
-- Reads: requests. Readers: parted_spans, spelled_logs, metric_points.
select
    received_at, batch, writer, project, scope_name, scope_version, shared,
    least(own, length(shared)) as of_resource, arrayJoin(items) as item
from (
    select
        received_at, batch, writer, project, length(attributes) as own,
        each.scope.name as scope_name, each.scope.version as scope_version,
        sightline_capped(arrayConcat(attributes, each.scope.attributes)) as shared,
        each.items as items
    from (
        select
            received_at, batch, writer, project, of.resource.attributes as attributes,
            arrayJoin(of.scopes) as each
        from (
            select received_at, batch, writer, project, arrayJoin(resources) as of
            from requests)))

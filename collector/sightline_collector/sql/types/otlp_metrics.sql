-- OTLP's metrics requests.
resources Array(Tuple(
    resource Tuple(attributes {type:attributes}),
    scopes Array(Tuple(
        scope Tuple(name String, version String, attributes {type:attributes}),
        items Array({type:otlp_metric}))))),
{type:otlp_trailer}

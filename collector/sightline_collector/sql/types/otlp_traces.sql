-- OTLP's trace requests.
resources Array(Tuple(
    resource Tuple(attributes {type:attributes}),
    scopes Array(Tuple(
        scope Tuple(name String, version String, attributes {type:attributes}),
        items Array({type:otlp_span}))))),
{type:otlp_trailer}

-- OTLP's logs requests.
resources Array(Tuple(
    resource Tuple(attributes {type:attributes}),
    scopes Array(Tuple(
        scope Tuple(name String, version String, attributes {type:attributes}),
        items Array({type:otlp_log}))))),
{type:otlp_trailer}

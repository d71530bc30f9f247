-- What the spans `s` of a trace say of its time: columns of a query grouped by project and trace_id.
-- An array a trace and functions over it cost a tenth of an aggregate's state a stage.
s.project as project, s.trace_id as trace_id,
    argMinIf(s.feature, s.started_at, s.feature != '') as feature,
    min(s.started_at) as begun_at,
    max(has(s.notes, 'thinned')) as thinned,
    groupArray((
        s.stage, s.parent_span_id = '', toUnixTimestamp64Nano(s.started_at),
        toUnixTimestamp64Nano(s.started_at) + toInt64(round(s.duration_ms * 1000000)))) as intervals,
    arrayFilter(i -> i.1 != '', intervals) as staged,
    arrayDistinct(arrayMap(i -> i.1, staged)) as names,
    sightline_union_ns(arrayFilter(i -> i.2, intervals)) as root_ns,
    if(
        root_ns > 0, root_ns,
        toUInt64(arrayMax(i -> i.4, intervals) - arrayMin(i -> i.3, intervals))) as total_ns,
    -- Inclusion and exclusion: what the roots cover outside of all stages.
    if(root_ns > 0, sightline_union_ns(arrayFilter(i -> i.2 or i.1 != '', intervals)), total_ns)
        - sightline_union_ns(staged) as unattributed_ns,
    mapFromArrays(
        names,
        arrayMap(name -> sightline_union_ns(arrayFilter(i -> i.1 = name, staged)) / 1000000., names)) as stages

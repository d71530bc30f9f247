-- Grain: one trace and insert. Keeps nothing: it is there for the exporter's own schema creation, which makes
-- this table and a view into it; read otel_traces_view_trace_id_ts. Reads: clients. Readers: none.
create table otel_traces_trace_id_ts (TraceId String, Start DateTime('UTC'), End DateTime('UTC'))
engine = Null

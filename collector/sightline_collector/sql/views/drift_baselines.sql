-- Grain: one series (a slice's column) that is compared with a frozen baseline: its newest freezing.
-- Units: as baselines_v1. Reads: baselines_v1. Readers: drift_metrics, people.
create or replace view drift_baselines as
with newest as (
    select *
    from baselines_v1
    order by created_at desc
    limit 1 by project, slice_key, slice_value, column_name)
select
    project, slice_key, slice_value, column_name, name, first_day, last_day, calls, nulls, tokens,
    histogram, categories, created_at, created_by
from newest
where calls > 0

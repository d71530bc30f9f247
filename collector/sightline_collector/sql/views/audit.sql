-- Grain: one act that was written down: a read of content (read_content), what an admin did (admin), a key that
--        was made or ended (key), an erasure (forget)
-- Units: UTC; key is its eight digits, '' for the operator at the machine; scope the key's project, * for all
-- Reads: audit_v1
-- Readers: people who may read all projects
create or replace view audit as
select at, act, key, scope, what, outcome
from audit_v1
order by at desc

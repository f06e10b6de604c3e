-- What the home page and the operator's page ask, without reading messages.

-- +goose Up

create index consent_opt_out on consent (workspace_id, recorded_at) where action = 'opt_out';

-- When total or ready last changed: a run that may send and whose picture does
-- not move is stuck.
alter table run_snapshot add column moved_at timestamptz not null default bareed_now();

-- Counts for the operator; no content.
select discoverable('run_snapshot', 'workspace_id, run_id, at, moved_at, total, ready, sending, accepted, unknown');
grant select (template_id) on run to bareed_engine;

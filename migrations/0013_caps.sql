-- Caps: how often a person may get marketing, whom nothing goes to, and how much
-- may be spent.

-- +goose Up

-- What a workspace keeps from its people; without a row the defaults hold.
create table sending_rule (
    workspace_id       uuid primary key references workspace (workspace_id),
    frequency          jsonb not null default '[]', -- every rule holds: [{"most": 2, "days": 7}]
    counted_from       timestamptz,                 -- since when turns are kept; null: no frequency rule
    cool_off_hours     int not null default 24 check (cool_off_hours between 24 and 720),
    blocked_countries  text[] not null default '{}', -- ISO 3166-1 alpha-2
    version            int not null default 1, -- ETag
    updated_by         text not null,
    updated_at         timestamptz not null default bareed_now()
);
select fence('sending_rule');
grant select, insert, update on sending_rule to bareed_app;

-- Why a campaign may pass the frequency rules; null: it may not. Who said so is
-- in the audit.
alter table campaign add column frequency_pass text;

-- Marketing messages of campaigns by person, while the workspace has a frequency
-- rule: taken when a run is planned, in its transaction. Whether one counts is
-- asked of its message: what was left out or failed does not. By contact, in the
-- order in which runs are planned. Swept by the leader.
create table frequency_turn (
    workspace_id  uuid not null references workspace (workspace_id),
    contact_id    uuid not null,
    run_id        uuid not null,
    ordinal       int not null,
    at            timestamptz not null, -- when the message was due
    primary key (workspace_id, contact_id, run_id)
);
select fence('frequency_turn');
create policy engine_all on frequency_turn to bareed_engine using (true) with check (true);
grant select, insert on frequency_turn to bareed_app;
grant select, delete on frequency_turn to bareed_engine;
create index frequency_turn_at on frequency_turn (at);

-- The claim asks first whether anybody of the workspace is cooling off.
create index cool_off_until on cool_off (workspace_id, until);

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

-- How much may be spent: in a month by the workspace (subject_id is its own id),
-- or for each sending of one campaign.
create table budget (
    workspace_id  uuid not null references workspace (workspace_id),
    subject_id    uuid not null,
    micros        bigint check (micros > 0), -- null: none
    currency      text not null default '' check (currency ~ '^([A-Z]{3})?$'),
    version       int not null default 1, -- ETag
    updated_by    text not null,
    updated_at    timestamptz not null default bareed_now(),
    primary key (workspace_id, subject_id),
    check (micros is null or currency <> '')
);
select fence('budget');
grant select, insert, update on budget to bareed_app;

-- The last ordinal that the budgets pay for at the estimate, fed and claimed no
-- further; null: no budget holds. Moved by the leader.
alter table run add column budget_to int;
grant select (budget_to) on run to bareed_engine;
create index run_budgeted on run (workspace_id) where budget_to is not null and settled_at is null;

-- What everybody up to a run's budget_to costs at the estimate.
create table run_budget (
    workspace_id   uuid not null,
    run_id         uuid not null,
    upto           int not null, -- the budget_to it was added up for
    handed_micros  bigint not null,
    primary key (workspace_id, run_id),
    foreign key (workspace_id, run_id) references run
);
select fence('run_budget');
grant select, insert, update on run_budget to bareed_app;

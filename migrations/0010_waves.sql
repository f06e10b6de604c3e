-- Waves and the breaker: how far a run may go before a gate has looked at how it
-- does, what a workspace or a campaign permits before a rule holds, and messages
-- that Meta held and then dropped.

-- +goose Up

-- What is set of the breaker's policy: by a workspace (subject_id is its own id)
-- or for one campaign. Only what was set; the rest is the next wider one's.
create table breaker_setting (
    workspace_id  uuid not null references workspace (workspace_id),
    subject_id    uuid not null,
    settings      jsonb not null,
    version       int not null default 1, -- ETag
    updated_by    text not null,
    updated_at    timestamptz not null default bareed_now(),
    primary key (workspace_id, subject_id)
);
select fence('breaker_setting');
grant select, insert, update on breaker_setting to bareed_app;

-- The last ordinal that may be fed and claimed; null: no bound. Only planning is
-- not held by it.
alter table run add column wave_to int;
grant select (wave_to) on run to bareed_engine;

-- The waves of a run, all of them written when it begins; one without has none.
create table run_wave (
    workspace_id  uuid not null,
    run_id        uuid not null,
    wave          smallint not null,  -- from 1
    people        bigint not null,    -- who may be sent to by the end of this wave, those before included
    boundary      int,                -- its last ordinal; null: not known yet, or everybody
    opened_at     timestamptz,        -- null: not open yet
    handed_at     timestamptz,        -- nothing of it waits or is on its way any more
    passed_at     timestamptz,        -- its gate was passed
    primary key (workspace_id, run_id, wave),
    foreign key (workspace_id, run_id) references run
);
select fence('run_wave');
grant select, insert, update on run_wave to bareed_app;

-- What a person let pass by clearing a rule's stop: the rule looks at what came
-- after. Figures as they were when the clearing was noticed.
create table run_pass (
    workspace_id  uuid not null,
    run_id        uuid not null,
    reason        text not null,
    at            timestamptz not null,
    delivered     bigint not null,
    held          bigint not null,
    primary key (workspace_id, run_id, reason),
    foreign key (workspace_id, run_id) references run
);
select fence('run_pass');
grant select, insert, update on run_pass to bareed_app;

-- SHA-256 of Meta's id of a request that Meta held and then said it dropped, after
-- a person had the message made ready again: what Meta still says of it is known
-- for what it is.
alter table message add column dropped bytea;
create index message_held on message (run_id, ordinal) where state = 'held';

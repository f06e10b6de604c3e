-- What is to be sent to whom: campaigns, their checks, their runs, and the
-- stops that hold any of it.

-- +goose Up

create table campaign (
    workspace_id     uuid not null references workspace (workspace_id),
    id               uuid not null,
    name             text not null,
    state            text not null default 'draft' check (state in ('draft', 'checking', 'needs_approval',
        'scheduled', 'starting', 'running', 'finishing', 'completed', 'stopped', 'expired', 'failed')),
    number_id        uuid not null,
    template_id      uuid not null,
    variables        jsonb not null default '{}', -- template parameter → attribute, text, fallback
    unknown_policy   text check (unknown_policy in ('hold', 'evidence')), -- null: the workspace's
    per_minute       int check (per_minute > 0), -- the campaign's own pace
    finish_within    int check (finish_within > 0), -- minutes; the pace is what it takes
    check (per_minute is null or finish_within is null),
    priority         text not null default 'normal' check (priority in ('high', 'normal', 'low')), -- where places are scarce
    share            text, -- the portfolio's share it may take places from
    send_at          timestamptz, -- the next firing; null: at launch
    send_zone        text,        -- IANA zone and wall time as it was asked for
    send_local       timestamp,
    schedule         jsonb, -- what recurs, hours, everybody's own zone; null: once, at send_at
    max_lateness     interval not null default '1 hour',
    event_sequence   bigint not null default 0,
    version          int not null default 1, -- ETag
    created_by       text not null,
    created_at       timestamptz not null default bareed_now(),
    updated_at       timestamptz not null default bareed_now(),
    launched_at      timestamptz,
    ended_at         timestamptz,
    deleted_at       timestamptz, -- a draft taken away; nothing shows it again
    primary key (workspace_id, id),
    foreign key (workspace_id, number_id) references number,
    foreign key (workspace_id, template_id) references template
);
select fence('campaign');
select discoverable('campaign', 'workspace_id, id, state, send_at, priority, share');
grant select, insert, update on campaign to bareed_app;
create unique index campaign_name on campaign (workspace_id, name) where deleted_at is null;
create index campaign_open on campaign (state, send_at) where state in ('scheduled', 'starting', 'running', 'finishing');

create table campaign_audience (
    workspace_id  uuid not null,
    campaign_id   uuid not null,
    audience_id   uuid not null,
    primary key (workspace_id, campaign_id, audience_id),
    foreign key (workspace_id, campaign_id) references campaign,
    foreign key (workspace_id, audience_id) references audience
);
select fence('campaign_audience');
grant select, insert, delete on campaign_audience to bareed_app;
create index campaign_audience_audience on campaign_audience (workspace_id, audience_id);

-- What happened to a campaign, numbered without gaps: the event stream.
create table campaign_event (
    workspace_id  uuid not null,
    campaign_id   uuid not null,
    sequence      bigint not null,
    at            timestamptz not null default bareed_now(),
    type          text not null, -- campaign.launched, campaign.holding …
    data          jsonb not null default '{}',
    primary key (workspace_id, campaign_id, sequence),
    foreign key (workspace_id, campaign_id) references campaign
);
select fence('campaign_event');
grant select, insert on campaign_event to bareed_app;

-- A dry run: every person's fate before launch. Named plan_check because CHECK
-- is a word of SQL.
create table plan_check (
    workspace_id  uuid not null,
    id            uuid not null, -- also the id of its job
    campaign_id   uuid not null,
    state         text not null default 'waiting' check (state in ('waiting', 'running', 'completed', 'failed')),
    total         bigint not null default 0,
    eligible      bigint not null default 0,
    suppressed    jsonb not null default '{}', -- reason → people
    campaign_version int not null,
    template      jsonb, -- as it was when the first people were decided on: what a launch approves
    lease_until   timestamptz,
    failures      smallint not null default 0, -- in a row, of the working out
    created_at    timestamptz not null default bareed_now(),
    finished_at   timestamptz,
    primary key (workspace_id, id),
    foreign key (workspace_id, campaign_id) references campaign
);
select fence('plan_check');
select discoverable('plan_check', 'workspace_id, id, state, lease_until, created_at');
grant select, insert, update on plan_check to bareed_app;
create index plan_check_open on plan_check (created_at) where state in ('waiting', 'running');

create table plan_check_row (
    workspace_id  uuid not null,
    check_id      uuid not null,
    contact_id    uuid not null,
    reason        text, -- null: eligible
    primary key (workspace_id, check_id, contact_id),
    foreign key (workspace_id, check_id) references plan_check
);
select fence('plan_check_row');
grant select, insert, delete on plan_check_row to bareed_app;

-- One sending of something to many: a campaign's occurrence, a test, a call of
-- the API, a reply. Every message belongs to a run, so none passes beside the
-- claim. What the claim needs of the campaign is copied here and fixed.
create table run (
    workspace_id     uuid not null,
    id               uuid not null,
    campaign_id      uuid,
    occurrence_key   text not null, -- which firing of the schedule this is
    kind             text not null check (kind in ('campaign', 'test', 'api', 'reply')),
    state            text not null check (state in ('planning', 'running', 'finishing', 'completed', 'stopped', 'missed', 'expired')),
    purpose          text not null check (purpose in ('marketing', 'utility', 'authentication')),
    number_id        uuid not null,
    waba_id          uuid not null,
    portfolio_id     uuid not null,
    template_id      uuid not null,
    template         jsonb not null, -- name, language, parameter format, components at launch
    components_hash  bytea not null,
    variables        jsonb not null,
    unknown_policy   text not null check (unknown_policy in ('hold', 'evidence')),
    per_minute       int,
    finish_within    int, -- minutes: the pace is written when everybody is planned, and nothing is fed before
    expected         bigint, -- eligible people at the check that was launched on
    starts_at        timestamptz not null, -- nothing is fed earlier (schedule, undo grace)
    send_zone        text,                 -- the firing as written: IANA zone and wall time
    send_local       timestamp,
    recipient_time   boolean not null default false, -- meant in each person's own zone
    late_after       timestamptz,          -- not begun then: missed; null: by the campaign's max_lateness
    closes_at        timestamptz,          -- nothing is claimed then or later, until the hours open again
    expires_at       timestamptz,          -- nothing is claimed later
    reason           text,                 -- why it was missed
    planned_to       uuid,                 -- last contact planned; the plan resumes behind it
    planned          int not null default 0, -- ordinals given out: 1..planned
    plan_done        boolean not null default false,
    fed              int not null default 0, -- ordinals handed to the queue: 1..fed
    refeed_to        int not null default 0, -- ordinals fed at refeed_at or earlier
    refeed_at        timestamptz not null default bareed_now(),
    lease_until      timestamptz,            -- the planning task keeps this ahead of now
    plan_failures    smallint not null default 0, -- of the planning, in a row; the last one opens a stop
    created_at       timestamptz not null default bareed_now(),
    started_at       timestamptz,
    ended_at         timestamptz,
    settled_at       timestamptz, -- ended, nothing left that can change by itself, summary written
    touched_at       timestamptz,            -- a receipt came after the end: the picture is to be drawn again
    summary          jsonb, -- the certificate's figures, written before messages are dropped
    primary key (workspace_id, id),
    unique (id),
    unique (workspace_id, campaign_id, occurrence_key),
    foreign key (workspace_id, campaign_id) references campaign,
    foreign key (workspace_id, number_id) references number,
    foreign key (workspace_id, template_id) references template
);
select fence('run');
select discoverable('run', 'workspace_id, id, campaign_id, state, number_id, waba_id, portfolio_id, starts_at, expires_at, plan_done, planned, fed, per_minute, finish_within, lease_until, kind, touched_at, settled_at, template_id, closes_at, recipient_time, expected');
grant select, insert, update on run to bareed_app;
create index run_open on run (state) where state in ('planning', 'running', 'finishing');
create index run_unsettled on run (state) where settled_at is null;
create index run_touched on run (touched_at) where touched_at is not null;

-- Pause, hold, breaker, suspension and lock in one mechanism: while a row is
-- open, the claim refuses every message in its scope. Opening one is what
-- stops; clearing one never clears another.
create table stop (
    workspace_id  uuid not null references workspace (workspace_id),
    id            uuid not null,
    scope         text not null check (scope in ('workspace', 'portfolio', 'waba', 'number', 'template', 'campaign', 'run')),
    scope_id      uuid not null,
    reason        text not null, -- paused, quality_yellow, template_paused …
    by_rule       boolean not null, -- false: a person's pause
    threshold     text not null default '',
    measured      text not null default '',
    meta_code     int,              -- of the answer or status that opened it
    since         timestamptz not null default bareed_now(),
    until         timestamptz,      -- ends by itself then
    opened_by     text not null,    -- usr_…, key_…, system:<part>
    cleared_at    timestamptz,
    cleared_by    text,
    primary key (workspace_id, id)
);
create unique index stop_open on stop (workspace_id, scope_id, reason) where cleared_at is null;
create index stop_reason on stop (reason) where cleared_at is null;
create index stop_scope on stop (workspace_id, scope_id, since desc);
select fence('stop');
select discoverable('stop', 'workspace_id, scope_id, reason, since, until, cleared_at');
grant select, insert, update on stop to bareed_app;

-- Is any of these scopes held right now? In PL/pgSQL, here as in place_valid,
-- because it keeps its plan: a function in SQL is planned anew in every statement.
-- +goose StatementBegin
create function stopped(workspace uuid, scopes uuid[]) returns boolean
    language plpgsql stable parallel safe as $$
begin
    return exists (
        select from stop s
        where s.workspace_id = workspace
          and s.scope_id = any (scopes)
          and s.cleared_at is null
          and (s.until is null or s.until > bareed_now()));
end $$;
-- +goose StatementEnd

-- The ledger: one row per run and person, from planned to read.

-- +goose Up

create table message (
    workspace_id    uuid not null,
    run_id          uuid not null,
    ordinal         int not null,   -- order of sending, from 1
    contact_id      uuid not null,
    recipient_key   text not null,  -- p:+9665… or b:SA.1349…
    recipient_hash  bytea not null, -- keyed hash of it, for suppression and places
    address         text not null,  -- what goes to Meta: E.164 or business-scoped id
    country         text not null default '', -- ISO 3166-1 alpha-2, by which Meta prices; empty: not known
    parameters      bytea,          -- rendered, sealed; removed 24 h after the end
    consent_id      uuid,           -- the entry that permitted it when planned
    state           text not null check (state in ('ready', 'sending', 'accepted', 'held', 'sent', 'delivered',
        'read', 'played', 'failed', 'suppressed', 'unknown', 'unconfirmed')),
    reason          text,           -- of suppressed, failed, unconfirmed
    attempt         smallint not null default 0,
    tries           smallint not null default 0, -- attempts that Meta refused for now
    claim_token     uuid,
    claimed_by      text,
    claimed_at      timestamptz,
    claim_deadline  timestamptz,
    not_before      timestamptz,    -- earliest next claim
    feed_after      timestamptz,    -- the feeder takes it again then; null: by cursor
    zone            text,           -- the person's own, where the run goes by it
    closes_at       timestamptz,    -- no claim then or later, by their own hours
    wamid           text,
    wa_id           text,           -- Meta's own number for this person
    http_status     smallint,
    meta_code       int,
    pricing         jsonb,          -- of the first status that carried it
    accepted_at     timestamptz,
    held_at         timestamptz,
    sent_at         timestamptz,
    delivered_at    timestamptz,
    read_at         timestamptz,
    played_at       timestamptz,
    failed_at       timestamptz,
    resolved_by     text,           -- answer, echo; evidence, person: sent again by the rule, by hand
    updated_at      timestamptz not null default bareed_now(),
    primary key (run_id, ordinal),
    unique (recipient_key, run_id), -- run last, here and below: without statistics (a new partition, a new run)
    unique (contact_id, run_id),    -- an index that began with it would look as good for a row as the key
    foreign key (workspace_id, run_id) references run
) partition by range (run_id);
select fence_partitioned('message', true, 7);
grant select, insert, update on message to bareed_app;
create index message_again on message (run_id, feed_after) where state = 'ready' and feed_after is not null;
create index message_ready on message (run_id, ordinal) where state = 'ready';
create index message_closes on message (run_id, closes_at) where state = 'ready' and closes_at is not null;
create index message_sending on message (run_id, claim_deadline) where state = 'sending';
create index message_unknown on message (run_id, claimed_at) where state = 'unknown';
create index message_unconfirmed on message (run_id, ordinal) where state = 'unconfirmed';
create index message_wamid on message (wamid) where wamid is not null;

-- The order of what Meta says of a message; a status never lowers it.
-- +goose StatementBegin
create function message_rank(state text) returns int
    language sql immutable parallel safe
    return case state
        when 'accepted' then 1
        when 'held' then 1
        when 'sent' then 2
        when 'failed' then 3
        when 'delivered' then 4
        when 'read' then 5
        when 'played' then 6
        else 0
    end;
-- +goose StatementEnd

-- What came of each attempt that did not end in a plain acceptance. Append-only.
create table message_attempt (
    workspace_id  uuid not null,
    run_id        uuid not null,
    ordinal       int not null,
    attempt       smallint not null,
    at            timestamptz not null default bareed_now(),
    claim_token   uuid not null,
    outcome       text not null, -- never_left, refused_for_now, refused_for_good, stop_sending, unknown, expired; resent_by_evidence, resent_by_person, second_acceptance
    http_status   smallint,
    meta_code     int,
    fbtrace_id    text not null default '',
    detail        text not null default '' -- our own words, never Meta's
) partition by range (run_id);
select fence_partitioned('message_attempt', true, 7);
grant select, insert on message_attempt to bareed_app;
create index message_attempt_message on message_attempt (run_id, ordinal, at);
create index message_attempt_second on message_attempt (workspace_id, at) where outcome = 'second_acceptance'; -- should stay empty

-- The live picture of a run, written by the leader at most once a second and
-- read by every viewer. Its figures always add up, because one statement
-- counted them.
create table run_snapshot (
    workspace_id  uuid not null,
    run_id        uuid not null,
    at            timestamptz not null,
    moved_at      timestamptz not null default bareed_now(), -- when total or ready last changed: a run that may send and does not move is stuck
    total         bigint not null,
    suppressed    jsonb not null, -- reason → people
    ready         bigint not null,
    sending       bigint not null,
    held          bigint not null,
    accepted      bigint not null, -- accepted or later: accepted, sent, delivered, read, played
    sent          bigint not null, -- of those: sent or later
    delivered     bigint not null, -- of those: delivered or later
    read          bigint not null, -- of those: read or played
    failed        jsonb not null, -- reason → people
    unknown       bigint not null,
    unconfirmed   bigint not null,
    primary key (workspace_id, run_id),
    foreign key (workspace_id, run_id) references run
);
select fence('run_snapshot');
select discoverable('run_snapshot', 'workspace_id, run_id, at, moved_at, total, ready, sending, accepted, unknown'); -- counts, no content
grant select, insert, update on run_snapshot to bareed_app;

-- How far this database has come: a number that the leader raises and then
-- repeats in Redis. One that is behind what Redis says has lost commits.
create table high_water (
    one           boolean primary key default true check (one),
    installation  uuid not null default gen_random_uuid(), -- a copy keeps it
    n             bigint not null,
    at            timestamptz not null
);
grant select, insert, update on high_water to bareed_engine;
grant select on high_water to bareed_app; -- the claim asks

-- Webhook bodies already taken, so that a repeat costs one look-up. Eight days:
-- Meta repeats for seven.
create table delivery_seen (
    app_id       uuid not null references meta_app,
    sha256       bytea not null,
    received_at  timestamptz not null default bareed_now(),
    primary key (app_id, sha256)
);
grant select, insert, delete on delivery_seen to bareed_engine;
grant select, insert on delivery_seen to bareed_app; -- it holds no one's data; the intake is one transaction
create index delivery_seen_at on delivery_seen (received_at);

-- One workspace's share of a webhook body, sealed as received.
create table event (
    workspace_id  uuid not null references workspace (workspace_id),
    id            uuid not null,
    received_at   timestamptz not null default bareed_now(),
    app_id        uuid not null,
    fields        text[] not null,  -- messages, user_preferences …
    body          bytea not null,   -- {"changes":[…]}, sealed with the workspace's key
    state         text not null default 'new' check (state in ('new', 'applied', 'failed')),
    tries         smallint not null default 0,
    feed_after    timestamptz,
    unmatched     int not null default 0, -- statuses that name no message of ours
    problem       text not null default '',
    primary key (received_at, id)
) partition by range (received_at);
select fence_partitioned('event', false, 1);
select discoverable('event', 'workspace_id, id, received_at, state, feed_after');
grant select, insert, update on event to bareed_app;
create index event_new on event (received_at) where state = 'new';
create index event_new_of on event (workspace_id, received_at) where state = 'new'; -- workspaces take turns when events pile up
create index event_failed on event (workspace_id, received_at) where state = 'failed'; -- what they said is not known, so they are no proof of silence
create index event_id on event (id);

-- Changes that belong to no workspace of ours, or that could not be read: kept
-- by app, sealed with the master key, for the operator.
create table stray_event (
    id           uuid primary key,
    app_id       uuid not null references meta_app,
    received_at  timestamptz not null default bareed_now(),
    why          text not null, -- unparseable, unknown_number, unknown_waba, other_object
    body         bytea not null
);
grant select, insert, delete, update (body) on stray_event to bareed_engine; -- a new master key seals it anew
grant insert on stray_event to bareed_app;
create index stray_event_at on stray_event (received_at);

select ensure_partitions();

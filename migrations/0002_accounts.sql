-- Who may do what: organisations, workspaces, people, keys, and the record of
-- what they did.

-- +goose Up

create table organisation (
    id          uuid primary key,
    name        text not null,
    created_at  timestamptz not null default bareed_now()
);
grant select, insert on organisation to bareed_app;
grant select on organisation to bareed_engine;

-- Keys of the whole installation, sealed by the master key and never removed:
-- 'recipient' (the keyed hash in suppressions and places) and 'callback' (the
-- proof in callback data). The newest version is used, older ones still match.
create table system_key (
    name        text not null,
    version     int not null,
    sealed      bytea not null,
    created_at  timestamptz not null default bareed_now(),
    primary key (name, version)
);
grant select, insert on system_key to bareed_engine;
grant update (sealed) on system_key to bareed_engine; -- only to seal the same key anew

create table workspace (
    workspace_id     uuid primary key,
    organisation_id  uuid not null references organisation,
    parent_id        uuid references workspace (workspace_id),
    name             text not null,
    state            text not null default 'active' check (state in ('active', 'suspended')),
    zone             text not null default 'UTC',
    live             boolean not null default true,
    consent_policy   text not null default 'strict' check (consent_policy in ('strict', 'general')),
    unknown_policy   text not null default 'by_purpose' check (unknown_policy in ('by_purpose', 'hold', 'evidence')),
    content_mode     text not null default 'off' check (content_mode in ('off', 'logs', 'chat_history')),
    retention_days   int not null default 90 check (retention_days between 7 and 90),
    undo_grace       interval not null default '0',
    data_key         bytea not null, -- sealed by the master key
    created_at       timestamptz not null default bareed_now(),
    unique (organisation_id, name)
);
select fence('workspace');
select discoverable('workspace', 'workspace_id, organisation_id, parent_id, name, state, zone, live, data_key');
grant select, insert, update on workspace to bareed_app;

-- A person. Their rows in membership say where they may do what.
create table user_account (
    id               uuid primary key,
    organisation_id  uuid not null references organisation,
    email            text not null unique check (email = lower(email)),
    name             text not null,
    password_hash    text not null, -- argon2id, PHC string
    language         text not null default 'en' check (language in ('en', 'ar')),
    operator         boolean not null default false, -- runs the installation, sees queues, no customer content
    disabled_at      timestamptz,
    created_at       timestamptz not null default bareed_now()
);
-- A person belongs to no workspace, so no policy can fence this table; the
-- application writes password hashes and can never read one.
grant select (id, organisation_id, email, name, language, operator, disabled_at, created_at) on user_account to bareed_app;
grant insert, update on user_account to bareed_app;
grant select on user_account to bareed_engine;

create table membership (
    workspace_id  uuid not null references workspace (workspace_id),
    user_id       uuid not null references user_account,
    role          text not null check (role in ('owner', 'admin', 'marketer', 'viewer')),
    created_at    timestamptz not null default bareed_now(),
    primary key (workspace_id, user_id)
);
select fence('membership');
select discoverable('membership', 'workspace_id, user_id, role');
grant select, insert, update, delete on membership to bareed_app;

create table session (
    id          uuid primary key,
    user_id     uuid not null references user_account,
    workspace_id uuid references workspace (workspace_id), -- the one in use; null for an operator without any
    token_hash  bytea not null unique, -- SHA-256 of the cookie's token
    created_at  timestamptz not null default bareed_now(),
    seen_at     timestamptz not null default bareed_now(),
    expires_at  timestamptz not null,
    ended_at    timestamptz,
    address     text not null default '',
    agent       text not null default ''
);
alter table session enable row level security;
alter table session force row level security;
create policy own_user on session to bareed_app
    using (user_id = (select app_user())) with check (user_id = (select app_user()));
create policy owner_all on session to bareed_owner using (true) with check (true);
create policy discovery on session for select to bareed_engine using (true);
grant select, insert, update on session to bareed_app;
grant select on session to bareed_engine;
create index session_of_user on session (user_id);

-- Failed sign-ins, by account and by address, so that guessing is slowed.
create table sign_in_failure (
    subject  text not null, -- 'a:'+hash of e-mail or 'n:'+address
    at       timestamptz not null default bareed_now()
);
create index sign_in_failure_subject on sign_in_failure (subject, at);
grant select, insert, delete on sign_in_failure to bareed_app;

create table api_key (
    workspace_id  uuid not null references workspace (workspace_id),
    id            uuid not null,
    name          text not null,
    hash          bytea not null unique, -- SHA-256 of the whole key
    hint          text not null,         -- its last four characters
    live          boolean not null,
    scopes        text[] not null,
    created_by    text not null,
    created_at    timestamptz not null default bareed_now(),
    expires_at    timestamptz,
    revoked_at    timestamptz,
    used_at       timestamptz,
    primary key (workspace_id, id)
);
select fence('api_key');
select discoverable('api_key', 'workspace_id, id, hash, live, scopes, expires_at, revoked_at');
grant select, insert, update on api_key to bareed_app;

-- What people and keys did. Written in the transaction of the deed; the
-- application can add and read, never change or remove.
create table audit (
    workspace_id  uuid not null references workspace (workspace_id),
    id            uuid not null,
    at            timestamptz not null default bareed_now(),
    actor         text not null,        -- usr_…, key_…, or system:<part>
    action        text not null,        -- campaign.launched
    subject       text not null,        -- cmp_…
    detail        jsonb not null default '{}', -- before and after; ids and settings, never personal data
    address       text not null default '',
    request_id    text not null default '',
    xid           xid8 not null default pg_current_xact_id(),
    hash          bytea not null,       -- SHA-256 over the columns above but xid
    primary key (workspace_id, id)
);
select fence('audit');
select discoverable('audit', 'workspace_id, id, xid, hash');
grant select, insert on audit to bareed_app;
create index audit_xid on audit (xid);
create index audit_subject on audit (workspace_id, subject, id);

-- The hash chain over an append-only ledger ('consent', 'audit'): each second
-- the leader seals what committed since the last block. A block covers the rows
-- of one workspace whose xid lies in [from_xid, to_xid), in order of (xid, id):
-- every transaction below to_xid has ended, so no row can appear in it later.
create table ledger_block (
    workspace_id  uuid not null references workspace (workspace_id),
    ledger        text not null check (ledger in ('consent', 'audit')),
    number        bigint not null,
    from_xid      xid8 not null,
    to_xid        xid8 not null,
    rows          int not null,
    hash          bytea not null, -- SHA-256(previous hash, row hashes)
    sealed_at     timestamptz not null default bareed_now(),
    primary key (workspace_id, ledger, number)
);
select fence('ledger_block');
select discoverable('ledger_block', 'workspace_id, ledger, number, from_xid, to_xid, rows, hash, sealed_at');
grant select on ledger_block to bareed_app;
create policy sealing on ledger_block for insert to bareed_engine with check (true);
grant insert on ledger_block to bareed_engine;

-- How far each ledger is sealed, over all workspaces.
create table ledger_mark (
    ledger   text primary key,
    sealed   xid8 not null
);
insert into ledger_mark values ('consent', '0'), ('audit', '0');
grant select, update on ledger_mark to bareed_engine;

-- Who leads, for the people who look: the leader is whoever holds the session
-- lock, and this row only tells since when and that it still lives.
create table scheduler_leader (
    one     boolean primary key default true check (one),
    since   timestamptz not null,
    beat    timestamptz not null -- written once a second by the session that holds the lock
);
grant select, insert, update on scheduler_leader to bareed_engine;

-- The answer first given under an Idempotency-Key, for seven days.
create table idempotency (
    workspace_id  uuid not null references workspace (workspace_id),
    key           text not null,
    route         text not null, -- method and path
    fingerprint   bytea not null,
    state         text not null default 'running' check (state in ('running', 'done')),
    status        int,
    headers       jsonb,
    body          bytea,
    created_at    timestamptz not null default bareed_now(),
    primary key (workspace_id, key, route)
);
select fence('idempotency');
grant select, insert, update, delete on idempotency to bareed_app;

create table request_log (
    workspace_id  uuid not null,
    at            timestamptz not null,
    request_id    text not null,
    actor         text not null,
    route         text not null,
    status        int not null,
    took_us       bigint not null
) partition by range (at);
select fence_partitioned('request_log', false, 1);
grant select, insert on request_log to bareed_app;
create index request_log_at on request_log (workspace_id, at);

-- Work that outlasts a request: an import, a check.
create table job (
    workspace_id  uuid not null references workspace (workspace_id),
    id            uuid not null,
    kind          text not null check (kind in ('import', 'check')),
    subject       text not null, -- imp_…, chk_…
    state         text not null default 'waiting' check (state in ('waiting', 'running', 'completed', 'failed', 'cancelled')),
    done          bigint not null default 0,
    total         bigint not null default 0,
    result        jsonb,
    problem       jsonb,         -- code and parameters of the failure
    created_at    timestamptz not null default bareed_now(),
    updated_at    timestamptz not null default bareed_now(),
    primary key (workspace_id, id)
);
select fence('job');
grant select, insert, update on job to bareed_app;

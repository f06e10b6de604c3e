-- People, how they are reached, the audiences they are in, and what they
-- agreed to.

-- +goose Up

create table contact (
    workspace_id  uuid not null references workspace (workspace_id),
    id            uuid not null,
    name          text not null default '',
    person_key    bytea, -- sealed; destroying it erases what is sealed with it
    erased_at     timestamptz,
    created_at    timestamptz not null default bareed_now(),
    updated_at    timestamptz not null default bareed_now(),
    primary key (workspace_id, id)
);
select fence('contact');
grant select, insert, update on contact to bareed_app;

-- One way to recognise a contact. key is the canonical form by which two
-- spellings are one person (E.164 without Brazil's ninth digit, and so on);
-- value is what to send to. Business-scoped ids belong to one portfolio.
create table identity (
    workspace_id  uuid not null,
    contact_id    uuid not null,
    kind          text not null check (kind in ('phone', 'bsuid', 'parent_bsuid', 'username')),
    portfolio_id  uuid not null default '00000000-0000-0000-0000-000000000000', -- zero for phones
    key           text not null,
    value         text not null,
    country       text not null default '', -- ISO 3166-1 alpha-2
    first_seen    timestamptz not null default bareed_now(),
    last_seen     timestamptz not null default bareed_now(),
    primary key (workspace_id, kind, portfolio_id, key),
    foreign key (workspace_id, contact_id) references contact
);
select fence('identity');
grant select, insert, update, delete on identity to bareed_app;
-- Not begun with the workspace: that would look cheap for finding one person in it.
create index identity_contact on identity (contact_id, kind);
create index identity_bsuid on identity (key) where kind in ('bsuid', 'parent_bsuid');

-- Two contacts of whom a webhook said that they are one person: one is known by
-- the phone, the other by the business-scoped id. Both keep their identities
-- until a person decides; until then a refusal by one is a refusal by both. Each
-- pair is written both ways.
create table identity_conflict (
    workspace_id  uuid not null,
    contact_id    uuid not null,
    other_id      uuid not null,
    first_seen    timestamptz not null default bareed_now(),
    primary key (workspace_id, contact_id, other_id),
    foreign key (workspace_id, contact_id) references contact,
    foreign key (workspace_id, other_id) references contact (workspace_id, id),
    check (contact_id <> other_id)
);
select fence('identity_conflict');
grant select, insert on identity_conflict to bareed_app;

create table contact_attribute (
    workspace_id  uuid not null,
    contact_id    uuid not null,
    name          text not null,
    text          text,
    number        numeric,
    date          date,
    primary key (workspace_id, contact_id, name),
    foreign key (workspace_id, contact_id) references contact
);
select fence('contact_attribute');
grant select, insert, update, delete on contact_attribute to bareed_app;
create index contact_attribute_text on contact_attribute (workspace_id, name, text);
create index contact_attribute_number on contact_attribute (workspace_id, name, number) where number is not null;
create index contact_attribute_date on contact_attribute (workspace_id, name, date) where date is not null;

create table contact_tag (
    workspace_id  uuid not null,
    tag           text not null,
    contact_id    uuid not null,
    primary key (workspace_id, tag, contact_id),
    foreign key (workspace_id, contact_id) references contact
);
select fence('contact_tag');
grant select, insert, delete on contact_tag to bareed_app;

create table audience (
    workspace_id  uuid not null references workspace (workspace_id),
    id            uuid not null,
    name          text not null,
    created_at    timestamptz not null default bareed_now(),
    created_by    text not null,
    deleted_at    timestamptz,
    primary key (workspace_id, id)
);
create unique index audience_name on audience (workspace_id, name) where deleted_at is null;
select fence('audience');
grant select, insert, update on audience to bareed_app;

create table audience_member (
    workspace_id  uuid not null,
    audience_id   uuid not null,
    contact_id    uuid not null,
    import_id     uuid,
    added_at      timestamptz not null default bareed_now(),
    primary key (workspace_id, audience_id, contact_id),
    foreign key (workspace_id, audience_id) references audience,
    foreign key (workspace_id, contact_id) references contact
);
select fence('audience_member');
grant select, insert, delete on audience_member to bareed_app;

-- An uploaded file, sealed, in pieces, so that any host can read it.
create table blob (
    workspace_id  uuid not null references workspace (workspace_id),
    id            uuid not null,
    name          text not null, -- as shown, made safe
    size          bigint not null,
    sha256        bytea not null,
    created_at    timestamptz not null default bareed_now(),
    primary key (workspace_id, id)
);
select fence('blob');
grant select, insert, update, delete on blob to bareed_app;

create table blob_chunk (
    workspace_id  uuid not null,
    blob_id       uuid not null,
    sequence      int not null,
    sealed        bytea not null,
    primary key (workspace_id, blob_id, sequence),
    foreign key (workspace_id, blob_id) references blob on delete cascade
);
select fence('blob_chunk');
grant select, insert, delete on blob_chunk to bareed_app;

create table import (
    workspace_id    uuid not null references workspace (workspace_id),
    id              uuid not null, -- also the id of its job
    audience_id     uuid not null,
    blob_id         uuid not null,
    state           text not null default 'waiting' check (state in ('waiting', 'running', 'completed', 'failed', 'cancelled')),
    settings        jsonb not null, -- mapping, default country, mode, consent declared, strict
    detected        jsonb not null default '{}', -- encoding, delimiter, header
    rows            bigint not null default 0,
    created         bigint not null default 0,
    updated         bigint not null default 0,
    unchanged       bigint not null default 0,
    merged          bigint not null default 0, -- rows that named a person of an earlier row
    rejected        bigint not null default 0,
    opted_in        bigint not null default 0, -- people with opt-in recorded by this file
    superseded      bigint not null default 0, -- opt-ins older than the person's opt-out
    problem         jsonb,
    lease_until     timestamptz, -- the task that runs it keeps this ahead of now
    created_by      text not null,
    created_at      timestamptz not null default bareed_now(),
    started_at      timestamptz,
    finished_at     timestamptz,
    tries           smallint not null default 0, -- times it was taken up since it last got further
    primary key (workspace_id, id),
    foreign key (workspace_id, audience_id) references audience,
    foreign key (workspace_id, blob_id) references blob
);
select fence('import');
select discoverable('import', 'workspace_id, id, state, lease_until, created_at');
grant select, insert, update on import to bareed_app;
create index import_open on import (created_at) where state in ('waiting', 'running');
create index import_audience on import (workspace_id, audience_id);

-- A file that is stored and waits for a person to say what its columns are and
-- where its people agreed. It becomes an import, or goes with its file.
create table import_draft (
    workspace_id  uuid not null,
    id            uuid not null, -- the file's
    audience_id   uuid not null,
    settings      jsonb not null,
    rows          bigint not null, -- of the file
    created_by    text not null,
    created_at    timestamptz not null default bareed_now(),
    primary key (workspace_id, id),
    foreign key (workspace_id, audience_id) references audience,
    foreign key (workspace_id, id) references blob on delete cascade
);
select fence('import_draft');
grant select, insert, update, delete on import_draft to bareed_app;
create index import_draft_audience on import_draft (workspace_id, audience_id);

-- Whom a running import has named so far. They become members of the audience
-- together, when it ends; then these rows go.
create table import_member (
    workspace_id  uuid not null,
    import_id     uuid not null,
    contact_id    uuid not null,
    opted         boolean, -- null: no opt-in given; false: given, but an opt-out stands
    primary key (workspace_id, import_id, contact_id),
    foreign key (workspace_id, import_id) references import
);
select fence('import_member');
grant select, insert, update, delete on import_member to bareed_app;

create table import_reject (
    workspace_id  uuid not null,
    import_id     uuid not null,
    row           bigint not null, -- counts records, the header is not one
    line          bigint not null, -- of the file, from 1
    col           text not null,   -- the header's name, or empty
    code          text not null,
    params        jsonb not null default '{}',
    got           text not null,   -- at most 40 runes, masked when a phone
    raw           bytea,           -- the value as uploaded, sealed
    primary key (workspace_id, import_id, row, col),
    foreign key (workspace_id, import_id) references import
);
select fence('import_reject');
grant select, insert, delete on import_reject to bareed_app;

-- The words somebody agreed to, once per text.
create table wording (
    workspace_id   uuid not null references workspace (workspace_id),
    id             uuid not null,
    version        text not null,
    text           text not null,
    business_name  text not null,
    names_whatsapp boolean not null,
    hash           bytea not null,
    created_at     timestamptz not null default bareed_now(),
    primary key (workspace_id, id),
    unique (workspace_id, hash)
);
select fence('wording');
grant select, insert on wording to bareed_app;

-- The consent ledger: what a person agreed to or refused, once per purpose,
-- never changed. It holds ids and hashes; anything personal is in detail,
-- sealed with the person's key.
create table consent (
    workspace_id   uuid not null references workspace (workspace_id),
    id             uuid not null,
    contact_id     uuid,          -- null while only a hash is known
    recipient_hash bytea not null,-- keyed hash of the identity it was given for
    purpose        text not null check (purpose in ('marketing', 'utility', 'authentication')),
    action         text not null check (action in ('opt_in', 'opt_out')),
    method         text not null, -- web_form, paper, import, keyword, button, user_preferences, api, meta_131050 …
    source         text not null, -- where: a URL, a shop, a file and row
    wording_id     uuid,
    evidence       text not null default '', -- reference to the proof
    evidence_hash  bytea,
    policy         text not null, -- strict or general, as it was judged
    occurred_at    timestamptz not null,
    declared       boolean not null default false, -- an opt-in said of a whole file, not dated per person: it beats no opt-out
    recorded_at    timestamptz not null default bareed_now(),
    expires_at     timestamptz,
    actor          text not null,
    import_id      uuid,
    import_row     bigint,
    detail         bytea,         -- sealed with the person's key
    xid            xid8 not null default pg_current_xact_id(),
    hash           bytea not null,-- SHA-256 over the columns above but xid
    primary key (workspace_id, id)
);
select fence('consent');
select discoverable('consent', 'workspace_id, id, xid, hash');
grant select, insert on consent to bareed_app;
create index consent_opt_out on consent (workspace_id, recorded_at) where action = 'opt_out'; -- how many left, by day
create index consent_contact on consent (workspace_id, contact_id, purpose, occurred_at);
create index consent_xid on consent (xid);
create index consent_recipient on consent (workspace_id, recipient_hash) where contact_id is null;

-- What the ledger comes to: may this person be messaged for this purpose?
-- Written in the ledger's transaction; the claim reads it by key.
create table permission (
    workspace_id  uuid not null,
    contact_id    uuid not null,
    purpose       text not null check (purpose in ('marketing', 'utility', 'authentication')),
    granted       boolean not null,
    consent_id    uuid not null, -- the entry that decided
    since         timestamptz not null, -- when it occurred; the later one wins
    declared      boolean not null default false, -- as in consent: any opt-out, even an earlier one, wins
    expires_at    timestamptz,
    primary key (workspace_id, contact_id, purpose),
    foreign key (workspace_id, contact_id) references contact
);
select fence('permission');
grant select, insert, update on permission to bareed_app;

-- Who must not be messaged whatever else is recorded, by keyed hash of the
-- identity, so that it outlives the contact and meets every import.
create table suppression (
    workspace_id    uuid not null references workspace (workspace_id),
    recipient_hash  bytea not null,
    purpose         text not null check (purpose in ('marketing', 'utility', 'authentication')),
    key_version     int not null,
    reason          text not null, -- opted_out, blocked, undeliverable, blocked_at_meta, erased
    consent_id      uuid,
    since           timestamptz not null default bareed_now(), -- when the refusal occurred
    lifted_at       timestamptz, -- when the opt-in occurred that ended it; null: it stands
    primary key (workspace_id, recipient_hash, purpose)
);
select fence('suppression');
grant select, insert, update on suppression to bareed_app;

-- Until when a person's last message to a number lets the business write freely.
create table service_window (
    workspace_id  uuid not null references workspace (workspace_id),
    number_id     uuid not null,
    recipient_hash bytea not null,
    open_until    timestamptz not null,
    primary key (workspace_id, number_id, recipient_hash)
);
select fence('service_window');
grant select, insert, update on service_window to bareed_app;

-- Generated from the migrations; see schema_test.go. For reading only.

create table api_key (
    workspace_id uuid not null,
    id uuid not null,
    name text not null,
    hash bytea not null,
    hint text not null,
    live boolean not null,
    scopes text[] not null,
    created_by text not null,
    created_at timestamp with time zone not null default bareed_now(),
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    used_at timestamp with time zone,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (hash),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table audience (
    workspace_id uuid not null,
    id uuid not null,
    name text not null,
    created_at timestamp with time zone not null default bareed_now(),
    created_by text not null,
    deleted_at timestamp with time zone,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
create unique index audience_name on audience (workspace_id, name) where (deleted_at is null);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table audience_member (
    workspace_id uuid not null,
    audience_id uuid not null,
    contact_id uuid not null,
    import_id uuid,
    added_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, audience_id, contact_id),
    FOREIGN KEY (workspace_id, audience_id) REFERENCES audience(workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contact(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select

create table audit (
    workspace_id uuid not null,
    id uuid not null,
    at timestamp with time zone not null default bareed_now(),
    actor text not null,
    action text not null,
    subject text not null,
    detail jsonb not null default '{}'::jsonb,
    address text not null default ''::text,
    request_id text not null default ''::text,
    xid xid8 not null default pg_current_xact_id(),
    hash bytea not null,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
create index audit_subject on audit (workspace_id, subject, id);
create index audit_xid on audit (xid);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select

create table blob (
    workspace_id uuid not null,
    id uuid not null,
    name text not null,
    size bigint not null,
    sha256 bytea not null,
    created_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select, update

create table blob_chunk (
    workspace_id uuid not null,
    blob_id uuid not null,
    sequence integer not null,
    sealed bytea not null,
    PRIMARY KEY (workspace_id, blob_id, sequence),
    FOREIGN KEY (workspace_id, blob_id) REFERENCES blob(workspace_id, id) ON DELETE CASCADE
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select

create table breaker_change (
    workspace_id uuid not null,
    subject_id uuid not null,
    name text not null,
    was jsonb,
    became jsonb,
    changed_by text not null,
    changed_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, subject_id, name),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table breaker_setting (
    workspace_id uuid not null,
    subject_id uuid not null,
    settings jsonb not null,
    version integer not null default 1,
    updated_by text not null,
    updated_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, subject_id),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table budget (
    workspace_id uuid not null,
    subject_id uuid not null,
    micros bigint,
    currency text not null default ''::text,
    version integer not null default 1,
    updated_by text not null,
    updated_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, subject_id),
    CHECK (((micros IS NULL) OR (currency <> ''::text))),
    CHECK ((currency ~ '^([A-Z]{3})?$'::text)),
    CHECK ((micros > 0)),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table campaign (
    workspace_id uuid not null,
    id uuid not null,
    name text not null,
    state text not null default 'draft'::text,
    number_id uuid not null,
    template_id uuid not null,
    variables jsonb not null default '{}'::jsonb,
    unknown_policy text,
    per_minute integer,
    finish_within integer,
    priority text not null default 'normal'::text,
    share text,
    send_at timestamp with time zone,
    send_zone text,
    send_local timestamp without time zone,
    schedule jsonb,
    max_lateness interval not null default '01:00:00'::interval,
    event_sequence bigint not null default 0,
    version integer not null default 1,
    created_by text not null,
    created_at timestamp with time zone not null default bareed_now(),
    updated_at timestamp with time zone not null default bareed_now(),
    launched_at timestamp with time zone,
    ended_at timestamp with time zone,
    deleted_at timestamp with time zone,
    frequency_pass text,
    transport text not null default 'cloud'::text,
    product_policy text,
    activity_sharing boolean not null default false,
    PRIMARY KEY (workspace_id, id),
    CHECK (((per_minute IS NULL) OR (finish_within IS NULL))),
    CHECK ((finish_within > 0)),
    CHECK ((per_minute > 0)),
    CHECK ((priority = ANY (ARRAY['high'::text, 'normal'::text, 'low'::text]))),
    CHECK ((state = ANY (ARRAY['draft'::text, 'checking'::text, 'needs_approval'::text, 'scheduled'::text, 'starting'::text, 'running'::text, 'finishing'::text, 'completed'::text, 'stopped'::text, 'expired'::text, 'failed'::text]))),
    CHECK ((((transport = 'cloud'::text) AND (product_policy IS NULL) AND (NOT activity_sharing)) OR ((transport = 'marketing_messages'::text) AND (product_policy IS NOT NULL) AND (product_policy = ANY (ARRAY['CLOUD_API_FALLBACK'::text, 'STRICT'::text]))))),
    CHECK ((unknown_policy = ANY (ARRAY['hold'::text, 'evidence'::text]))),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id),
    FOREIGN KEY (workspace_id, number_id) REFERENCES number(workspace_id, id),
    FOREIGN KEY (workspace_id, template_id) REFERENCES template(workspace_id, id)
);
create unique index campaign_name on campaign (workspace_id, name) where (deleted_at is null);
create index campaign_open on campaign (state, send_at) where (state = any (array['scheduled'::text, 'starting'::text, 'running'::text, 'finishing'::text]));
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table campaign_audience (
    workspace_id uuid not null,
    campaign_id uuid not null,
    audience_id uuid not null,
    PRIMARY KEY (workspace_id, campaign_id, audience_id),
    FOREIGN KEY (workspace_id, audience_id) REFERENCES audience(workspace_id, id),
    FOREIGN KEY (workspace_id, campaign_id) REFERENCES campaign(workspace_id, id)
);
create index campaign_audience_audience on campaign_audience (workspace_id, audience_id);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select

create table campaign_event (
    workspace_id uuid not null,
    campaign_id uuid not null,
    sequence bigint not null,
    at timestamp with time zone not null default bareed_now(),
    type text not null,
    data jsonb not null default '{}'::jsonb,
    PRIMARY KEY (workspace_id, campaign_id, sequence),
    FOREIGN KEY (workspace_id, campaign_id) REFERENCES campaign(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select

create table clock_offset (
    one boolean not null default true,
    shift interval not null default '00:00:00'::interval,
    PRIMARY KEY (one),
    CHECK (one)
);
-- bareed_app may select
-- bareed_engine may select

create table consent (
    workspace_id uuid not null,
    id uuid not null,
    contact_id uuid,
    recipient_hash bytea not null,
    purpose text not null,
    action text not null,
    method text not null,
    source text not null,
    wording_id uuid,
    evidence text not null default ''::text,
    evidence_hash bytea,
    policy text not null,
    occurred_at timestamp with time zone not null,
    declared boolean not null default false,
    recorded_at timestamp with time zone not null default bareed_now(),
    expires_at timestamp with time zone,
    actor text not null,
    import_id uuid,
    import_row bigint,
    detail bytea,
    xid xid8 not null default pg_current_xact_id(),
    hash bytea not null,
    PRIMARY KEY (workspace_id, id),
    CHECK ((action = ANY (ARRAY['opt_in'::text, 'opt_out'::text]))),
    CHECK ((purpose = ANY (ARRAY['marketing'::text, 'utility'::text, 'authentication'::text]))),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
create index consent_contact on consent (workspace_id, contact_id, purpose, occurred_at);
create index consent_opt_out on consent (workspace_id, recorded_at) where (action = 'opt_out'::text);
create index consent_recipient on consent (workspace_id, recipient_hash) where (contact_id is null);
create index consent_xid on consent (xid);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select

create table contact (
    workspace_id uuid not null,
    id uuid not null,
    name text not null default ''::text,
    person_key bytea,
    erased_at timestamp with time zone,
    created_at timestamp with time zone not null default bareed_now(),
    updated_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table contact_attribute (
    workspace_id uuid not null,
    contact_id uuid not null,
    name text not null,
    text text,
    number numeric,
    date date,
    PRIMARY KEY (workspace_id, contact_id, name),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contact(workspace_id, id)
);
create index contact_attribute_date on contact_attribute (workspace_id, name, date) where (date is not null);
create index contact_attribute_number on contact_attribute (workspace_id, name, number) where (number is not null);
create index contact_attribute_text on contact_attribute (workspace_id, name, text);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select, update

create table contact_tag (
    workspace_id uuid not null,
    tag text not null,
    contact_id uuid not null,
    PRIMARY KEY (workspace_id, tag, contact_id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contact(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select

create table cool_off (
    workspace_id uuid not null,
    recipient_hash bytea not null,
    until timestamp with time zone not null,
    PRIMARY KEY (workspace_id, recipient_hash),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
create index cool_off_until on cool_off (workspace_id, until);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table country_bar (
    workspace_id uuid not null,
    waba_id uuid not null,
    country text not null,
    since timestamp with time zone not null default bareed_now(),
    until timestamp with time zone not null,
    PRIMARY KEY (workspace_id, waba_id, country),
    FOREIGN KEY (workspace_id, waba_id) REFERENCES waba(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table country_refusal (
    workspace_id uuid not null,
    waba_id uuid not null,
    country text not null,
    recipient_hash bytea not null,
    at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, waba_id, country, recipient_hash),
    FOREIGN KEY (workspace_id, waba_id) REFERENCES waba(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select, update

create table delivery_seen (
    app_id uuid not null,
    sha256 bytea not null,
    received_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (app_id, sha256),
    FOREIGN KEY (app_id) REFERENCES meta_app(id)
);
create index delivery_seen_at on delivery_seen (received_at);
-- bareed_app may insert, select
-- bareed_engine may delete, insert, select

create table event (
    workspace_id uuid not null,
    id uuid not null,
    received_at timestamp with time zone not null default bareed_now(),
    app_id uuid not null,
    fields text[] not null,
    body bytea not null,
    state text not null default 'new'::text,
    tries smallint not null default 0,
    feed_after timestamp with time zone,
    unmatched integer not null default 0,
    problem text not null default ''::text,
    PRIMARY KEY (received_at, id),
    CHECK ((state = ANY (ARRAY['new'::text, 'applied'::text, 'failed'::text]))),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
) partition by range (received_at);
create index event_failed on only event (workspace_id, received_at) where (state = 'failed'::text);
create index event_id on only event (id);
create index event_new on only event (received_at) where (state = 'new'::text);
create index event_new_of on only event (workspace_id, received_at) where (state = 'new'::text);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table failed_in_a_row (
    workspace_id uuid not null,
    run_id uuid not null,
    n integer not null,
    PRIMARY KEY (workspace_id, run_id),
    FOREIGN KEY (workspace_id, run_id) REFERENCES run(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select, update

create table frequency_turn (
    workspace_id uuid not null,
    contact_id uuid not null,
    run_id uuid not null,
    ordinal integer not null,
    at timestamp with time zone not null,
    PRIMARY KEY (workspace_id, contact_id, run_id),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
create index frequency_turn_at on frequency_turn (at);
-- row-level security, forced:
--   engine_all for all to bareed_engine using true with check true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select
-- bareed_engine may delete, select

create table high_water (
    one boolean not null default true,
    installation uuid not null default gen_random_uuid(),
    n bigint not null,
    at timestamp with time zone not null,
    PRIMARY KEY (one),
    CHECK (one)
);
-- bareed_app may select
-- bareed_engine may insert, select, update

create table idempotency (
    workspace_id uuid not null,
    key text not null,
    route text not null,
    fingerprint bytea not null,
    state text not null default 'running'::text,
    status integer,
    headers jsonb,
    body bytea,
    created_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, key, route),
    CHECK ((state = ANY (ARRAY['running'::text, 'done'::text]))),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select, update

create table identity (
    workspace_id uuid not null,
    contact_id uuid not null,
    kind text not null,
    portfolio_id uuid not null default '00000000-0000-0000-0000-000000000000'::uuid,
    key text not null,
    value text not null,
    country text not null default ''::text,
    first_seen timestamp with time zone not null default bareed_now(),
    last_seen timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, kind, portfolio_id, key),
    CHECK ((kind = ANY (ARRAY['phone'::text, 'bsuid'::text, 'parent_bsuid'::text, 'username'::text]))),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contact(workspace_id, id)
);
create index identity_bsuid on identity (key) where (kind = any (array['bsuid'::text, 'parent_bsuid'::text]));
create index identity_contact on identity (contact_id, kind);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select, update

create table identity_conflict (
    workspace_id uuid not null,
    contact_id uuid not null,
    other_id uuid not null,
    first_seen timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, contact_id, other_id),
    CHECK ((contact_id <> other_id)),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contact(workspace_id, id),
    FOREIGN KEY (workspace_id, other_id) REFERENCES contact(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select

create table import (
    workspace_id uuid not null,
    id uuid not null,
    audience_id uuid not null,
    blob_id uuid not null,
    state text not null default 'waiting'::text,
    settings jsonb not null,
    detected jsonb not null default '{}'::jsonb,
    rows bigint not null default 0,
    created bigint not null default 0,
    updated bigint not null default 0,
    unchanged bigint not null default 0,
    merged bigint not null default 0,
    rejected bigint not null default 0,
    opted_in bigint not null default 0,
    superseded bigint not null default 0,
    problem jsonb,
    lease_until timestamp with time zone,
    created_by text not null,
    created_at timestamp with time zone not null default bareed_now(),
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    tries smallint not null default 0,
    PRIMARY KEY (workspace_id, id),
    CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'completed'::text, 'failed'::text, 'cancelled'::text]))),
    FOREIGN KEY (workspace_id, audience_id) REFERENCES audience(workspace_id, id),
    FOREIGN KEY (workspace_id, blob_id) REFERENCES blob(workspace_id, id),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
create index import_audience on import (workspace_id, audience_id);
create index import_open on import (created_at) where (state = any (array['waiting'::text, 'running'::text]));
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table import_draft (
    workspace_id uuid not null,
    id uuid not null,
    audience_id uuid not null,
    settings jsonb not null,
    rows bigint not null,
    created_by text not null,
    created_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, audience_id) REFERENCES audience(workspace_id, id),
    FOREIGN KEY (workspace_id, id) REFERENCES blob(workspace_id, id) ON DELETE CASCADE
);
create index import_draft_audience on import_draft (workspace_id, audience_id);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select, update

create table import_member (
    workspace_id uuid not null,
    import_id uuid not null,
    contact_id uuid not null,
    opted boolean,
    PRIMARY KEY (workspace_id, import_id, contact_id),
    FOREIGN KEY (workspace_id, import_id) REFERENCES import(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select, update

create table import_reject (
    workspace_id uuid not null,
    import_id uuid not null,
    "row" bigint not null,
    line bigint not null,
    col text not null,
    code text not null,
    params jsonb not null default '{}'::jsonb,
    got text not null,
    raw bytea,
    PRIMARY KEY (workspace_id, import_id, "row", col),
    FOREIGN KEY (workspace_id, import_id) REFERENCES import(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select

create table job (
    workspace_id uuid not null,
    id uuid not null,
    kind text not null,
    subject text not null,
    state text not null default 'waiting'::text,
    done bigint not null default 0,
    total bigint not null default 0,
    result jsonb,
    problem jsonb,
    created_at timestamp with time zone not null default bareed_now(),
    updated_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, id),
    CHECK ((kind = ANY (ARRAY['import'::text, 'check'::text]))),
    CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'completed'::text, 'failed'::text, 'cancelled'::text]))),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table ledger_block (
    workspace_id uuid not null,
    ledger text not null,
    number bigint not null,
    from_xid xid8 not null,
    to_xid xid8 not null,
    rows integer not null,
    hash bytea not null,
    sealed_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, ledger, number),
    CHECK ((ledger = ANY (ARRAY['consent'::text, 'audit'::text]))),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
--   sealing for insert to bareed_engine with check true
-- bareed_app may select
-- bareed_engine may insert

create table ledger_mark (
    ledger text not null,
    sealed xid8 not null,
    PRIMARY KEY (ledger)
);
-- bareed_engine may select, update

create table membership (
    workspace_id uuid not null,
    user_id uuid not null,
    role text not null,
    created_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, user_id),
    CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'marketer'::text, 'viewer'::text]))),
    FOREIGN KEY (user_id) REFERENCES user_account(id),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select, update

create table message (
    workspace_id uuid not null,
    run_id uuid not null,
    ordinal integer not null,
    contact_id uuid not null,
    recipient_key text not null,
    recipient_hash bytea not null,
    address text not null,
    country text not null default ''::text,
    parameters bytea,
    consent_id uuid,
    state text not null,
    reason text,
    attempt smallint not null default 0,
    tries smallint not null default 0,
    claim_token uuid,
    claimed_by text,
    claimed_at timestamp with time zone,
    claim_deadline timestamp with time zone,
    not_before timestamp with time zone,
    feed_after timestamp with time zone,
    zone text,
    closes_at timestamp with time zone,
    wamid text,
    wa_id text,
    http_status smallint,
    meta_code integer,
    pricing jsonb,
    accepted_at timestamp with time zone,
    held_at timestamp with time zone,
    sent_at timestamp with time zone,
    delivered_at timestamp with time zone,
    read_at timestamp with time zone,
    played_at timestamp with time zone,
    failed_at timestamp with time zone,
    resolved_by text,
    updated_at timestamp with time zone not null default bareed_now(),
    dropped bytea,
    PRIMARY KEY (run_id, ordinal),
    UNIQUE (contact_id, run_id),
    UNIQUE (recipient_key, run_id),
    CHECK ((state = ANY (ARRAY['ready'::text, 'sending'::text, 'accepted'::text, 'held'::text, 'sent'::text, 'delivered'::text, 'read'::text, 'played'::text, 'failed'::text, 'suppressed'::text, 'unknown'::text, 'unconfirmed'::text]))),
    FOREIGN KEY (workspace_id, run_id) REFERENCES run(workspace_id, id)
) partition by range (run_id);
create index message_again on only message (run_id, feed_after) where ((state = 'ready'::text) and (feed_after is not null));
create index message_closes on only message (run_id, closes_at) where ((state = 'ready'::text) and (closes_at is not null));
create index message_held on only message (run_id, ordinal) where (state = 'held'::text);
create index message_ready on only message (run_id, ordinal) where (state = 'ready'::text);
create index message_sending on only message (run_id, claim_deadline) where (state = 'sending'::text);
create index message_unconfirmed on only message (run_id, ordinal) where (state = 'unconfirmed'::text);
create index message_unknown on only message (run_id, claimed_at) where (state = 'unknown'::text);
create index message_wamid on only message (wamid) where (wamid is not null);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table message_attempt (
    workspace_id uuid not null,
    run_id uuid not null,
    ordinal integer not null,
    attempt smallint not null,
    at timestamp with time zone not null default bareed_now(),
    claim_token uuid not null,
    outcome text not null,
    http_status smallint,
    meta_code integer,
    fbtrace_id text not null default ''::text,
    detail text not null default ''::text
) partition by range (run_id);
create index message_attempt_message on only message_attempt (run_id, ordinal, at);
create index message_attempt_second on only message_attempt (workspace_id, at) where (outcome = 'second_acceptance'::text);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select

create table meta_app (
    id uuid not null,
    organisation_id uuid not null,
    meta_app_id text not null,
    secret bytea not null,
    old_secret bytea,
    verify_token bytea not null,
    created_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (id),
    UNIQUE (meta_app_id),
    FOREIGN KEY (organisation_id) REFERENCES organisation(id)
);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_organisation for all to bareed_app using (organisation_id = ( SELECT w.organisation_id
   FROM workspace w
  WHERE (w.workspace_id = ( SELECT app_workspace() AS app_workspace)))) with check (organisation_id = ( SELECT w.organisation_id
   FROM workspace w
  WHERE (w.workspace_id = ( SELECT app_workspace() AS app_workspace))))
-- bareed_app may insert, select, update
-- bareed_engine may select

create table meta_change (
    workspace_id uuid not null,
    id uuid not null,
    subject text not null,
    what text not null,
    was text not null,
    became text not null,
    source text not null,
    at timestamp with time zone not null default bareed_now(),
    until timestamp with time zone,
    told_at timestamp with time zone,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
create index meta_change_subject on meta_change (workspace_id, subject, id desc);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select

create table meta_usage (
    app_id uuid not null,
    meta_waba_id text not null,
    hour timestamp with time zone not null,
    calls integer not null default 0,
    before integer not null default 0,
    budget integer not null,
    percent integer not null default 0,
    percent_at timestamp with time zone,
    refusals integer not null default 0,
    refused_code integer,
    refused_at timestamp with time zone,
    pause_until timestamp with time zone,
    PRIMARY KEY (app_id, meta_waba_id),
    FOREIGN KEY (app_id) REFERENCES meta_app(id)
);
create index meta_usage_calls on meta_usage (hour desc, calls desc);
-- bareed_engine may insert, select, update

create table number (
    workspace_id uuid not null,
    id uuid not null,
    waba_id uuid not null,
    portfolio_id uuid not null,
    app_id uuid not null,
    phone_number_id text not null,
    display_phone text not null,
    verified_name text not null default ''::text,
    quality text not null default 'UNKNOWN'::text,
    status text not null default 'UNKNOWN'::text,
    per_second integer not null default 80,
    is_on_biz_app boolean not null default false,
    health jsonb not null default '{}'::jsonb,
    health_at timestamp with time zone,
    echo_seen_at timestamp with time zone,
    synced_at timestamp with time zone,
    created_at timestamp with time zone not null default bareed_now(),
    disconnected_at timestamp with time zone,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (app_id) REFERENCES meta_app(id),
    CHECK ((per_second > 0)),
    FOREIGN KEY (portfolio_id) REFERENCES portfolio(id),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id),
    FOREIGN KEY (workspace_id, waba_id) REFERENCES waba(workspace_id, id)
);
create index number_meta on number (phone_number_id, disconnected_at desc);
create unique index number_phone_number_id on number (phone_number_id) where (disconnected_at is null);
create index number_waba on number (workspace_id, waba_id);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table organisation (
    id uuid not null,
    name text not null,
    created_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (id)
);
-- bareed_app may insert, select
-- bareed_engine may select

create table partitioned (
    name text not null,
    by_uuid boolean not null,
    days integer not null,
    PRIMARY KEY (name),
    CHECK ((days > 0))
);

create table permission (
    workspace_id uuid not null,
    contact_id uuid not null,
    purpose text not null,
    granted boolean not null,
    consent_id uuid not null,
    since timestamp with time zone not null,
    declared boolean not null default false,
    expires_at timestamp with time zone,
    PRIMARY KEY (workspace_id, contact_id, purpose),
    CHECK ((purpose = ANY (ARRAY['marketing'::text, 'utility'::text, 'authentication'::text]))),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contact(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table place (
    portfolio_id uuid not null,
    recipient_hash bytea not null,
    run_id uuid not null,
    ordinal integer,
    share text,
    taken_at timestamp with time zone not null default bareed_now(),
    reserved_at timestamp with time zone not null default bareed_now(),
    counted_at timestamp with time zone,
    freed_at timestamp with time zone,
    over_at timestamp with time zone not null default (bareed_now() + '25:00:00'::interval),
    PRIMARY KEY (portfolio_id, recipient_hash),
    FOREIGN KEY (portfolio_id) REFERENCES portfolio(id)
);
create index place_over on place (over_at);
-- bareed_engine may delete, insert, select, update

create table place_use (
    portfolio_id uuid not null,
    at timestamp with time zone not null,
    run_id uuid not null,
    workspace_id uuid not null,
    places integer not null,
    PRIMARY KEY (portfolio_id, at, run_id),
    FOREIGN KEY (portfolio_id) REFERENCES portfolio(id)
);
create index place_use_at on place_use (at);
-- row-level security, forced:
--   engine_all for all to bareed_engine using true with check true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_engine may delete, insert, select, update

create table plan_check (
    workspace_id uuid not null,
    id uuid not null,
    campaign_id uuid not null,
    state text not null default 'waiting'::text,
    total bigint not null default 0,
    eligible bigint not null default 0,
    suppressed jsonb not null default '{}'::jsonb,
    campaign_version integer not null,
    template jsonb,
    lease_until timestamp with time zone,
    failures smallint not null default 0,
    created_at timestamp with time zone not null default bareed_now(),
    finished_at timestamp with time zone,
    placeless bigint not null default 0,
    fresh bigint not null default 0,
    waves bigint[] not null default '{}'::bigint[],
    wave_wait integer not null default 0,
    PRIMARY KEY (workspace_id, id),
    CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'completed'::text, 'failed'::text]))),
    FOREIGN KEY (workspace_id, campaign_id) REFERENCES campaign(workspace_id, id)
);
create index plan_check_open on plan_check (created_at) where (state = any (array['waiting'::text, 'running'::text]));
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table plan_check_country (
    workspace_id uuid not null,
    check_id uuid not null,
    country text not null,
    people bigint not null,
    windows bigint not null,
    PRIMARY KEY (workspace_id, check_id, country),
    FOREIGN KEY (workspace_id, check_id) REFERENCES plan_check(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table plan_check_row (
    workspace_id uuid not null,
    check_id uuid not null,
    contact_id uuid not null,
    reason text,
    PRIMARY KEY (workspace_id, check_id, contact_id),
    FOREIGN KEY (workspace_id, check_id) REFERENCES plan_check(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select

create table portfolio (
    id uuid not null,
    meta_business_id text not null,
    messaging_limit integer,
    limit_known boolean not null default false,
    reserve real not null default 0.1,
    places bigint not null default 0,
    recount boolean not null default false,
    updated_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (id),
    CHECK ((messaging_limit >= 0)),
    UNIQUE (meta_business_id),
    CHECK (((reserve >= (0)::double precision) AND (reserve <= (0.9)::double precision)))
);
-- bareed_engine may insert, select, update

create table portfolio_share (
    portfolio_id uuid not null,
    name text not null,
    size integer not null,
    kinds text[] not null default '{}'::text[],
    used bigint not null default 0,
    updated_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (portfolio_id, name),
    CHECK ((kinds <@ ARRAY['test'::text, 'api'::text, 'reply'::text])),
    CHECK ((name ~ '^[a-z0-9][a-z0-9_-]{0,39}$'::text)),
    FOREIGN KEY (portfolio_id) REFERENCES portfolio(id),
    CHECK ((size > 0))
);
-- bareed_engine may delete, insert, select, update

create table rate (
    workspace_id uuid not null,
    card_id uuid not null,
    market text not null,
    category text not null,
    volume_from bigint not null,
    volume_to bigint,
    rate_micros bigint not null,
    PRIMARY KEY (workspace_id, card_id, market, category, volume_from),
    CHECK ((volume_to >= volume_from)),
    CHECK ((rate_micros >= 0)),
    CHECK ((volume_from >= 1)),
    FOREIGN KEY (workspace_id, card_id) REFERENCES rate_card(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select

create table rate_card (
    workspace_id uuid not null,
    id uuid not null,
    name text not null,
    currency text not null,
    valid_from date not null,
    valid_to date,
    rows integer not null,
    sha256 bytea not null,
    file bytea not null,
    uploaded_by text not null,
    uploaded_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, id),
    CHECK ((valid_to >= valid_from)),
    CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
create index rate_card_days on rate_card (workspace_id, currency, valid_from);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select

create table request_log (
    workspace_id uuid not null,
    at timestamp with time zone not null,
    request_id text not null,
    actor text not null,
    route text not null,
    status integer not null,
    took_us bigint not null
) partition by range (at);
create index request_log_at on only request_log (workspace_id, at);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select

create table run (
    workspace_id uuid not null,
    id uuid not null,
    campaign_id uuid,
    occurrence_key text not null,
    kind text not null,
    state text not null,
    purpose text not null,
    number_id uuid not null,
    waba_id uuid not null,
    portfolio_id uuid not null,
    template_id uuid not null,
    template jsonb not null,
    components_hash bytea not null,
    variables jsonb not null,
    unknown_policy text not null,
    per_minute integer,
    finish_within integer,
    expected bigint,
    starts_at timestamp with time zone not null,
    send_zone text,
    send_local timestamp without time zone,
    recipient_time boolean not null default false,
    late_after timestamp with time zone,
    closes_at timestamp with time zone,
    expires_at timestamp with time zone,
    reason text,
    planned_to uuid,
    planned integer not null default 0,
    plan_done boolean not null default false,
    fed integer not null default 0,
    refeed_to integer not null default 0,
    refeed_at timestamp with time zone not null default bareed_now(),
    lease_until timestamp with time zone,
    plan_failures smallint not null default 0,
    created_at timestamp with time zone not null default bareed_now(),
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    settled_at timestamp with time zone,
    touched_at timestamp with time zone,
    summary jsonb,
    wave_to integer,
    budget_to integer,
    transport text not null default 'cloud'::text,
    product_policy text,
    activity_sharing boolean not null default false,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (id),
    CHECK ((kind = ANY (ARRAY['campaign'::text, 'test'::text, 'api'::text, 'reply'::text]))),
    CHECK ((purpose = ANY (ARRAY['marketing'::text, 'utility'::text, 'authentication'::text]))),
    CHECK ((state = ANY (ARRAY['planning'::text, 'running'::text, 'finishing'::text, 'completed'::text, 'stopped'::text, 'missed'::text, 'expired'::text]))),
    CHECK ((((transport = 'cloud'::text) AND (product_policy IS NULL) AND (NOT activity_sharing)) OR ((transport = 'marketing_messages'::text) AND (product_policy IS NOT NULL) AND (product_policy = ANY (ARRAY['CLOUD_API_FALLBACK'::text, 'STRICT'::text]))))),
    CHECK ((unknown_policy = ANY (ARRAY['hold'::text, 'evidence'::text]))),
    FOREIGN KEY (workspace_id, campaign_id) REFERENCES campaign(workspace_id, id),
    UNIQUE (workspace_id, campaign_id, occurrence_key),
    FOREIGN KEY (workspace_id, number_id) REFERENCES number(workspace_id, id),
    FOREIGN KEY (workspace_id, template_id) REFERENCES template(workspace_id, id)
);
create index run_budgeted on run (workspace_id) where ((budget_to is not null) and (settled_at is null));
create index run_open on run (state) where (state = any (array['planning'::text, 'running'::text, 'finishing'::text]));
create index run_settled on run (settled_at) where (settled_at is not null);
create index run_touched on run (touched_at) where (touched_at is not null);
create index run_unsettled on run (state) where (settled_at is null);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table run_budget (
    workspace_id uuid not null,
    run_id uuid not null,
    upto integer not null,
    handed_micros bigint not null,
    PRIMARY KEY (workspace_id, run_id),
    FOREIGN KEY (workspace_id, run_id) REFERENCES run(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table run_charge (
    workspace_id uuid not null,
    run_id uuid not null,
    portfolio_id uuid not null,
    outcome text not null,
    day date not null,
    country text not null,
    model text not null,
    type text not null,
    category text not null,
    billable boolean not null,
    messages bigint not null,
    PRIMARY KEY (workspace_id, run_id, outcome, day, country, model, type, category, billable),
    CHECK ((outcome = ANY (ARRAY['delivered'::text, 'suppressed'::text, 'failed'::text, 'open'::text]))),
    FOREIGN KEY (workspace_id, run_id) REFERENCES run(workspace_id, id)
);
create index run_charge_month on run_charge (workspace_id, portfolio_id, day) where (outcome = 'delivered'::text);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select

create table run_count (
    workspace_id uuid not null,
    run_id uuid not null,
    counted_at timestamp with time zone not null default bareed_now(),
    messages bigint not null,
    PRIMARY KEY (workspace_id, run_id),
    FOREIGN KEY (workspace_id, run_id) REFERENCES run(workspace_id, id)
);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table run_estimate (
    workspace_id uuid not null,
    run_id uuid not null,
    country text not null,
    people bigint not null,
    free bigint not null,
    category text not null,
    tiers boolean not null,
    market text not null,
    before bigint not null,
    card_id uuid,
    currency text not null,
    micros bigint,
    why text not null,
    day date not null,
    made_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, run_id, country),
    FOREIGN KEY (workspace_id, run_id) REFERENCES run(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select

create table run_hour (
    workspace_id uuid not null,
    run_id uuid not null,
    number_id uuid not null,
    due_at timestamp with time zone not null,
    measured_at timestamp with time zone,
    delivered bigint,
    read bigint,
    PRIMARY KEY (workspace_id, run_id),
    FOREIGN KEY (workspace_id, run_id) REFERENCES run(workspace_id, id)
);
create index run_hour_due on run_hour (due_at) where (measured_at is null);
create index run_hour_number on run_hour (workspace_id, number_id, due_at desc) where (measured_at is not null);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table run_pass (
    workspace_id uuid not null,
    run_id uuid not null,
    reason text not null,
    at timestamp with time zone not null,
    delivered bigint not null,
    held bigint not null,
    PRIMARY KEY (workspace_id, run_id, reason),
    FOREIGN KEY (workspace_id, run_id) REFERENCES run(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table run_policy (
    workspace_id uuid not null,
    run_id uuid not null,
    policy jsonb not null,
    PRIMARY KEY (workspace_id, run_id),
    FOREIGN KEY (workspace_id, run_id) REFERENCES run(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table run_snapshot (
    workspace_id uuid not null,
    run_id uuid not null,
    at timestamp with time zone not null,
    moved_at timestamp with time zone not null default bareed_now(),
    total bigint not null,
    suppressed jsonb not null,
    ready bigint not null,
    sending bigint not null,
    held bigint not null,
    accepted bigint not null,
    sent bigint not null,
    delivered bigint not null,
    read bigint not null,
    failed jsonb not null,
    unknown bigint not null,
    unconfirmed bigint not null,
    PRIMARY KEY (workspace_id, run_id),
    FOREIGN KEY (workspace_id, run_id) REFERENCES run(workspace_id, id)
);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table run_warning (
    workspace_id uuid not null,
    run_id uuid not null,
    campaign_id uuid not null,
    reason text not null,
    threshold text not null,
    measured text not null,
    at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, run_id, reason),
    FOREIGN KEY (workspace_id, run_id) REFERENCES run(workspace_id, id)
);
create index run_warning_at on run_warning (workspace_id, at desc);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select

create table run_wave (
    workspace_id uuid not null,
    run_id uuid not null,
    wave smallint not null,
    people bigint not null,
    boundary integer,
    opened_at timestamp with time zone,
    handed_at timestamp with time zone,
    passed_at timestamp with time zone,
    PRIMARY KEY (workspace_id, run_id, wave),
    FOREIGN KEY (workspace_id, run_id) REFERENCES run(workspace_id, id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table scheduler_leader (
    one boolean not null default true,
    since timestamp with time zone not null,
    beat timestamp with time zone not null,
    PRIMARY KEY (one),
    CHECK (one)
);
-- bareed_engine may insert, select, update

create table sending_rule (
    workspace_id uuid not null,
    frequency jsonb not null default '[]'::jsonb,
    counted_from timestamp with time zone,
    cool_off_hours integer not null default 24,
    blocked_countries text[] not null default '{}'::text[],
    version integer not null default 1,
    updated_by text not null,
    updated_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id),
    CHECK (((cool_off_hours >= 24) AND (cool_off_hours <= 720))),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table service_window (
    workspace_id uuid not null,
    number_id uuid not null,
    recipient_hash bytea not null,
    open_until timestamp with time zone not null,
    PRIMARY KEY (workspace_id, number_id, recipient_hash),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table session (
    id uuid not null,
    user_id uuid not null,
    workspace_id uuid,
    token_hash bytea not null,
    created_at timestamp with time zone not null default bareed_now(),
    seen_at timestamp with time zone not null default bareed_now(),
    expires_at timestamp with time zone not null,
    ended_at timestamp with time zone,
    address text not null default ''::text,
    agent text not null default ''::text,
    PRIMARY KEY (id),
    UNIQUE (token_hash),
    FOREIGN KEY (user_id) REFERENCES user_account(id),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
create index session_of_user on session (user_id);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_user for all to bareed_app using (user_id = ( SELECT app_user() AS app_user)) with check (user_id = ( SELECT app_user() AS app_user))
-- bareed_app may insert, select, update
-- bareed_engine may select

create table sign_in_failure (
    subject text not null,
    at timestamp with time zone not null default bareed_now()
);
create index sign_in_failure_subject on sign_in_failure (subject, at);
-- bareed_app may delete, insert, select

create table stop (
    workspace_id uuid not null,
    id uuid not null,
    scope text not null,
    scope_id uuid not null,
    reason text not null,
    by_rule boolean not null,
    threshold text not null default ''::text,
    measured text not null default ''::text,
    meta_code integer,
    since timestamp with time zone not null default bareed_now(),
    until timestamp with time zone,
    opened_by text not null,
    cleared_at timestamp with time zone,
    cleared_by text,
    PRIMARY KEY (workspace_id, id),
    CHECK ((scope = ANY (ARRAY['workspace'::text, 'portfolio'::text, 'waba'::text, 'number'::text, 'template'::text, 'campaign'::text, 'run'::text]))),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
create unique index stop_open on stop (workspace_id, scope_id, reason) where (cleared_at is null);
create index stop_reason on stop (reason) where (cleared_at is null);
create index stop_scope on stop (workspace_id, scope_id, since desc);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table stray_event (
    id uuid not null,
    app_id uuid not null,
    received_at timestamp with time zone not null default bareed_now(),
    why text not null,
    body bytea not null,
    PRIMARY KEY (id),
    FOREIGN KEY (app_id) REFERENCES meta_app(id)
);
create index stray_event_at on stray_event (received_at);
-- bareed_app may insert
-- bareed_engine may delete, insert, select

create table strike (
    workspace_id uuid not null,
    recipient_hash bytea not null,
    n smallint not null default 1,
    run_id uuid not null,
    ordinal integer not null,
    at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, recipient_hash),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may delete, insert, select, update

create table suppression (
    workspace_id uuid not null,
    recipient_hash bytea not null,
    purpose text not null,
    key_version integer not null,
    reason text not null,
    consent_id uuid,
    since timestamp with time zone not null default bareed_now(),
    lifted_at timestamp with time zone,
    PRIMARY KEY (workspace_id, recipient_hash, purpose),
    CHECK ((purpose = ANY (ARRAY['marketing'::text, 'utility'::text, 'authentication'::text]))),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table system_key (
    name text not null,
    version integer not null,
    sealed bytea not null,
    created_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (name, version)
);
-- bareed_engine may insert, select

create table template (
    workspace_id uuid not null,
    id uuid not null,
    waba_id uuid not null,
    meta_template_id text not null,
    name text not null,
    language text not null,
    category text not null,
    status text not null,
    quality text not null default 'UNKNOWN'::text,
    parameter_format text not null default 'POSITIONAL'::text,
    components jsonb not null,
    components_hash bytea not null,
    next_category text not null default ''::text,
    next_category_at timestamp with time zone,
    health jsonb not null default '{}'::jsonb,
    health_at timestamp with time zone,
    synced_at timestamp with time zone not null default bareed_now(),
    gone_at timestamp with time zone,
    first_seen_at timestamp with time zone default bareed_now(),
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, waba_id) REFERENCES waba(workspace_id, id),
    UNIQUE (workspace_id, waba_id, name, language)
);
create index template_meta on template (workspace_id, meta_template_id);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table template_drop (
    workspace_id uuid not null,
    template_id uuid not null,
    portfolio_id uuid not null,
    meta_template_id text not null,
    dropped_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, template_id),
    FOREIGN KEY (portfolio_id) REFERENCES portfolio(id),
    FOREIGN KEY (workspace_id, template_id) REFERENCES template(workspace_id, id)
);
create index template_drop_at on template_drop (dropped_at);
create index template_drop_portfolio on template_drop (portfolio_id, dropped_at);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table user_account (
    id uuid not null,
    organisation_id uuid not null,
    email text not null,
    name text not null,
    password_hash text not null,
    language text not null default 'en'::text,
    operator boolean not null default false,
    disabled_at timestamp with time zone,
    created_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (id),
    CHECK ((email = lower(email))),
    UNIQUE (email),
    CHECK ((language = ANY (ARRAY['en'::text, 'ar'::text]))),
    FOREIGN KEY (organisation_id) REFERENCES organisation(id)
);
-- bareed_app may insert, update
-- bareed_engine may select

create table waba (
    workspace_id uuid not null,
    id uuid not null,
    meta_waba_id text not null,
    portfolio_id uuid not null,
    app_id uuid not null,
    name text not null default ''::text,
    token bytea not null,
    token_hint text not null,
    token_set_at timestamp with time zone not null default bareed_now(),
    review_status text not null default ''::text,
    currency text not null default ''::text,
    synced_at timestamp with time zone,
    polled_at timestamp with time zone,
    sync_problem text not null default ''::text,
    created_at timestamp with time zone not null default bareed_now(),
    marketing_status text not null default ''::text,
    cloud_marketing_off boolean not null default false,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (app_id) REFERENCES meta_app(id),
    FOREIGN KEY (portfolio_id) REFERENCES portfolio(id),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id),
    UNIQUE (workspace_id, meta_waba_id)
);
create index waba_meta on waba (meta_waba_id);
create index waba_portfolio on waba (portfolio_id);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

create table wording (
    workspace_id uuid not null,
    id uuid not null,
    version text not null,
    text text not null,
    business_name text not null,
    names_whatsapp boolean not null,
    hash bytea not null,
    created_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id) REFERENCES workspace(workspace_id),
    UNIQUE (workspace_id, hash)
);
-- row-level security, forced:
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select

create table workspace (
    workspace_id uuid not null,
    organisation_id uuid not null,
    parent_id uuid,
    name text not null,
    state text not null default 'active'::text,
    zone text not null default 'UTC'::text,
    live boolean not null default true,
    consent_policy text not null default 'strict'::text,
    unknown_policy text not null default 'by_purpose'::text,
    content_mode text not null default 'off'::text,
    retention_days integer not null default 90,
    undo_grace interval not null default '00:00:00'::interval,
    data_key bytea not null,
    created_at timestamp with time zone not null default bareed_now(),
    PRIMARY KEY (workspace_id),
    CHECK ((consent_policy = ANY (ARRAY['strict'::text, 'general'::text]))),
    CHECK ((content_mode = ANY (ARRAY['off'::text, 'logs'::text, 'chat_history'::text]))),
    FOREIGN KEY (organisation_id) REFERENCES organisation(id),
    UNIQUE (organisation_id, name),
    FOREIGN KEY (parent_id) REFERENCES workspace(workspace_id),
    CHECK (((retention_days >= 7) AND (retention_days <= 90))),
    CHECK ((state = ANY (ARRAY['active'::text, 'suspended'::text]))),
    CHECK ((unknown_policy = ANY (ARRAY['by_purpose'::text, 'hold'::text, 'evidence'::text])))
);
-- row-level security, forced:
--   discovery for select to bareed_engine using true
--   own_workspace for all to bareed_app using (workspace_id = ( SELECT app_workspace() AS app_workspace)) with check (workspace_id = ( SELECT app_workspace() AS app_workspace))
-- bareed_app may insert, select, update

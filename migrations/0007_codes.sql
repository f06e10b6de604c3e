-- What Meta's error codes mean beyond their message: for a person, for a
-- country, for a run.

-- +goose Up

-- People who could not be reached (131026): how often one after another, each
-- within 30 days of the one before. The second suppresses; a message of theirs
-- removes the row.
create table strike (
    workspace_id    uuid not null references workspace (workspace_id),
    recipient_hash  bytea not null,
    n               smallint not null default 1,
    run_id          uuid not null, -- the message of the last one, so that it counts once
    ordinal         int not null,
    at              timestamptz not null default bareed_now(),
    primary key (workspace_id, recipient_hash)
);
select fence('strike');
grant select, insert, update, delete on strike to bareed_app;

-- Until when Meta wants no more marketing for a person (131049).
create table cool_off (
    workspace_id    uuid not null references workspace (workspace_id),
    recipient_hash  bytea not null,
    until           timestamptz not null,
    primary key (workspace_id, recipient_hash)
);
select fence('cool_off');
grant select, insert, update on cool_off to bareed_app;

-- People of a country that an account may not message (130497), until they are
-- enough to bar the country.
create table country_refusal (
    workspace_id    uuid not null,
    waba_id         uuid not null,
    country         text not null, -- ISO 3166-1 alpha-2
    recipient_hash  bytea not null,
    at              timestamptz not null default bareed_now(),
    primary key (workspace_id, waba_id, country, recipient_hash),
    foreign key (workspace_id, waba_id) references waba
);
select fence('country_refusal');
grant select, insert, update, delete on country_refusal to bareed_app;

-- Countries no message of the account goes to until then; the claim asks.
create table country_bar (
    workspace_id    uuid not null,
    waba_id         uuid not null,
    country         text not null,
    since           timestamptz not null default bareed_now(),
    until           timestamptz not null,
    primary key (workspace_id, waba_id, country),
    foreign key (workspace_id, waba_id) references waba
);
select fence('country_bar');
grant select, insert, update on country_bar to bareed_app;

-- Messages of a run that failed one after another for a reason that the next
-- will fail for too, as their statuses came; one that arrives removes the row.
create table failed_in_a_row (
    workspace_id    uuid not null,
    run_id          uuid not null,
    n               int not null,
    primary key (workspace_id, run_id),
    foreign key (workspace_id, run_id) references run
);
select fence('failed_in_a_row');
grant select, insert, update, delete on failed_in_a_row to bareed_app;

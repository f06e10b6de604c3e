-- Money: the prices a workspace uploads, what a check would cost, what a run
-- did cost, and caps. No table holds a price that a person did not upload.

-- +goose Up

-- One version of Meta's prices in one currency. Never edited: only the day it
-- ends is set, when a newer version takes over.
create table rate_card (
    workspace_id  uuid not null references workspace (workspace_id),
    id            uuid not null,
    name          text not null,
    currency      text not null check (currency ~ '^[A-Z]{3}$'),
    valid_from    date not null, -- in the workspace's zone
    valid_to      date check (valid_to >= valid_from), -- not included; null: no end yet
    rows          int not null,
    sha256        bytea not null,
    file          bytea not null, -- as it was uploaded, at most 1 MB
    uploaded_by   text not null,
    uploaded_at   timestamptz not null default bareed_now(),
    primary key (workspace_id, id)
);
select fence('rate_card');
grant select, insert, update (valid_to) on rate_card to bareed_app;
create index rate_card_days on rate_card (workspace_id, currency, valid_from);

create table rate (
    workspace_id  uuid not null,
    card_id       uuid not null,
    market        text not null, -- ISO 3166-1 alpha-2, or a region: rest_of_africa
    category      text not null,
    volume_from   bigint not null check (volume_from >= 1), -- messages of the month, counted from 1
    volume_to     bigint check (volume_to >= volume_from),  -- null: no end
    rate_micros   bigint not null check (rate_micros >= 0),
    primary key (workspace_id, card_id, market, category, volume_from),
    foreign key (workspace_id, card_id) references rate_card
);
select fence('rate');
grant select, insert on rate to bareed_app;

-- The eligible people of a check by country, counted chunk by chunk.
create table plan_check_country (
    workspace_id  uuid not null,
    check_id      uuid not null,
    country       text not null, -- empty: not known
    people        bigint not null,
    windows       bigint not null, -- of them: with a service window open at the check
    primary key (workspace_id, check_id, country),
    foreign key (workspace_id, check_id) references plan_check
);
select fence('plan_check_country');
grant select, insert, update on plan_check_country to bareed_app;

-- What a run was estimated to cost when it was launched, by country; fixed from
-- then on, to compare with what it did cost.
create table run_estimate (
    workspace_id  uuid not null,
    run_id        uuid not null,
    country       text not null,
    people        bigint not null,
    free          bigint not null, -- of them
    category      text not null,   -- whose price
    tiers         boolean not null,
    market        text not null,   -- as the card had it
    before        bigint not null, -- messages of the month ahead of these, for the tier
    card_id       uuid,            -- null: none applied
    currency      text not null,
    micros        bigint,          -- null: not known
    why           text not null,   -- not known
    day           date not null,   -- of sending
    made_at       timestamptz not null default bareed_now(),
    primary key (workspace_id, run_id, country),
    foreign key (workspace_id, run_id) references run
);
select fence('run_estimate');
grant select, insert on run_estimate to bareed_app;

-- How a run's messages came out, counted by what their price depends on. Written
-- anew from the ledger by the leader; kept when the messages are dropped.
create table run_charge (
    workspace_id  uuid not null,
    run_id        uuid not null,
    portfolio_id  uuid not null, -- the run's: volume tiers are counted over it
    outcome       text not null check (outcome in ('delivered', 'suppressed', 'failed', 'open')),
    day           date not null, -- of delivery in the workspace's zone; of the count for all others
    country       text not null,
    model         text not null, -- these four as Meta's first receipt told them
    type          text not null,
    category      text not null,
    billable      boolean not null,
    messages      bigint not null,
    primary key (workspace_id, run_id, outcome, day, country, model, type, category, billable),
    foreign key (workspace_id, run_id) references run
);
select fence('run_charge');
grant select, insert, delete on run_charge to bareed_app;
create index run_charge_month on run_charge (workspace_id, portfolio_id, day) where outcome = 'delivered';

-- Late receipts are looked for among the runs of the last days.
create index run_settled on run (settled_at) where settled_at is not null;

-- When a run was last counted into run_charge.
create table run_count (
    workspace_id  uuid not null,
    run_id        uuid not null,
    counted_at    timestamptz not null default bareed_now(),
    messages      bigint not null,
    primary key (workspace_id, run_id),
    foreign key (workspace_id, run_id) references run
);
select fence('run_count');
select discoverable('run_count', 'workspace_id, run_id, counted_at, messages');
grant select, insert, update on run_count to bareed_app;

-- What Meta knows: apps, portfolios, WABAs, numbers, templates; and the places
-- under a portfolio's messaging limit.

-- +goose Up

-- A Meta app. It signs webhooks with its secret; during a rotation the old one
-- is accepted too. Belongs to an organisation, because its workspaces share it.
create table meta_app (
    id               uuid primary key,
    organisation_id  uuid not null references organisation,
    meta_app_id      text not null unique,
    secret           bytea not null, -- sealed by the master key
    old_secret       bytea,          -- sealed; accepted until the rotation ends
    verify_token     bytea not null, -- sealed
    created_at       timestamptz not null default bareed_now()
);
alter table meta_app enable row level security;
alter table meta_app force row level security;
create policy own_organisation on meta_app to bareed_app
    using (organisation_id = (select w.organisation_id from workspace w where w.workspace_id = (select app_workspace())))
    with check (organisation_id = (select w.organisation_id from workspace w where w.workspace_id = (select app_workspace())));
create policy owner_all on meta_app to bareed_owner using (true) with check (true);
create policy discovery on meta_app for select to bareed_engine using (true);
grant select, insert, update on meta_app to bareed_app;
grant select on meta_app to bareed_engine;

-- A business portfolio: Meta's messaging limit is its, over all its numbers and
-- so over every workspace that owns one. Null limit: unlimited.
create table portfolio (
    id                uuid primary key,
    meta_business_id  text not null unique,
    messaging_limit   int check (messaging_limit >= 0),
    limit_known       boolean not null default false, -- false: nothing is sent outside service windows
    reserve           real not null default 0.1 check (reserve >= 0 and reserve <= 0.9), -- kept free for other tools
    places            bigint not null default 0, -- rows in place; kept in their transactions
    recount           boolean not null default false, -- it was unlimited and has a limit now: nobody new until its people are counted
    updated_at        timestamptz not null default bareed_now()
);
grant select, insert, update on portfolio to bareed_engine;

-- A place under the limit: one person. Reserved by the feeder, checked by the
-- claim, counted from the first delivered (Meta counts those), freed by a
-- definite failure or when its time is over. The engine's alone. While a message
-- is on its way on it, it lasts 25 hours from the last reservation: the claim may
-- come an hour later, and Meta counts for 24 from the arrival, of which we may
-- never hear. Once counted, it lasts 24 hours from there.
create table place (
    portfolio_id    uuid not null references portfolio,
    recipient_hash  bytea not null,
    run_id          uuid not null, -- of the message on its way on it, or of the last
    ordinal         int,  -- of the one message on its way; 0: several; null: none
    share           text, -- the portfolio's share it was taken from; null: from what is open to all
    taken_at        timestamptz not null default bareed_now(), -- first
    reserved_at     timestamptz not null default bareed_now(), -- last
    counted_at      timestamptz,
    freed_at        timestamptz, -- refused before anything arrived
    over_at         timestamptz not null default bareed_now() + interval '25 hours', -- counts no longer; the sweep takes it away
    primary key (portfolio_id, recipient_hash)
);
grant select, insert, update, delete on place to bareed_engine;
-- By time alone: an index that began with the portfolio would look cheap, to a
-- planner without statistics, for finding one person among a hundred thousand.
create index place_over on place (over_at);

create table waba (
    workspace_id   uuid not null references workspace (workspace_id),
    id             uuid not null,
    meta_waba_id   text not null,
    portfolio_id   uuid not null references portfolio,
    app_id         uuid not null references meta_app,
    name           text not null default '',
    token          bytea not null, -- sealed with the workspace's key
    token_hint     text not null,
    token_set_at   timestamptz not null default bareed_now(),
    review_status  text not null default '',
    currency       text not null default '', -- ISO 4217, in which Meta charges; empty: not told
    synced_at      timestamptz, -- the last poll that worked
    polled_at      timestamptz, -- the last poll, also one that failed
    sync_problem   text not null default '', -- code of the last failed poll
    created_at     timestamptz not null default bareed_now(),
    primary key (workspace_id, id),
    unique (workspace_id, meta_waba_id)
);
select fence('waba');
select discoverable('waba', 'workspace_id, id, meta_waba_id, portfolio_id, app_id, synced_at, polled_at');
grant select, insert, update on waba to bareed_app;
create index waba_meta on waba (meta_waba_id);
create index waba_portfolio on waba (portfolio_id);

create table number (
    workspace_id     uuid not null references workspace (workspace_id),
    id               uuid not null,
    waba_id          uuid not null,
    portfolio_id     uuid not null references portfolio,
    app_id           uuid not null references meta_app,
    phone_number_id  text not null, -- Meta's
    display_phone    text not null,
    verified_name    text not null default '',
    quality          text not null default 'UNKNOWN',
    status           text not null default 'UNKNOWN', -- only CONNECTED may send
    per_second       int not null default 80 check (per_second > 0), -- Meta's throughput
    is_on_biz_app    boolean not null default false,  -- coexistence: 20 per second
    health           jsonb not null default '{}',
    health_at        timestamptz, -- when Meta last said so
    echo_seen_at     timestamptz, -- when Meta first returned our callback data
    synced_at        timestamptz,
    created_at       timestamptz not null default bareed_now(),
    disconnected_at  timestamptz,
    primary key (workspace_id, id),
    foreign key (workspace_id, waba_id) references waba
);
create unique index number_phone_number_id on number (phone_number_id) where disconnected_at is null;
create index number_meta on number (phone_number_id, disconnected_at desc);
create index number_waba on number (workspace_id, waba_id);
select fence('number');
select discoverable('number', 'workspace_id, id, waba_id, portfolio_id, app_id, phone_number_id, quality, status, per_second, is_on_biz_app, disconnected_at');
grant select, insert, update on number to bareed_app;

-- Every change of a number or template that Meta told us, kept.
create table meta_change (
    workspace_id  uuid not null references workspace (workspace_id),
    id            uuid not null,
    subject       text not null, -- num_…, tpl_…, waba_…
    what          text not null, -- quality, status, messaging_limit, throughput, category …
    was           text not null,
    became        text not null,
    source        text not null, -- poll, webhook, answer
    at            timestamptz not null default bareed_now(),
    until         timestamptz, -- a restriction's end; when an announced category comes
    told_at       timestamptz, -- Meta's own time of a webhook: the same news told again is no change
    primary key (workspace_id, id)
);
select fence('meta_change');
grant select, insert on meta_change to bareed_app;
create index meta_change_subject on meta_change (workspace_id, subject, id desc);

create table template (
    workspace_id       uuid not null,
    id                 uuid not null,
    waba_id            uuid not null,
    meta_template_id   text not null,
    name               text not null,
    language           text not null,
    category           text not null,
    status             text not null,
    quality            text not null default 'UNKNOWN',
    parameter_format   text not null default 'POSITIONAL',
    components         jsonb not null,
    components_hash    bytea not null, -- empty: Meta changed the content and it is not read yet
    next_category      text not null default '', -- announced by Meta
    next_category_at   timestamptz,
    health             jsonb not null default '{}', -- Meta's answer to "can this be sent"
    health_at          timestamptz,
    synced_at          timestamptz not null default bareed_now(),
    gone_at            timestamptz, -- no longer listed by Meta
    primary key (workspace_id, id),
    unique (workspace_id, waba_id, name, language),
    foreign key (workspace_id, waba_id) references waba
);
select fence('template');
grant select, insert, update on template to bareed_app;
create index template_meta on template (workspace_id, meta_template_id);

-- One's own portfolio's figures, for pages and checks.
-- +goose StatementBegin
create function portfolio_figures(portfolio uuid)
    returns table (meta_business_id text, messaging_limit int, limit_known boolean, reserve real, places bigint)
    language sql stable security definer set search_path = public, pg_temp
    begin atomic
        select p.meta_business_id, p.messaging_limit, p.limit_known, p.reserve, p.places
        from portfolio p
        where p.id = portfolio
          and exists (select from number n where n.portfolio_id = p.id and n.workspace_id = app_workspace());
    end;
-- +goose StatementEnd
revoke all on function portfolio_figures(uuid) from public;
grant execute on function portfolio_figures(uuid) to bareed_app, bareed_engine;

-- The portfolio of one of Meta's businesses, made when it is new. Connecting a
-- number needs it in the transaction that keeps the number.
-- +goose StatementBegin
create function portfolio_ensure(fresh uuid, business text) returns uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    found uuid;
begin
    select p.id into found from portfolio p where p.meta_business_id = business;
    if found is null then
        insert into portfolio (id, meta_business_id) values (fresh, business) on conflict (meta_business_id) do nothing;
        select p.id into found from portfolio p where p.meta_business_id = business;
    end if;
    return found;
end $$;
-- +goose StatementEnd

-- Meta told one of the portfolio's workspaces its messaging limit (null:
-- unlimited). Returns what it was: a figure, 'unlimited' or 'unknown'; null when
-- the workspace has no part in the portfolio. With only_unknown a known limit stays.
-- +goose StatementBegin
create function portfolio_learn(portfolio uuid, new_limit int, only_unknown boolean) returns text
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    was text;
    known boolean;
begin
    select case when not p.limit_known then 'unknown' else coalesce(p.messaging_limit::text, 'unlimited') end, p.limit_known
    into was, known
    from portfolio p
    where p.id = portfolio
      and exists (select from waba w where w.portfolio_id = p.id and w.workspace_id = app_workspace())
    for update;
    if was is null or (known and only_unknown) then
        return null;
    end if;
    if not known or was <> coalesce(new_limit::text, 'unlimited') then
        -- Without a limit nobody was counted: the leader does it before anybody new is sent to.
        update portfolio p
        set messaging_limit = new_limit, limit_known = true, updated_at = bareed_now(),
            recount = new_limit is not null and (p.recount or known and p.messaging_limit is null)
        where p.id = portfolio;
    end if;
    return was;
end $$;
-- +goose StatementEnd
revoke all on function portfolio_ensure(uuid, text), portfolio_learn(uuid, int, boolean) from public;
grant execute on function portfolio_ensure(uuid, text), portfolio_learn(uuid, int, boolean) to bareed_app;

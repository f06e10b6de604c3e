-- The ledger of places under a portfolio's messaging limit: who may go, what was
-- freed and counted, the shares kept for some, and who used which hour.

-- +goose Up

-- A part of a portfolio's places that only those who name it may take: campaigns
-- (campaign.share), and every run of the kinds listed.
create table portfolio_share (
    portfolio_id  uuid not null references portfolio,
    name          text not null check (name ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
    size          int not null check (size > 0),
    kinds         text[] not null default '{}' check (kinds <@ array['test', 'api', 'reply']),
    used          bigint not null default 0, -- rows in place; kept in their transactions
    updated_at    timestamptz not null default bareed_now(),
    primary key (portfolio_id, name)
);
grant select, insert, update, delete on portfolio_share to bareed_engine;

-- How many places a run took in a quarter of an hour: quarters, because zones
-- begin their days on them. The day's calendar is a sum of these.
create table place_use (
    portfolio_id  uuid not null references portfolio,
    at            timestamptz not null, -- the quarter's beginning
    run_id        uuid not null,
    workspace_id  uuid not null,
    places        int not null, -- taken, less those freed since
    primary key (portfolio_id, at, run_id)
);
select fence('place_use');
create policy engine_all on place_use to bareed_engine using (true) with check (true); -- written with the places, by the leader
grant select, insert, update, delete on place_use to bareed_engine;
create index place_use_at on place_use (at);

-- May this message go to this person under the portfolio's limit? True when
-- there is no limit, or when the feeder reserved a place for it within the hour
-- that is still held for it: alone, or with others. A place that another message
-- alone is on its way on is not good: that one's failure would free it. While
-- more places are taken than Meta allows (the limit was lowered), only people
-- whom Meta counts already go on. In PL/pgSQL because it keeps its plan.
-- +goose StatementBegin
create function place_valid(portfolio uuid, recipient bytea, run uuid, message int) returns boolean
    language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return exists (
        select from portfolio p
        where p.id = portfolio
          and p.limit_known
          and (p.messaging_limit is null
            or not p.recount
            and exists (
                select from place l
                where l.portfolio_id = p.id
                  and l.recipient_hash = recipient
                  and l.freed_at is null
                  and l.over_at > bareed_now()
                  and l.reserved_at > bareed_now() - interval '1 hour'
                  and (l.ordinal = 0 or l.ordinal = message and l.run_id = run)
                  and (p.places <= p.messaging_limit or l.counted_at > bareed_now() - interval '24 hours'))));
end $$;
-- +goose StatementEnd

-- Messages of a run that will not be counted by Meta: refused for good, never
-- sent, or arrived inside a service window. Each one's place is free again,
-- unless another message is on its way on it; a person whom Meta counts stays
-- until Meta forgets them. Locked in order of the person, here and below.
-- +goose StatementBegin
create function place_free(run uuid, ordinals int[], recipients bytea[], portfolio uuid) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    m record;
begin
    for m in select x.ordinal, x.recipient from unnest(ordinals, recipients) as x(ordinal, recipient) order by x.recipient loop
        update place l
        set ordinal = null,
            freed_at = case when l.counted_at is null then bareed_now() end,
            over_at = coalesce(l.counted_at + interval '24 hours', bareed_now())
        where l.portfolio_id = portfolio
          and l.recipient_hash = m.recipient
          and l.run_id = run
          and l.ordinal = m.ordinal;
    end loop;
end $$;
-- +goose StatementEnd

-- What became of messages that were sent: delivered, so that Meta counts their
-- people from now, or not to be counted (see place_free). A person who is
-- delivered to after their place ran out, because the phone was off, gets one
-- anew, even above the limit: the next people wait the longer. The portfolio is
-- locked before any place, as by the leader; one without a limit keeps no places.
-- +goose StatementBegin
create function place_settle(runs uuid[], ordinals int[], recipients bytea[], delivered bool[], portfolio uuid) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    missing boolean;
    m record;
    added int;
begin
    if exists (select from portfolio p where p.id = portfolio and p.messaging_limit is null) then
        return;
    end if;
    -- One that is about to be swept is as good as gone.
    missing := exists (
        select from unnest(recipients, delivered) as x(recipient, delivered)
        where x.delivered
          and (select l.over_at > bareed_now() + interval '1 minute'
            from place l
            where l.portfolio_id = portfolio
              and l.recipient_hash = x.recipient) is not true);
    if missing then
        perform from portfolio p where p.id = portfolio for update;
    end if;
    -- One by one, in order: each is found by its key whatever the statistics say.
    for m in
        select x.run, x.ordinal, x.recipient, x.delivered
        from unnest(runs, ordinals, recipients, delivered) as x(run, ordinal, recipient, delivered)
        order by x.recipient, x.delivered, x.run
    loop
        if not m.delivered then
            perform place_free(m.run, array[m.ordinal], array[m.recipient], portfolio);
            continue;
        end if;
        update place l
        set counted_at = bareed_now(),
            freed_at = null,
            ordinal = case when l.run_id = m.run and l.ordinal = m.ordinal then null else l.ordinal end,
            over_at = case
                when l.ordinal is null or l.run_id = m.run and l.ordinal = m.ordinal then bareed_now() + interval '24 hours'
                else greatest(l.over_at, bareed_now() + interval '24 hours')
            end
        where l.portfolio_id = portfolio
          and l.recipient_hash = m.recipient;
        if not found and missing then
            insert into place (portfolio_id, recipient_hash, run_id, ordinal, counted_at, over_at)
            values (portfolio, m.recipient, m.run, null, bareed_now(), bareed_now() + interval '24 hours')
            on conflict do nothing;
            get diagnostics added = row_count;
            update portfolio p set places = p.places + added where p.id = portfolio;
            insert into place_use (portfolio_id, at, run_id, workspace_id, places)
            values (portfolio, date_bin('15 minutes', bareed_now(), 'epoch'), m.run, app_workspace(), added)
            on conflict (portfolio_id, at, run_id) do update set places = place_use.places + excluded.places;
        end if;
    end loop;
end $$;
-- +goose StatementEnd
-- Takes away what is over of a portfolio, at most so many, and tells what each
-- was. Found by time and removed one by one by key: what it costs is what is over
-- and not what there is, whatever the statistics say. Rows that somebody holds
-- at this moment are left to the next sweep. The caller holds the portfolio.
-- +goose StatementBegin
create function place_sweep(portfolio uuid, most int) returns table (share text, freed boolean, run_id uuid, quarter timestamptz)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    m record;
begin
    for m in
        select due.recipient
        from (
            select l.portfolio_id as folio, l.recipient_hash as recipient
            from place l
            where l.over_at <= bareed_now()
            order by l.over_at
            limit most) due
        where due.folio = portfolio
    loop
        perform from place l
        where l.portfolio_id = portfolio
          and l.recipient_hash = m.recipient
          and l.over_at <= bareed_now()
        for update skip locked;
        if found then
            return query
                delete from place l
                where l.portfolio_id = portfolio
                  and l.recipient_hash = m.recipient
                returning coalesce(l.share, ''), l.freed_at is not null, l.run_id, date_bin('15 minutes', l.taken_at, 'epoch');
        end if;
    end loop;
end $$;
-- +goose StatementEnd
revoke all on function place_sweep(uuid, int) from public;
grant execute on function place_sweep(uuid, int) to bareed_engine;
revoke all on function place_valid(uuid, bytea, uuid, int), place_free(uuid, int[], bytea[], uuid),
    place_settle(uuid[], int[], bytea[], bool[], uuid) from public;
grant execute on function place_valid(uuid, bytea, uuid, int), place_free(uuid, int[], bytea[], uuid),
    place_settle(uuid[], int[], bytea[], bool[], uuid) to bareed_app, bareed_engine;

-- Is the transaction's workspace the one that keeps the portfolio's settings? A
-- portfolio may be shared: the workspace that connected it first keeps them.
-- +goose StatementBegin
create function portfolio_kept(portfolio uuid) returns boolean
    language sql stable security definer set search_path = public, pg_temp
    begin atomic
        select coalesce((
            select w.workspace_id = app_workspace()
            from waba w
            where w.portfolio_id = portfolio
              and exists (select from number n where n.workspace_id = w.workspace_id and n.waba_id = w.id and n.disconnected_at is null)
            order by w.created_at, w.workspace_id
            limit 1), false);
    end;
-- +goose StatementEnd

-- The shares of a portfolio in which the transaction's workspace has a number.
-- +goose StatementBegin
create function portfolio_shares(portfolio uuid) returns table (name text, size int, used bigint, kinds text[])
    language sql stable security definer set search_path = public, pg_temp
    begin atomic
        select s.name, s.size, s.used, s.kinds
        from portfolio_share s
        where s.portfolio_id = portfolio
          and exists (select from number n where n.portfolio_id = s.portfolio_id and n.workspace_id = app_workspace())
        order by s.name;
    end;
-- +goose StatementEnd

-- Sets the part of the limit that is kept free; returns what it was, null when
-- the settings are not the workspace's to keep.
-- +goose StatementBegin
create function portfolio_set_reserve(portfolio uuid, new_reserve real) returns real
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    was real;
begin
    select p.reserve into was from portfolio p where p.id = portfolio and portfolio_kept(p.id) for update;
    if was is not null and was <> new_reserve then
        update portfolio p set reserve = new_reserve, updated_at = bareed_now() where p.id = portfolio;
    end if;
    return was;
end $$;
-- +goose StatementEnd

-- Sets a share's size and kinds; a size of 0 takes it away, and places taken from
-- it then count as open to all. Returns what it was before (0: none), null when
-- the settings are not the workspace's to keep.
-- +goose StatementBegin
create function portfolio_set_share(portfolio uuid, share_name text, new_size int, new_kinds text[]) returns int
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    was int;
begin
    perform from portfolio p where p.id = portfolio and portfolio_kept(p.id) for update;
    if not found then
        return null;
    end if;
    select s.size into was from portfolio_share s where s.portfolio_id = portfolio and s.name = share_name;
    if new_size > 0 then
        insert into portfolio_share (portfolio_id, name, size, kinds)
        values (portfolio, share_name, new_size, new_kinds)
        on conflict (portfolio_id, name) do update
        set size = excluded.size, kinds = excluded.kinds, updated_at = bareed_now();
    else
        update place l set share = null where l.portfolio_id = portfolio and l.share = share_name;
        delete from portfolio_share s where s.portfolio_id = portfolio and s.name = share_name;
    end if;
    return coalesce(was, 0);
end $$;
-- +goose StatementEnd
revoke all on function portfolio_kept(uuid), portfolio_shares(uuid), portfolio_set_reserve(uuid, real), portfolio_set_share(uuid, text, int, text[]) from public;
grant execute on function portfolio_kept(uuid), portfolio_shares(uuid), portfolio_set_reserve(uuid, real), portfolio_set_share(uuid, text, int, text[]) to bareed_app;

-- A portfolio had no limit, so nobody was counted, and has one now: everybody is
-- counted whom the ledger of messages shows to have got one in the last 24 hours,
-- or to be about to. Once in a portfolio's life, if ever; until it is done nobody
-- new is sent to. Also people in a service window: which ones, nobody noted.
-- +goose StatementBegin
create function portfolio_recount(portfolio uuid) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform from portfolio p where p.id = portfolio and p.recount for update;
    if not found then
        return;
    end if;
    insert into place (portfolio_id, recipient_hash, run_id, ordinal, taken_at, reserved_at, counted_at, over_at)
    select portfolio, x.recipient_hash, (array_agg(x.run_id))[1], case when bool_or(x.on_way) then 0 end,
        min(coalesce(x.counted_at, x.claimed_at)), max(x.claimed_at), max(x.counted_at), max(x.over_at)
    from (
        select m.recipient_hash, m.run_id, m.claimed_at, t.counted_at, t.counted_at is null as on_way,
            coalesce(t.counted_at + interval '24 hours', m.claimed_at + interval '25 hours') as over_at
        from run r
        join message m on m.run_id = r.id and m.workspace_id = r.workspace_id
        cross join lateral (select coalesce(m.delivered_at, m.read_at, m.played_at) as counted_at) t
        where r.portfolio_id = portfolio
          and (r.ended_at is null or r.ended_at > bareed_now() - interval '3 days')
          and m.claimed_at is not null
          and (t.counted_at is not null or m.state in ('sending', 'accepted', 'held', 'sent', 'unknown', 'unconfirmed'))) x
    where x.over_at > bareed_now()
    group by x.recipient_hash
    order by x.recipient_hash
    on conflict (portfolio_id, recipient_hash) do update
    set counted_at = greatest(place.counted_at, excluded.counted_at), ordinal = coalesce(excluded.ordinal, place.ordinal),
        freed_at = null, over_at = greatest(place.over_at, excluded.over_at);
    update portfolio p
    set places = (select count(*) from place l where l.portfolio_id = portfolio), recount = false, updated_at = bareed_now()
    where p.id = portfolio;
end $$;
-- +goose StatementEnd
revoke all on function portfolio_recount(uuid) from public;
grant execute on function portfolio_recount(uuid) to bareed_engine;

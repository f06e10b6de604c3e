-- What a prediction needs of a portfolio that several workspaces share: counts
-- and times, nobody's ids. And what a check notes of its people for it.

-- +goose Up

alter table plan_check add column placeless bigint not null default 0; -- eligible and in a service window or holding a place when they were looked at
alter table plan_check add column fresh bigint not null default 0;     -- eligible with a consent of the last 90 days

-- When the places that are taken now come back, in steps of five minutes: the
-- end of the step, so that none is promised early. As many rows are read as
-- places are taken, which the limit bounds.
-- +goose StatementBegin
create function portfolio_frees(portfolio uuid) returns table (frees_at timestamptz, people bigint)
    language sql stable security definer set search_path = public, pg_temp
    begin atomic
        select date_bin('5 minutes', l.over_at, 'epoch') + interval '5 minutes', count(*)
        from place l
        where l.portfolio_id = portfolio
          and l.freed_at is null
          and exists (select from number n where n.portfolio_id = portfolio and n.workspace_id = app_workspace())
        group by 1
        order by 1;
    end;
-- +goose StatementEnd

-- Other campaigns that will take places of the portfolio: running, or scheduled;
-- those that a stop holds take none. A run counts what it still has to send, or
-- what its check expected while it is not planned.
-- +goose StatementBegin
create function portfolio_claims(portfolio uuid, number uuid, but_campaign uuid)
    returns table (starts_at timestamptz, people bigint, per_minute int, per_second int, on_biz_app boolean, same_number boolean)
    language sql stable security definer set search_path = public, pg_temp
    begin atomic
        select r.starts_at,
            case when r.plan_done then coalesce(s.ready + s.sending, r.planned)
                else greatest(coalesce(r.expected, 0), coalesce(s.ready + s.sending, 0)) end,
            r.per_minute, n.per_second, n.is_on_biz_app, n.id = number
        from run r
        join number n on n.workspace_id = r.workspace_id and n.id = r.number_id
        left join run_snapshot s on s.workspace_id = r.workspace_id and s.run_id = r.id
        where r.portfolio_id = portfolio
          and r.state in ('planning', 'running')
          and r.kind = 'campaign'
          and r.campaign_id is distinct from but_campaign
          and not stopped(r.workspace_id, array[r.workspace_id, r.portfolio_id, r.waba_id, r.number_id,
              r.template_id, r.campaign_id, r.id])
          and exists (select from number own where own.portfolio_id = portfolio and own.workspace_id = app_workspace())
        order by r.starts_at, r.id
        limit 200;
    end;
-- +goose StatementEnd

-- Is the quality what Meta asks for a higher limit: no number of the portfolio
-- rated lower than high. One that is not rated yet does no harm.
-- +goose StatementBegin
create function portfolio_good(portfolio uuid) returns boolean
    language sql stable security definer set search_path = public, pg_temp
    begin atomic
        select not exists (
            select from number n
            where n.portfolio_id = portfolio
              and n.disconnected_at is null
              and n.quality in ('YELLOW', 'RED'));
    end;
-- +goose StatementEnd

-- How many of these people need no new place: a live one is theirs, as for the
-- claim, or their service window with the number is open.
-- +goose StatementBegin
create function places_held(portfolio uuid, number uuid, recipients bytea[]) returns bigint
    language sql stable security definer set search_path = public, pg_temp
    begin atomic
        select count(*)
        from unnest(recipients) as r(hash)
        where exists (
            select from place l
            where l.portfolio_id = portfolio
              and l.recipient_hash = r.hash
              and l.freed_at is null
              and l.over_at > bareed_now() + interval '1 hour')
           or exists (
            select from service_window w
            where w.workspace_id = app_workspace()
              and w.number_id = number
              and w.recipient_hash = r.hash
              and w.open_until > bareed_now() + interval '1 minute');
    end;
-- +goose StatementEnd
revoke all on function portfolio_frees(uuid), portfolio_claims(uuid, uuid, uuid), portfolio_good(uuid), places_held(uuid, uuid, bytea[]) from public;
grant execute on function portfolio_frees(uuid), portfolio_claims(uuid, uuid, uuid), portfolio_good(uuid), places_held(uuid, uuid, bytea[]) to bareed_app;

-- The policy of sending: who last changed each rule, what a run began with, what
-- is worth a warning, and templates whose messages Meta dropped.

-- +goose Up

-- The last change of each rule, of a workspace (subject_id is its own id) or of a
-- campaign. All changes are in the audit.
create table breaker_change (
    workspace_id  uuid not null references workspace (workspace_id),
    subject_id    uuid not null,
    name          text not null, -- of the setting
    was           jsonb, -- null: nothing was set
    became        jsonb, -- null: nothing is set
    changed_by    text not null,
    changed_at    timestamptz not null default bareed_now(),
    primary key (workspace_id, subject_id, name)
);
select fence('breaker_change');
grant select, insert, update on breaker_change to bareed_app;

-- What held in the workspace when a run began, and what became stricter since:
-- what becomes looser holds for runs that begin later.
create table run_policy (
    workspace_id  uuid not null,
    run_id        uuid not null,
    policy        jsonb not null,
    primary key (workspace_id, run_id),
    foreign key (workspace_id, run_id) references run
);
select fence('run_policy');
grant select, insert, update on run_policy to bareed_app;

-- How a run was read in its first hour; what later runs of the number are compared
-- with. Written when the run begins, measured once.
create table run_hour (
    workspace_id  uuid not null,
    run_id        uuid not null,
    number_id     uuid not null,
    due_at        timestamptz not null,
    measured_at   timestamptz, -- null: not yet
    delivered     bigint,
    read          bigint,
    primary key (workspace_id, run_id),
    foreign key (workspace_id, run_id) references run
);
select fence('run_hour');
select discoverable('run_hour', 'workspace_id, run_id, due_at, measured_at');
grant select, insert, update on run_hour to bareed_app;
create index run_hour_due on run_hour (due_at) where measured_at is null;
create index run_hour_number on run_hour (workspace_id, number_id, due_at desc) where measured_at is not null;

-- What is worth a look and holds nothing; once for a run and a reason.
create table run_warning (
    workspace_id  uuid not null,
    run_id        uuid not null,
    campaign_id   uuid not null,
    reason        text not null, -- reads_low, list_poor
    threshold     text not null,
    measured      text not null,
    at            timestamptz not null default bareed_now(),
    primary key (workspace_id, run_id, reason),
    foreign key (workspace_id, run_id) references run
);
select fence('run_warning');
grant select, insert on run_warning to bareed_app;
create index run_warning_at on run_warning (workspace_id, at desc);

-- Templates of which Meta dropped messages it had accepted (132015), each with the
-- last time: several of one portfolio are Meta's word about the portfolio.
create table template_drop (
    workspace_id      uuid not null,
    template_id       uuid not null,
    portfolio_id      uuid not null references portfolio,
    meta_template_id  text not null,
    dropped_at        timestamptz not null default bareed_now(),
    primary key (workspace_id, template_id),
    foreign key (workspace_id, template_id) references template
);
select fence('template_drop');
select discoverable('template_drop', 'workspace_id, portfolio_id, meta_template_id, dropped_at');
grant select, insert, update on template_drop to bareed_app;
create index template_drop_portfolio on template_drop (portfolio_id, dropped_at);
create index template_drop_at on template_drop (dropped_at);

-- How many templates of a portfolio Meta dropped messages of since then, in all
-- workspaces that share it.
-- +goose StatementBegin
create function portfolio_drops(portfolio uuid, since timestamptz) returns bigint
    language sql stable security definer set search_path = public, pg_temp
    begin atomic
        select count(distinct d.meta_template_id)
        from template_drop d
        where d.portfolio_id = portfolio
          and d.dropped_at > since
          and exists (select from number own where own.portfolio_id = portfolio and own.workspace_id = app_workspace());
    end;
-- +goose StatementEnd
revoke all on function portfolio_drops(uuid, timestamptz) from public;
grant execute on function portfolio_drops(uuid, timestamptz) to bareed_app;

-- How the campaign would go in waves if it were launched now, for its forecast:
-- who may be sent to by the end of each, and the minutes that each is watched.
alter table plan_check add column waves bigint[] not null default '{}';
alter table plan_check add column wave_wait int not null default 0;

-- A forecast knows who goes first, and from which share: what 0012 has of a
-- portfolio's campaigns and places, with that.
drop function portfolio_claims(uuid, uuid, uuid);
-- +goose StatementBegin
create function portfolio_claims(portfolio uuid, number uuid, but_campaign uuid)
    returns table (starts_at timestamptz, people bigint, per_minute int, per_second int, on_biz_app boolean, same_number boolean,
        priority text, share text)
    language sql stable security definer set search_path = public, pg_temp
    begin atomic
        select r.starts_at,
            case when r.plan_done then coalesce(s.ready + s.sending, r.planned)
                else greatest(coalesce(r.expected, 0), coalesce(s.ready + s.sending, 0)) end,
            r.per_minute, n.per_second, n.is_on_biz_app, n.id = number,
            coalesce(c.priority, 'normal'), coalesce(c.share, '')
        from run r
        join number n on n.workspace_id = r.workspace_id and n.id = r.number_id
        left join campaign c on c.workspace_id = r.workspace_id and c.id = r.campaign_id
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
drop function portfolio_frees(uuid);
-- +goose StatementBegin
create function portfolio_frees(portfolio uuid) returns table (frees_at timestamptz, people bigint, share text)
    language sql stable security definer set search_path = public, pg_temp
    begin atomic
        select date_bin('5 minutes', l.over_at, 'epoch') + interval '5 minutes', count(*), coalesce(l.share, '')
        from place l
        where l.portfolio_id = portfolio
          and l.freed_at is null
          and exists (select from number n where n.portfolio_id = portfolio and n.workspace_id = app_workspace())
        group by 1, 3
        order by 1, 3;
    end;
-- +goose StatementEnd
revoke all on function portfolio_claims(uuid, uuid, uuid), portfolio_frees(uuid) from public;
grant execute on function portfolio_claims(uuid, uuid, uuid), portfolio_frees(uuid) to bareed_app;

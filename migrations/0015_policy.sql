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

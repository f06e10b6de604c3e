-- How much of Meta's budget of management calls is used.

-- +goose Up

-- Calls that read accounts, numbers and templates, per app and WABA, as Meta
-- counts them: 5,000 an hour with a registered number, 200 without. Of Meta's
-- accounts, not of a workspace: one can be in several workspaces. The row with
-- an empty WABA is the app's own. The engine's alone.
create table meta_usage (
    app_id        uuid not null references meta_app,
    meta_waba_id  text not null,
    hour          timestamptz not null, -- the hour that calls belong to
    calls         int not null default 0, -- in that hour
    before        int not null default 0, -- in the hour before it
    budget        int not null,           -- calls in an hour that Meta permits
    percent       int not null default 0, -- of the budget used, by Meta's own header
    percent_at    timestamptz,
    refusals      int not null default 0, -- in a row: Meta said "too many"
    refused_code  int,
    refused_at    timestamptz,
    pause_until   timestamptz,            -- nothing is asked before
    primary key (app_id, meta_waba_id)
);
grant select, insert, update on meta_usage to bareed_engine;
create index meta_usage_calls on meta_usage (hour desc, calls desc);

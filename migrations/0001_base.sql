-- The ground everything stands on: the clock, the workspace of a transaction,
-- and the partitions of the tables that grow without end.

-- +goose Up

-- Every process looks whether the schema is the one it needs.
grant select on goose_db_version to bareed_app, bareed_engine;

-- Every rule in SQL reads the time through bareed_now(). It is one expression
-- and reads no table, because then PostgreSQL writes it into the statement; one
-- that looks its offset up is called, a dozen times a claim and anew for each
-- plan, and costs the claim half its time.
-- +goose StatementBegin
create function bareed_now() returns timestamptz
    language sql stable parallel safe
    return statement_timestamp();
-- +goose StatementEnd

-- One row that only the owner can change: tests move time with it, production
-- never does. A change writes the offset into bareed_now(), which every
-- session sees with its next statement.
create table clock_offset (
    one     boolean primary key default true check (one),
    shift   interval not null default '0'
);
insert into clock_offset default values;
grant select on clock_offset to bareed_app, bareed_engine, bareed_backup;

-- +goose StatementBegin
create function move_clock() returns trigger language plpgsql as $$
begin
    execute format('create or replace function public.bareed_now() returns timestamptz
        language sql stable parallel safe
        return statement_timestamp() + %L::interval', new.shift);
    return null;
end $$;
-- +goose StatementEnd
create trigger clock_moved after update on clock_offset for each row execute function move_clock();

-- The workspace the application set for this transaction. Unset, it raises:
-- a query that forgot its workspace fails instead of finding nothing.
-- +goose StatementBegin
create function app_workspace() returns uuid
    language sql stable parallel safe
    return current_setting('app.workspace')::uuid;
-- +goose StatementEnd

-- The user a sign-in transaction acts for, or null.
-- +goose StatementBegin
create function app_user() returns uuid
    language sql stable parallel safe
    return nullif(current_setting('app.user', true), '')::uuid;
-- +goose StatementEnd

-- The smallest UUIDv7 of a millisecond: the border between two partitions.
-- +goose StatementBegin
create function uuid_at(at timestamptz) returns uuid
    language sql immutable parallel safe
    return (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid;
-- +goose StatementEnd

-- Fences a table with its workspace: row-level security, forced on the owner
-- too, with one policy for the application's role. Called once per table.
-- +goose StatementBegin
create function fence(tab regclass) returns void language plpgsql as $$
begin
    execute format('alter table %s enable row level security', tab);
    execute format('alter table %s force row level security', tab);
    execute format('create policy own_workspace on %s to bareed_app
        using (workspace_id = (select app_workspace()))
        with check (workspace_id = (select app_workspace()))', tab);
    execute format('create policy owner_all on %s to bareed_owner using (true) with check (true)', tab);
end $$;
-- +goose StatementEnd

-- Lets the engine's role find rows of every workspace in a table, by the
-- columns named; it can never write there.
-- +goose StatementBegin
create function discoverable(tab regclass, cols text) returns void language plpgsql as $$
begin
    execute format('create policy discovery on %s for select to bareed_engine using (true)', tab);
    execute format('grant select (%s) on %s to bareed_engine', cols, tab);
end $$;
-- +goose StatementEnd

-- The tables that are split by time, and how: by the time inside their UUIDv7
-- or by a timestamp, in steps of so many days.
create table partitioned (
    name    text primary key,
    by_uuid boolean not null,
    days    int not null check (days > 0)
);

-- Makes the partitions that the coming days need. The scheduler calls it daily
-- and the migration once; a missing partition refuses inserts, it loses nothing.
-- +goose StatementBegin
create function ensure_partitions(ahead interval default '8 days') returns int
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    t partitioned;
    first timestamptz;
    step interval;
    at timestamptz;
    child text;
    made int := 0;
    border text := '%L';
begin
    perform pg_advisory_xact_lock(hashtext('bareed.partitions'));
    for t in select name, by_uuid, days from partitioned order by name loop
        step := make_interval(days => t.days);
        first := 'epoch'::timestamptz + floor(extract(epoch from bareed_now() - step) / extract(epoch from step)) * step;
        at := first;
        while at < bareed_now() + ahead loop
            child := t.name || '_' || to_char(at at time zone 'UTC', 'YYYYMMDD');
            if to_regclass(child) is null then
                execute format('create table %I partition of %I for values from (%L) to (%L)',
                    child, t.name,
                    case when t.by_uuid then uuid_at(at)::text else at::text end,
                    case when t.by_uuid then uuid_at(at + step)::text else (at + step)::text end);
                execute format('alter table %I enable row level security', child);
                execute format('alter table %I force row level security', child);
                -- What is looked for by state (ready, sending, new) has an index of its
                -- own and is few. Statistics would say otherwise at a run's start, and
                -- the planner would believe it for the rest of the run: so it gets none.
                if exists (select from pg_attribute where attrelid = child::regclass and attname = 'state') then
                    execute format('alter table %I alter column state set statistics 0', child);
                end if;
                made := made + 1;
            end if;
            at := at + step;
        end loop;
    end loop;
    return made;
end $$;
-- +goose StatementEnd
revoke all on function ensure_partitions(interval) from public;
grant execute on function ensure_partitions(interval) to bareed_engine;

-- +goose StatementBegin
create function fence_partitioned(tab regclass, by_uuid boolean, days int) returns void language plpgsql as $$
begin
    perform fence(tab);
    insert into partitioned (name, by_uuid, days) values (tab::text, by_uuid, days);
end $$;
-- +goose StatementEnd

-- The version of the key inside a sealed value, for finding what a rotation
-- still has to re-seal. Every sealed value begins with it (two bytes).
-- +goose StatementBegin
create function sealed_version(sealed bytea) returns int
    language sql immutable parallel safe strict
    return get_byte(sealed, 0) * 256 + get_byte(sealed, 1);
-- +goose StatementEnd

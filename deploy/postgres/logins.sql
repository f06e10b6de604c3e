-- Makes what a superuser has to make once: the program's roles, a login for
-- each process's needs, and the database. Run it again to set new passwords.
--
--   psql -v migrate_password=… -v app_password=… -v engine_password=… -v backup_password=… \
--        -f logins.sql "postgres://postgres@host/postgres"
--
-- bareed migrate makes the roles itself where it may; only BYPASSRLS, without
-- which a dump is not complete, is always a superuser's to give.
\set ON_ERROR_STOP on

select not exists (select from pg_roles where rolname = 'bareed_owner') as fresh \gset
\if :fresh
create role bareed_owner nologin;
create role bareed_app nologin;
create role bareed_engine nologin;
create role bareed_backup nologin;
\endif
alter role bareed_backup nologin bypassrls;

-- bareed_migrate: owns the database and acts as bareed_owner. For "migrate" alone.
-- bareed_api:     is bareed_app: one workspace a transaction.
-- bareed_work:    is bareed_engine: finds work across workspaces.
-- bareed_dump:    is bareed_backup: reads everything, writes nothing.
select not exists (select from pg_roles where rolname = 'bareed_migrate') as fresh \gset
\if :fresh
create role bareed_migrate createrole;
create role bareed_api;
create role bareed_work;
create role bareed_dump;
\endif
alter role bareed_migrate login password :'migrate_password';
alter role bareed_api login password :'app_password';
alter role bareed_work login password :'engine_password';
alter role bareed_dump login password :'backup_password';
grant bareed_owner, bareed_app, bareed_engine, bareed_backup to bareed_migrate with admin option;
grant bareed_app to bareed_api;
grant bareed_engine to bareed_work;
grant bareed_backup to bareed_dump;
-- pg_dump must act as the role that may pass row-level security: attributes
-- are not inherited, so its session begins as that role.
alter role bareed_dump set role bareed_backup;

select not exists (select from pg_database where datname = 'bareed') as fresh \gset
\if :fresh
create database bareed owner bareed_migrate encoding 'UTF8' template template0;
\endif
revoke connect on database bareed from public;
grant connect on database bareed to bareed_migrate, bareed_api, bareed_work, bareed_dump;

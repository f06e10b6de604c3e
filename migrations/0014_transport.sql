-- By which of Meta's two ways a campaign's messages go: the Cloud API, or the
-- Marketing Messages API. And what Meta says of an account's setup for them.

-- +goose Up

-- product_policy is set with marketing_messages alone: what Meta does with a
-- message which that way cannot take. A run keeps what it was launched with.
alter table campaign
    add column transport text not null default 'cloud',
    add column product_policy text,
    add column activity_sharing boolean not null default false,
    add constraint campaign_transport check (
        transport = 'cloud' and product_policy is null and not activity_sharing
        or transport = 'marketing_messages' and product_policy is not null and product_policy in ('CLOUD_API_FALLBACK', 'STRICT'));
alter table run
    add column transport text not null default 'cloud',
    add column product_policy text,
    add column activity_sharing boolean not null default false,
    add constraint run_transport check (
        transport = 'cloud' and product_policy is null and not activity_sharing
        or transport = 'marketing_messages' and product_policy is not null and product_policy in ('CLOUD_API_FALLBACK', 'STRICT'));

alter table waba
    add column marketing_status text not null default '', -- marketing_messages_onboarding_status; empty: not told
    add column cloud_marketing_off boolean not null default false; -- disable_marketing_messages_on_cloud_api

-- When the template was first seen here; null: before this was kept. The
-- Marketing Messages API needs ten minutes for a new one.
alter table template add column first_seen_at timestamptz;
alter table template alter column first_seen_at set default bareed_now();

-- New events of one workspace, oldest first: the scheduler takes turns between
-- workspaces when one has a backlog.

-- +goose Up

create index event_new_of on event (workspace_id, received_at) where state = 'new';

// Package warnings owns what is worth a look at a campaign and holds nothing: a
// first hour that was read far less than the number's usual, and a list of which
// too many could not be reached. Each is noted once for a run, told in the
// campaign's events, and shown.
//
// campaigns/waves calls it when a run begins, while it runs and at the end of its
// first hour; api and web show the list. The rules are campaigns/breaker's. It must
// not know HTTP, the queue or Meta.
package warnings

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/breaker"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
)

// RunWarning is one thing that is worth a look.
type RunWarning struct {
	Reason    string    `json:"reason" enum:"reads_low,list_poor"`
	Threshold string    `json:"threshold" doc:"In figures, so that it needs no language."`
	Measured  string    `json:"measured" doc:"The share with its sample."`
	At        time.Time `json:"at"`
}

const sqlBegin = `
insert into run_hour (workspace_id, run_id, number_id, due_at)
select workspace_id, id, number_id, coalesce(started_at, bareed_now()) + interval '1 hour'
from run
where workspace_id = $1
  and id = $2
on conflict do nothing`

// Begin notes when a run's first hour will be over. It belongs in the transaction
// in which the run begins.
func Begin(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) error {
	if _, err := tx.Exec(ctx, sqlBegin, ws, run); err != nil {
		return fmt.Errorf("note a run's first hour: %w", err)
	}
	return nil
}

// sqlMeasure is one row and its snapshot's: what was read by now of what was
// delivered by now.
const sqlMeasure = `
update run_hour h
set measured_at = bareed_now(), delivered = s.delivered, read = s.read
from (
    select coalesce(max(delivered), 0) as delivered, coalesce(max(read), 0) as read
    from run_snapshot
    where workspace_id = $1
      and run_id = $2) s
where h.workspace_id = $1
  and h.run_id = $2
  and h.measured_at is null
  and h.due_at <= bareed_now()
returning h.number_id, h.due_at, h.delivered, h.read`

// sqlBefore is the number's first hours before that one, the newest, by their index.
const sqlBefore = `
select delivered, read
from run_hour
where workspace_id = $1
  and number_id = $2
  and due_at < $3
  and measured_at is not null
order by due_at desc
limit 20`

// Hour measures a run's first hour when it is over, once, and warns if it was read
// far less than the number's last twenty before it.
func Hour(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign, run id.Run, p breaker.Policy) error {
	var number id.Number
	var due time.Time
	var h breaker.Hour
	err := tx.QueryRow(ctx, sqlMeasure, ws, run).Scan(&number, &due, &h.Delivered, &h.Read)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("measure a run's first hour: %w", err)
	}
	before, err := pg.All(ctx, tx, "read the number's first hours", pgx.RowToStructByPos[breaker.Hour], sqlBefore, ws, number, due)
	if err != nil {
		return err
	}
	return Note(ctx, tx, ws, campaign, run, p.FirstHour(h, before))
}

const sqlNote = `
insert into run_warning (workspace_id, run_id, campaign_id, reason, threshold, measured)
values ($1, $2, $3, $4, $5, $6)
on conflict do nothing`

// Note keeps a finding that is over, once for a run and a reason, and tells the
// campaign's events.
func Note(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign, run id.Run, x breaker.Finding) error {
	if !x.Over {
		return nil
	}
	tag, err := tx.Exec(ctx, sqlNote, ws, run, campaign, x.Reason, x.Threshold, x.Measured)
	if err != nil {
		return fmt.Errorf("note a warning: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	return messages.CampaignEvent(ctx, tx, ws, campaign, "campaign.warning",
		map[string]any{"run": run, "reason": x.Reason, "threshold": x.Threshold, "measured": x.Measured})
}

const sqlOfRun = `
select reason, threshold, measured, at
from run_warning
where workspace_id = $1
  and run_id = $2
order by at, reason`

// OfRun lists a run's warnings, the oldest first.
func OfRun(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run) ([]RunWarning, error) {
	return pg.All(ctx, db, "list a run's warnings", pgx.RowToStructByPos[RunWarning], sqlOfRun, ws, run)
}

// Recent is a warning with the campaign it is about.
type Recent struct {
	Campaign id.Campaign
	Name     string
	RunWarning
}

const sqlRecent = `
select w.campaign_id, c.name, w.reason, w.threshold, w.measured, w.at
from run_warning w
join campaign c on c.workspace_id = w.workspace_id and c.id = w.campaign_id
where w.workspace_id = $1
  and w.at > $2
  and c.deleted_at is null
order by w.at desc
limit $3`

// Since lists the workspace's warnings since then, the newest first, by their index.
func Since(ctx context.Context, db pg.DB, ws id.Workspace, since time.Time, limit int) ([]Recent, error) {
	return pg.All(ctx, db, "list warnings", func(row pgx.CollectableRow) (r Recent, err error) {
		return r, row.Scan(&r.Campaign, &r.Name, &r.Reason, &r.Threshold, &r.Measured, &r.At)
	}, sqlRecent, ws, since, limit)
}

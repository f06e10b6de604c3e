// Package occurrence owns the firings of a campaign's schedule as they are kept:
// the run that waits for the next one, those that were missed and why, and the
// hours in which a run's messages may leave.
//
// campaigns calls it under the lock of the campaign's row; the scheduler calls
// Turn and Rezone, api and web List. It must not know the queue, nor the states of a
// campaign.
package occurrence

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/schedule"
	"bareed/internal/id"
	"bareed/messages"
)

// Why a firing was missed. A stop that was open at its time is "blocked:" and the
// stop's reason.
const (
	Late        = "late"             // nobody was there to begin it in time
	Superseded  = "superseded"       // the next one was due too when it could begin
	StillOnWay  = "previous_running" // the one before was still being sent
	blocked     = "blocked:"
	atOnce      = 200 // missed firings noted in one transaction
	bySchedule  = "system:schedule"
	localLayout = "2006-01-02 15:04"
)

// Blocked is the reason of a firing that a stop kept from beginning.
func Blocked(stop string) string { return blocked + stop }

const sqlArrange = `
update run
set starts_at = $3, send_zone = nullif($4, ''), send_local = $5, recipient_time = $6, late_after = $7, expires_at = $8
where workspace_id = $1
  and id = $2`

// Arrange notes on a run when it fires, until when it may begin, and when its
// people expire. t nil (at launch) leaves it as it is.
func Arrange(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, t *schedule.Time, r *schedule.Rules) error {
	if t == nil {
		return nil
	}
	late := t.Last().Add(r.Lateness())
	var expires *time.Time
	if r.Expires() && !t.RecipientTime {
		hours, loc, err := zoned(r)
		if err != nil {
			return err
		}
		if _, closes := hours.Around(t.At, loc); !closes.IsZero() {
			expires = &closes
			if closes.Before(late) {
				late = closes
			}
		}
	}
	if _, err := tx.Exec(ctx, sqlArrange, ws, run, t.At, t.Zone, t.Wall(), t.RecipientTime, late, expires); err != nil {
		return fmt.Errorf("note the firing: %w", err)
	}
	return nil
}

// zoned are the hours of rules and the zone they are meant in; nil hours are always open.
func zoned(r *schedule.Rules) (*schedule.Hours, *time.Location, error) {
	hours, err := r.Hours()
	if err != nil || hours == nil {
		return nil, time.UTC, err
	}
	loc, err := time.LoadLocation(r.Zone)
	if err != nil {
		return nil, nil, fmt.Errorf("read the schedule's zone: %w", err)
	}
	return hours, loc, nil
}

const sqlHours = `
update run
set closes_at = $3,
    expires_at = case when $4 then coalesce(expires_at, $3) else expires_at end
where workspace_id = $1
  and id = $2
returning bareed_now()`

const sqlNow = `select bareed_now()`

// Begin fits a run that begins, or whose hours just ended, into its hours: a gate
// at their end, and a stop until they open when they are not open now.
func Begin(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, r *schedule.Rules) error {
	hours, loc, err := zoned(r)
	if err != nil || hours == nil || r.RecipientTime {
		return err
	}
	var now time.Time
	if err := tx.QueryRow(ctx, sqlNow).Scan(&now); err != nil {
		return fmt.Errorf("read the time: %w", err)
	}
	opens, closes := hours.Around(now, loc)
	if closes.IsZero() {
		return nil
	}
	if err := tx.QueryRow(ctx, sqlHours, ws, run, closes, r.Expires()).Scan(&now); err != nil {
		return fmt.Errorf("note the run's hours: %w", err)
	}
	if !opens.After(now) {
		return nil
	}
	_, err = messages.OpenStop(ctx, tx, ws, messages.Opening{Scope: messages.ScopeRun, ScopeID: run, Reason: messages.OutsideHours,
		ByRule: true, Threshold: "until " + opens.In(loc).Format(localLayout), Measured: now.In(loc).Format(localLayout), Until: &opens, By: bySchedule})
	return err
}

// sqlLockClosing comes before the run's lock, as everywhere: the stop until the next
// hours is told in the campaign's events.
const sqlLockClosing = `
select
from campaign c
where c.workspace_id = $1
  and c.id = (
    select r.campaign_id
    from run r
    where r.workspace_id = $1
      and r.id = $2
      and r.state = 'running'
      and r.closes_at <= bareed_now())
for update`

const sqlTurn = `
select c.schedule, r.recipient_time, coalesce(r.closes_at <= bareed_now(), false), bareed_now()
from run r
join campaign c on c.workspace_id = r.workspace_id and c.id = r.campaign_id
where r.workspace_id = $1
  and r.id = $2
  and r.state = 'running'
for update of r`

// Turn looks after a running run whose hours ended: its people wait for the next
// hours or, each in their own zone, are put off or given up, as the schedule says.
// Idempotent, and cheap when nothing ended.
func Turn(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) error {
	var r *schedule.Rules
	var recipient, closed bool
	var now time.Time
	if _, err := tx.Exec(ctx, sqlLockClosing, ws, run); err != nil {
		return fmt.Errorf("lock the campaign whose hours end: %w", err)
	}
	err := tx.QueryRow(ctx, sqlTurn, ws, run).Scan(&r, &recipient, &closed, &now)
	if err == pgx.ErrNoRows {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the run's hours: %w", err)
	}
	if !recipient {
		if !closed {
			return nil
		}
		return Begin(ctx, tx, ws, run, r)
	}
	if r.Expires() {
		_, err := messages.ExpireHours(ctx, tx, ws, run)
		return err
	}
	return turnZones(ctx, tx, ws, run, r, now)
}

func turnZones(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, r *schedule.Rules, now time.Time) error {
	hours, _, err := zoned(r)
	if err != nil {
		return err
	}
	zones, err := messages.ClosedZones(ctx, tx, ws, run)
	if err != nil {
		return err
	}
	for _, zone := range zones {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			return fmt.Errorf("read a person's zone: %w", err)
		}
		opens, closes := hours.Around(now, loc)
		var until *time.Time
		if !closes.IsZero() {
			until = &closes
		}
		if _, err := messages.NextHours(ctx, tx, ws, run, zone, opens, until); err != nil {
			return err
		}
	}
	return nil
}

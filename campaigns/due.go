package campaigns

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/guard"
	"bareed/campaigns/occurrence"
	"bareed/campaigns/schedule"
	"bareed/internal/id"
	"bareed/messages"
)

// PlanAhead is how long before its time a scheduled run is planned: enough for
// a million people, and late enough that the audience is the day's.
const PlanAhead = 10 * time.Minute

// sqlDue reads what is due of a run. late is how late it is when it begins.
const sqlDue = `
select r.campaign_id, r.state, r.plan_done or r.planned > 0,
    r.starts_at <= bareed_now(),
    coalesce(r.expires_at <= bareed_now(), false),
    coalesce(r.late_after, r.starts_at + coalesce(c.max_lateness, interval '1 hour')) < bareed_now(),
    r.late_after is not null, bareed_now(),
    extract(epoch from bareed_now() - r.starts_at)::bigint
from run r
left join campaign c on c.workspace_id = r.workspace_id and c.id = r.campaign_id
where r.workspace_id = $1
  and r.id = $2`

type due struct {
	campaign             id.Campaign
	state                RunState
	planned              bool
	begun, expired, late bool
	scheduled            bool // for a time of its own, not at launch
	now                  time.Time
	lateSeconds          int64
	to                   RunState // where the run moves; empty: nowhere
	campaignTo           State
	event                string
}

func readDue(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (due, error) {
	var d due
	err := tx.QueryRow(ctx, sqlDue, ws, run).Scan(&d.campaign, &d.state, &d.planned, &d.begun, &d.expired, &d.late, &d.scheduled, &d.now, &d.lateSeconds)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, nil
	}
	if err != nil {
		return d, fmt.Errorf("read what is due: %w", err)
	}
	switch {
	case d.state == RunRunning && d.expired:
		d.to, d.campaignTo, d.event = RunExpired, Expired, "campaign.expired"
	case d.state != RunPlanning || !d.begun:
	case d.late:
		d.to, d.campaignTo, d.event = RunMissed, Expired, "campaign.missed"
	case d.planned:
		d.to, d.campaignTo, d.event = RunRunning, Running, "campaign.started"
	default:
		d.campaignTo, d.event = Starting, "campaign.starting"
	}
	return d, nil
}

const sqlMoveRun = `
update run
set state = $3,
    started_at = case when $3 = 'running' then coalesce(started_at, bareed_now()) else started_at end,
    ended_at = case when $3 in ('completed', 'missed', 'expired') then bareed_now() else ended_at end,
    lease_until = case when $3 in ('missed', 'expired') then null else lease_until end,
    plan_done = plan_done or $3 = 'missed' and planned = 0
where workspace_id = $1
  and id = $2
  and state = $4`

// Due moves a campaign's run whose time has come: running once its first people
// are planned, missed when it is later than max_lateness, expired when its time
// is over. Idempotent, and cheap when nothing is due.
func Due(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) error {
	d, err := readDue(ctx, tx, ws, run)
	if err != nil || d.event == "" || d.campaign.IsZero() {
		return err
	}
	c, err := lock(ctx, tx, ws, d.campaign)
	if err != nil {
		return err
	}
	// Again under the lock: what was due may have been stopped meanwhile.
	if d, err = readDue(ctx, tx, ws, run); err != nil || d.event == "" {
		return err
	}
	if d.to == RunRunning {
		if err := guard.Look(ctx, tx, ws, c.ID); err != nil {
			return err
		}
		if c, err = Get(ctx, tx, ws, c.ID); err != nil {
			return err
		}
	}
	why := d.missed(c)
	if d.to == "" && c.State == d.campaignTo || why == "" && d.to == RunRunning && d.scheduled && len(c.Stops) > 0 {
		return nil // held at its time: it waits until it is late
	}
	return d.perform(ctx, tx, ws, run, c, why)
}

// missed is why a firing that is due cannot begin any more; empty when it can.
// One whose successor is due too gives way to it.
func (d *due) missed(c Campaign) string {
	why := occurrence.Late
	switch next, more := c.follows(); {
	case d.state != RunPlanning || !d.begun:
		return ""
	case d.late && d.scheduled && len(c.Stops) > 0:
		why = occurrence.Blocked(c.Stops[0].Reason)
	case d.late:
	case more && !next.At.After(d.now):
		why = occurrence.Superseded
	default:
		return ""
	}
	d.to, d.campaignTo, d.event = RunMissed, Expired, "campaign.missed"
	return why
}

// follows is the firing after the one that waits.
func (c *Campaign) follows() (schedule.Time, bool) {
	if c.Schedule == nil {
		return schedule.Time{}, false
	}
	return c.Rules.Next(*c.Schedule)
}

func (d *due) perform(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, c Campaign, why string) error {
	detail := map[string]any{"run": run, "late_seconds": max(0, d.lateSeconds)}
	if d.to != "" {
		if err := moveRun(ctx, tx, ws, run, d.state, d.to); err != nil {
			return err
		}
	}
	if d.to == RunRunning {
		if err := occurrence.Begin(ctx, tx, ws, run, c.Rules); err != nil {
			return err
		}
	}
	if why != "" {
		detail["reason"] = why
		if err := occurrence.Missed(ctx, tx, ws, run, why); err != nil {
			return err
		}
	}
	if c.current() == run {
		if err := c.follow(ctx, tx, ws, run, d.to, d.campaignTo); err != nil {
			return err
		}
	}
	return messages.CampaignEvent(ctx, tx, ws, c.ID, d.event, detail)
}

// current is the run whose steps are the campaign's own; one before it ends by itself.
func (c *Campaign) current() id.Run {
	if c.NextRunID.IsZero() {
		return c.RunID
	}
	return c.NextRunID
}

// follow moves the campaign after its run: to, or back to scheduled when the run
// sends no more and another firing follows.
func (c *Campaign) follow(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, became RunState, to State) error {
	if became == RunMissed || became == RunExpired || became == RunFinishing {
		why := occurrence.StillOnWay
		if became == RunMissed {
			why = occurrence.Late
		}
		more, err := occurrence.Next(ctx, tx, ws, c.ID, run, c.Rules, why)
		switch {
		case err != nil:
			return err
		case more:
			to = Scheduled
		case became == RunMissed && !c.NextRunID.IsZero():
			to = Completed // an earlier one was sent
		}
	}
	if c.State == to {
		return nil
	}
	return c.move(ctx, tx, ws, to)
}

// moveRun changes a run's state, if the machine allows it and nobody else did.
func moveRun(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, from, to RunState) error {
	if !from.May(to) {
		return fmt.Errorf("move the run from %s to %s: not a step of its machine", from, to)
	}
	tag, err := tx.Exec(ctx, sqlMoveRun, ws, run, to, from)
	if err != nil {
		return fmt.Errorf("move the run to %s: %w", to, err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("move the run to %s: it is no longer %s", to, from)
	}
	return nil
}

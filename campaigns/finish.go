package campaigns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/guard"
	"bareed/internal/id"
	"bareed/messages"
)

// suppressAtOnce bounds the rows one call of Finish closes, so that a stop of a
// million people is many short transactions.
const suppressAtOnce = 5000

// sqlRunEnd asks only whether there are such messages, each by an index of its
// own; counting is left for the moment something changes. A held message is
// looked for only when nothing else keeps the run open, because that reads the
// whole run.
const sqlRunEnd = `
select r.campaign_id, r.state, r.plan_done, r.settled_at is not null,
    exists (
        select from stop s
        where s.workspace_id = $1
          and s.scope_id = $2
          and s.reason = $3
          and s.cleared_at is null),
    exists (
        select from message m
        where m.workspace_id = $1
          and m.run_id = $2
          and m.state = 'ready'
          and m.ordinal > r.fed)
    or exists (
        select from message m
        where m.workspace_id = $1
          and m.run_id = $2
          and m.state = 'ready'
          and m.ordinal <= r.fed),
    exists (
        select from message m
        where m.workspace_id = $1
          and m.run_id = $2
          and m.state = 'sending'),
    exists (
        select from message m
        where m.workspace_id = $1
          and m.run_id = $2
          and m.state = 'unknown'),
    case when r.state = 'finishing' and not exists (
        select from message m
        where m.workspace_id = $1
          and m.run_id = $2
          and m.state = 'unknown')
    then exists (
        select from message m
        where m.workspace_id = $1
          and m.run_id = $2
          and m.state = 'held'
          and m.held_at > bareed_now() - interval '24 hours')
    else false end
from run r
where r.workspace_id = $1
  and r.id = $2`

// ending is what Finish decides on.
type ending struct {
	campaign id.Campaign
	state    RunState
	planDone bool
	planOff  bool // it failed too often and waits for a person
	settled  bool
	ready    bool
	sending  bool
	unknown  bool
	held     bool // Meta may still release it; after a day it no longer holds completion
}

func readEnding(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (ending, error) {
	var e ending
	err := tx.QueryRow(ctx, sqlRunEnd, ws, run, messages.PlanFailed).
		Scan(&e.campaign, &e.state, &e.planDone, &e.settled, &e.planOff, &e.ready, &e.sending, &e.unknown, &e.held)
	if errors.Is(err, pgx.ErrNoRows) {
		return ending{settled: true}, nil
	}
	if err != nil {
		return e, fmt.Errorf("read how the run stands: %w", err)
	}
	return e, nil
}

// next is the step that is called for; the run's own state means none.
// Messages accepted or sent whose delivery is not known yet do not hold
// completion: Meta may take days, and never says that it gave up.
func (e ending) next() RunState {
	handedOver := e.planDone && !e.ready && !e.sending
	switch {
	case e.state == RunRunning && handedOver:
		return RunFinishing
	case e.state == RunFinishing && !handedOver:
		return RunRunning
	case e.state == RunFinishing && !e.unknown && !e.held:
		return RunCompleted
	}
	return e.state
}

// Finish takes a run one step towards its end; done when there is nothing left
// to do. It also closes what a stopped, missed or expired run left behind. The
// reconciler calls it for every run that is not settled.
func Finish(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (done bool, err error) {
	e, err := readEnding(ctx, tx, ws, run)
	if err != nil || e.settled || e.state == RunPlanning {
		return e.settled, err
	}
	if e.state != RunRunning && e.state != RunFinishing {
		return settle(ctx, tx, ws, run, e)
	}
	if e.next() == e.state {
		return false, nil
	}
	return advance(ctx, tx, ws, run, e.campaign)
}

// advance looks again under the locks, campaign before run, moves and counts.
func advance(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, campaign id.Campaign) (done bool, err error) {
	var c Campaign
	if !campaign.IsZero() {
		if c, err = lock(ctx, tx, ws, campaign); err != nil {
			return false, err
		}
	}
	e, err := readEnding(ctx, tx, ws, run)
	if err != nil {
		return false, err
	}
	to := e.next()
	if to == e.state {
		return false, nil
	}
	f, err := snapshot(ctx, tx, ws, run)
	if err != nil {
		return false, err
	}
	if err := moveRun(ctx, tx, ws, run, e.state, to); err != nil {
		return false, err
	}
	if to == RunCompleted {
		if err := writeSummary(ctx, tx, ws, run, f); err != nil {
			return false, err
		}
	}
	if campaign.IsZero() {
		return to == RunCompleted, nil
	}
	if to == RunRunning {
		if err := guard.Again(ctx, tx, ws, campaign); err != nil {
			return false, err
		}
	}
	// The two machines name these states alike.
	if c.current() == run {
		if err := c.follow(ctx, tx, ws, run, to, State(to)); err != nil {
			return false, err
		}
	}
	err = messages.CampaignEvent(ctx, tx, ws, campaign, "campaign."+string(to), map[string]any{"run": run, "total": f.Total,
		"accepted": f.Accepted, "delivered": f.Delivered, "failed": sum(f.Failed), "suppressed": sum(f.Suppressed),
		"unconfirmed": f.Unconfirmed})
	return to == RunCompleted, err
}

// settle suppresses what an ended run left ready, and writes its summary when
// everybody has a row and nothing is under way any more.
func settle(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, e ending) (done bool, err error) {
	if e.state != RunCompleted {
		reason := messages.Expired
		if e.state == RunStopped {
			reason = messages.Stopped
		}
		n, err := messages.SuppressReady(ctx, tx, ws, run, reason, suppressAtOnce)
		if err != nil || n == suppressAtOnce {
			return false, err
		}
	}
	if e.sending || e.unknown || !e.campaign.IsZero() && !e.planDone && !e.planOff {
		return false, nil
	}
	f, err := snapshot(ctx, tx, ws, run)
	if err != nil || f.Ready > 0 || f.Sending > 0 {
		return false, err
	}
	return true, writeSummary(ctx, tx, ws, run, f)
}

// sqlSummary also marks the run as touched: a receipt under way did not see it
// settled, so it left no mark of its own.
const sqlSummary = `
update run
set summary = $3, settled_at = bareed_now(), touched_at = bareed_now()
where workspace_id = $1
  and id = $2`

func writeSummary(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, f Figures) error {
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("write the run's summary: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlSummary, ws, run, b); err != nil {
		return fmt.Errorf("write the run's summary: %w", err)
	}
	return nil
}

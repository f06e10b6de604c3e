package waves

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/breaker"
	"bareed/campaigns/warnings"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
	"bareed/messages/pacing"
)

// standing is what the rules need of a run. The totals are the snapshot's: one row.
type standing struct {
	campaign  id.Campaign
	number    id.Number
	template  id.Template
	waba      id.WABA
	portfolio id.Portfolio

	state     string
	started   time.Time
	now       time.Time
	fed       int32
	planned   int32
	planDone  bool
	delivered int64
	accepted  int64 // by Meta, whatever came of it
	failed    int64
	poor      int64 // of failed: those that speak of the list
}

const sqlStanding = `
select r.campaign_id, r.number_id, r.template_id, r.waba_id, r.portfolio_id, r.state, coalesce(r.started_at, r.starts_at), bareed_now(),
    r.fed, r.planned, r.plan_done, coalesce(s.delivered, 0), coalesce(s.accepted + s.held, 0) + failed.people, failed.people, failed.poor
from run r
left join run_snapshot s on s.workspace_id = r.workspace_id and s.run_id = r.id
cross join lateral (
    select coalesce(sum(e.people::bigint), 0)::bigint as people,
        coalesce(sum(e.people::bigint) filter (where e.reason in ('meta_131026', 'meta_131049', 'meta_130472')), 0)::bigint as poor
    from jsonb_each_text(s.failed) as e(reason, people)) failed
where r.workspace_id = $1
  and r.id = $2
  and r.kind = 'campaign'`

func stand(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run) (s standing, err error) {
	err = db.QueryRow(ctx, sqlStanding, ws, run).Scan(&s.campaign, &s.number, &s.template, &s.waba, &s.portfolio, &s.state, &s.started, &s.now,
		&s.fed, &s.planned, &s.planDone, &s.delivered, &s.accepted, &s.failed, &s.poor)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return s, fmt.Errorf("read how a run stands: %w", err)
	}
	return s, nil
}

// Tick measures a run, opens the stops that its rules call for, ends the wait for
// Meta's assessment when it is over, and opens the next wave when its gate is
// passed. Idempotent: one stop for each cause, and a person clears it.
func Tick(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, limits breaker.Limits) error {
	s, err := stand(ctx, tx, ws, run)
	if err != nil || s.state != "running" {
		return err
	}
	rules, err := readInForce(ctx, tx, ws, s.campaign, run, limits)
	if err != nil {
		return err
	}
	if rules.changed {
		if err := keep(ctx, tx, ws, run, rules.workspace); err != nil {
			return err
		}
	}
	open, err := messages.OpenStops(ctx, tx, ws, ws, s.portfolio, s.waba, s.number, s.template, s.campaign, run)
	if err != nil {
		return err
	}
	passes, err := readPasses(ctx, tx, ws, run, s)
	if err != nil {
		return err
	}
	held, err := pacing.Count(ctx, tx, ws, run)
	if err != nil {
		return err
	}
	if passes, err = notePasses(ctx, tx, ws, run, s, passes, held.Waiting()); err != nil {
		return err
	}
	f, err := measure(ctx, tx, ws, run, s, rules.policy, passes, held.Waiting())
	if err != nil {
		return err
	}
	if err := warnings.Note(ctx, tx, ws, s.campaign, run, rules.policy.List(s.delivered+s.failed, s.poor)); err != nil {
		return err
	}
	stopped, err := hold(ctx, tx, ws, run, s, rules.policy, f, open)
	if err != nil {
		return err
	}
	return advance(ctx, tx, ws, run, s, rules.policy, stopped)
}

// Hour looks at a run whose first hour is over, once, whatever became of it since:
// how it was read, and how good its list was.
func Hour(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, limits breaker.Limits) error {
	s, err := stand(ctx, tx, ws, run)
	if err != nil {
		return err
	}
	rules, err := readInForce(ctx, tx, ws, s.campaign, run, limits)
	if err != nil {
		return err
	}
	if err := warnings.Note(ctx, tx, ws, s.campaign, run, rules.policy.List(s.delivered+s.failed, s.poor)); err != nil {
		return err
	}
	return warnings.Hour(ctx, tx, ws, s.campaign, run, rules.policy)
}

// hold opens a stop for each rule that holds, unless it is open, and tells whether
// anything stops the run now.
func hold(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, s standing, p breaker.Policy, f breaker.Figures, open []messages.Stop) (bool, error) {
	isOpen := func(reason string) bool {
		return slices.ContainsFunc(open, func(x messages.Stop) bool { return x.Reason == reason })
	}
	left := len(open)
	for _, x := range p.Judge(f) {
		if isOpen(x.Reason) {
			continue
		}
		o := messages.Opening{Reason: x.Reason, ByRule: true, Threshold: x.Threshold, Measured: x.Measured, By: by}
		switch x.Reach {
		case breaker.TheNumber:
			o.Scope, o.ScopeID = messages.ScopeNumber, s.number
		case breaker.TheRun:
			o.Scope, o.ScopeID = messages.ScopeRun, run
		default:
			o.Scope, o.ScopeID = messages.ScopeCampaign, s.campaign
		}
		if x.Retry > 0 {
			until := s.now.Add(x.Retry)
			o.Until = &until
		}
		if _, err := messages.OpenStop(ctx, tx, ws, o); err != nil {
			return false, err
		}
		left++
	}
	if !isOpen(breaker.HeldByMeta) || !p.HeldEnough(f.Held) {
		return left > 0, nil
	}
	n, err := messages.ClearStops(ctx, tx, ws, messages.Clearing{ScopeID: run, Reason: breaker.HeldByMeta, By: by})
	return left-n > 0, err
}

// by is who opens and clears what the rules do by themselves.
const by = "system:breaker"

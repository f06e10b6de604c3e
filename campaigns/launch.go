package campaigns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/occurrence"
	"bareed/campaigns/plan"
	"bareed/campaigns/schedule"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages/unknown"
	"bareed/numbers"
	"bareed/templates"
)

// LaunchRequest is what a person agrees to when they launch.
type LaunchRequest struct {
	Expected int64  // eligible people they saw in the check
	At       string // RFC 3339 or wall time in Zone; empty: as the campaign says, else now
	Zone     string
	Undo     *time.Duration // grace before the first message of an immediate launch; nil: the workspace's
	// AcceptQuality: the person saw that Meta rates the number medium or low, and launches all the same.
	AcceptQuality bool
}

// Launched is a launch as it stands; a repeated launch is answered the same.
type Launched struct {
	CampaignID id.Campaign    `json:"campaign_id"`
	RunID      id.Run         `json:"run_id"`
	State      State          `json:"state"`
	Recipients int64          `json:"recipients" doc:"Eligible people at the check."`
	StartsAt   time.Time      `json:"starts_at"`
	Schedule   *schedule.Time `json:"schedule,omitempty"`
}

const sqlLatestCheck = `
select id, total, eligible, suppressed, template
from plan_check
where workspace_id = $1
  and campaign_id = $2
  and campaign_version = $3
  and state = 'completed'
order by id desc
limit 1`

// Launch makes the campaign's one run and moves it to scheduled or starting.
// The campaign's row is locked first, so of many launches at once one makes the
// run and all name it.
func Launch(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, q LaunchRequest) (Launched, error) {
	c, err := lock(ctx, tx, a.Workspace, campaign)
	if err != nil {
		return Launched{}, err
	}
	if c.State.Launched() {
		return relaunched(ctx, tx, a.Workspace, c, q)
	}
	if c.State == Checking {
		return Launched{}, errs.New("campaign.check_missing")
	}
	if c.State != Draft {
		return Launched{}, c.stateError()
	}
	approved, err := agrees(ctx, tx, a.Workspace, c, q.Expected)
	if err != nil {
		return Launched{}, err
	}
	template, number, err := sendable(ctx, tx, a.Workspace, c)
	if err == nil {
		err = unchanged(approved, template)
	}
	if err == nil {
		err = q.accepts(number, template)
	}
	if err == nil {
		err = permitted(ctx, tx, number, template)
	}
	if err != nil {
		return Launched{}, err
	}
	s, now, err := launchSchedule(ctx, tx, c, q)
	if err != nil {
		return Launched{}, err
	}
	r := newRun{campaign: c, template: template, number: number, expected: q.Expected, occurrence: "once", undo: q.Undo}
	to := Starting
	if s != nil {
		r.occurrence, r.startsAt = s.Occurrence(), &s.At
		if s.At.After(now) {
			to = Scheduled
		}
	}
	return r.launch(ctx, tx, a, s, to)
}

const sqlLaunched = `
select coalesce(expected, 0), starts_at
from run
where workspace_id = $1
  and id = $2`

// relaunched answers a launch of what is launched: with its run, if the caller
// expects the same people.
func relaunched(ctx context.Context, tx pgx.Tx, ws id.Workspace, c Campaign, q LaunchRequest) (Launched, error) {
	l := Launched{CampaignID: c.ID, RunID: c.RunID, State: c.State, Schedule: c.Schedule}
	err := tx.QueryRow(ctx, sqlLaunched, ws, c.RunID).
		Scan(&l.Recipients, &l.StartsAt)
	if err != nil {
		return l, fmt.Errorf("read the run: %w", err)
	}
	if l.Recipients != q.Expected {
		return l, errs.New("campaign.recipients_changed", "expected", q.Expected, "eligible", l.Recipients).At("/expected_recipients", "")
	}
	return l, nil
}

// agrees compares what the caller expects with the newest check of this version
// of the campaign, and the check with the audience as it is now. It gives the
// template as the check decided by it, as JSON.
func agrees(ctx context.Context, tx pgx.Tx, ws id.Workspace, c Campaign, expected int64) (approved []byte, err error) {
	var check id.Check
	var total, eligible int64
	var suppressed map[string]int64
	err = tx.QueryRow(ctx, sqlLatestCheck, ws, c.ID, c.Version).Scan(&check, &total, &eligible, &suppressed, &approved)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errs.New("campaign.check_missing")
	}
	if err != nil {
		return nil, fmt.Errorf("read the latest check: %w", err)
	}
	if eligible == 0 {
		var why []string
		for _, reason := range slices.Sorted(maps.Keys(suppressed)) {
			why = append(why, fmt.Sprintf("%s %d", reason, suppressed[reason]))
		}
		return nil, errs.New("campaign.no_recipients", "suppressed", strings.Join(why, ", ")).At("/expected_recipients", "")
	}
	if eligible != expected {
		return nil, errs.New("campaign.recipients_changed", "expected", expected, "eligible", eligible).At("/expected_recipients", "")
	}
	now, err := plan.Count(ctx, tx, ws, c.AudienceIDs)
	if err != nil {
		return nil, err
	}
	if now != total {
		return nil, errs.New("campaign.audience_changed", "was", total, "now", now)
	}
	return approved, nil
}

// sendable refuses what could not send its first message.
func sendable(ctx context.Context, tx pgx.Tx, ws id.Workspace, c Campaign) (t templates.Template, n numbers.Number, err error) {
	if t, err = templates.Get(ctx, tx, ws, c.TemplateID); err != nil {
		return t, n, err
	}
	if n, err = numbers.Get(ctx, tx, ws, c.NumberID); err != nil {
		return t, n, err
	}
	if lacks := c.Lacks(n, t); len(lacks) > 0 {
		return t, n, lacks[0]
	}
	return t, n, nil
}

// Lacks is what keeps the campaign from being sent as it stands, each with the
// places at fault; nothing for one that can be launched after a check.
func (c *Campaign) Lacks(n numbers.Number, t templates.Template) []*errs.Error {
	var list []*errs.Error
	if e := plan.CheckTemplate(n, t, true); e != nil {
		list = append(list, e)
	}
	if e := c.Variables.Check(t); e != nil {
		list = append(list, e)
	}
	if !n.CanSend() {
		list = append(list, errs.New("number.cannot_send", "status", n.Status).At("/number_id", ""))
	}
	if e := c.Choice.Lacks(c.account, t.Category); e != nil {
		list = append(list, e)
	}
	if len(c.AudienceIDs) == 0 {
		list = append(list, errs.New("campaign.no_audience").At("/audience_ids", ""))
	}
	return list
}

// launchSchedule settles when: the request's time, else the campaign's own,
// else at once (nil).
func launchSchedule(ctx context.Context, tx pgx.Tx, c Campaign, q LaunchRequest) (*schedule.Time, time.Time, error) {
	now, err := pg.Now(ctx, tx)
	if err != nil {
		return nil, now, err
	}
	if q.At != "" && c.Rules != nil {
		return nil, now, errs.New("schedule.both").At("/at", "")
	}
	if q.At != "" {
		s, err := schedule.Parse(q.At, q.Zone, now)
		return &s, now, err
	}
	if q.Zone != "" {
		return nil, now, errs.New("schedule.syntax", "got", "", "example", "2026-12-01T10:00").At("/at", "")
	}
	if c.Rules != nil {
		s, err := c.Rules.Check(now)
		return s, now, err
	}
	if c.Schedule != nil {
		return c.Schedule, now, c.Schedule.InRange(now)
	}
	return nil, now, nil
}

// newRun is a run about to be made.
type newRun struct {
	campaign   Campaign
	template   templates.Template
	number     numbers.Number
	expected   int64
	occurrence string
	startsAt   *time.Time     // nil: now, after the undo grace
	undo       *time.Duration // nil: the workspace's
}

// sqlInsertRun fixes everything the claim needs: later edits of template,
// campaign or workspace do not reach a run.
const sqlInsertRun = `
insert into run (workspace_id, id, campaign_id, occurrence_key, kind, state, purpose, number_id, waba_id, portfolio_id,
    template_id, template, components_hash, variables, unknown_policy, per_minute, finish_within, expected, starts_at,
    transport, product_policy, activity_sharing)
select $1, $2, $3, $4, 'campaign', 'planning', $5, $6, $7, $8, $9, $10, $11, $12,
    coalesce(nullif($13, ''), nullif(w.unknown_policy, 'by_purpose'), $18), nullif($14, 0), nullif($19, 0), $15,
    coalesce($16, bareed_now() + coalesce($17, w.undo_grace)), $20, nullif($21, ''), $22
from workspace w
where w.workspace_id = $1
returning starts_at`

const sqlSetSchedule = `
update campaign
set send_at = $3, send_zone = nullif($4, ''), send_local = $5
where workspace_id = $1
  and id = $2`

func (r newRun) launch(ctx context.Context, tx pgx.Tx, a accounts.Actor, s *schedule.Time, to State) (Launched, error) {
	c, ws := r.campaign, a.Workspace
	l := Launched{CampaignID: c.ID, RunID: id.New[id.Run](), State: to, Recipients: r.expected, Schedule: s}
	template, err := json.Marshal(r.template)
	if err != nil {
		return l, fmt.Errorf("write the run's template: %w", err)
	}
	err = tx.QueryRow(ctx, sqlInsertRun, ws, l.RunID, c.ID, r.occurrence, c.Purpose, r.number.ID, r.number.WABA,
		r.number.Portfolio, r.template.ID, template, r.template.Hash, c.Variables, c.UnknownPolicy, c.PerMinute,
		r.expected, r.startsAt, r.undo, unknown.Default(string(c.Purpose), r.number.EchoSeenAt != nil), c.FinishWithin,
		c.Transport, c.ProductPolicy, c.ActivitySharing).Scan(&l.StartsAt)
	if err != nil {
		return l, fmt.Errorf("make the run: %w", err)
	}
	if err := occurrence.Arrange(ctx, tx, ws, l.RunID, s, c.Rules); err != nil {
		return l, err
	}
	at, zone, local := columns(s)
	if _, err := tx.Exec(ctx, sqlSetSchedule, ws, c.ID, at, zone, local); err != nil {
		return l, fmt.Errorf("note the schedule: %w", err)
	}
	if err := c.move(ctx, tx, ws, to); err != nil {
		return l, err
	}
	return l, record(ctx, tx, a, c.ID, "campaign.launched",
		map[string]any{"run": l.RunID, "recipients": r.expected, "starts_at": l.StartsAt})
}

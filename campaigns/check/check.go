// Package check owns what a check, the dry run of a campaign, finds out: every
// person's fate, how many are eligible, and what would hold the launch.
//
// The campaign itself asks for a check (campaigns.RequestCheck); the worker
// carries it out in chunks, api and web show it. It decides by the rules of
// campaigns/plan and must not have rules of its own; it must not know HTTP, the
// queue or Meta.
package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/capacity"
	"bareed/campaigns/forecast"
	"bareed/campaigns/growth"
	"bareed/campaigns/guard"
	"bareed/campaigns/plan"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/numbers"
	"bareed/numbers/places"
	"bareed/numbers/portfolios"
	"bareed/templates"
)

// Check is a dry run: every person's fate before launch. Its id is its job's too.
type Check struct {
	ID         id.Check         `json:"id"`
	JobID      id.Job           `json:"job_id"`
	CampaignID id.Campaign      `json:"campaign_id"`
	State      string           `json:"state" doc:"waiting, running, completed, failed."`
	Total      int64            `json:"total" doc:"People in the audiences, each once."`
	Eligible   int64            `json:"eligible" doc:"Would be sent the message: expected_recipients of the launch."`
	Suppressed map[string]int64 `json:"suppressed" doc:"Reason → people."`
	Version    int              `json:"campaign_version"`
	Template   *guard.State     `json:"template,omitempty" doc:"The template as the check decided by it, and as it is now."`
	Outdated   bool             `json:"outdated" doc:"The campaign was edited since, or Meta changed its template; a launch needs a new check."`
	Placeless  int64            `json:"placeless" doc:"Of the eligible: in an open service window or holding a place under the messaging limit when they were looked at, so that they need none."`
	Fresh      int64            `json:"fresh_consents" doc:"Of the eligible: consented within the last 90 days."`
	Limit      *Limit           `json:"limit,omitempty"`

	Forecast   *forecast.Forecast `json:"forecast,omitempty" doc:"When the last message would leave if the campaign were launched now; absent until the check is complete, and while the limit is not known."`
	Growth     *growth.Growth     `json:"growth,omitempty" doc:"What to send on which days to earn a higher limit; when people would wait for places."`
	Warnings   []Warning          `json:"warnings"`
	CreatedAt  time.Time          `json:"created_at"`
	FinishedAt *time.Time         `json:"finished_at,omitempty"`

	waves    []int64 // who is reached by the end of each
	waveWait int     // minutes
}

// Limit is the portfolio's messaging limit as it stands: unique people in 24 h.
type Limit struct {
	Known     bool   `json:"known" doc:"False: Meta has not told it yet, nothing is sent."`
	Limit     *int   `json:"limit,omitempty" doc:"Absent: unlimited."`
	Reserve   int    `json:"reserve" doc:"Places kept for other tools."`
	Used      int64  `json:"used"`
	Left      *int64 `json:"left,omitempty" doc:"Places free now for this campaign, those kept for others not among them; absent: unlimited."`
	DaysAtMin int    `json:"days_at_least,omitempty" doc:"24-hour spans the eligible people need at this limit."`

	aDay int64 // places there are for the campaign in 24 hours
}

// Warning is something that will hold the campaign or make it slow, as a code
// of the catalogue with its parameters.
type Warning struct {
	Code   string      `json:"code"`
	Params errs.Params `json:"params,omitempty"`
}

const sqlGetCheck = `
select k.id, k.campaign_id, k.state, k.total, k.eligible, k.suppressed, k.campaign_version, k.created_at, k.finished_at,
    c.version <> k.campaign_version, k.placeless, k.fresh, k.template, k.waves, k.wave_wait
from plan_check k
join campaign c on c.workspace_id = k.workspace_id and c.id = k.campaign_id
where k.workspace_id = $1
  and k.campaign_id = $2
  and ($3::uuid is null or k.id = $3)
  and c.deleted_at is null
order by k.id desc
limit 1`

// Get reads a check of a campaign, the newest for the zero id, with the
// warnings as they are now and what it foretells.
func Get(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign, check id.Check) (Check, error) {
	k, approved, err := read(ctx, tx, ws, campaign, check)
	if err != nil {
		return k, err
	}
	return k, k.predict(ctx, tx, ws, approved)
}

// Newest reads the newest check of a campaign for who only asks how it stands: it
// has no Limit, Forecast, Growth or Warnings. t is the campaign's template as it is
// now.
func Newest(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, t templates.Template) (Check, error) {
	k, approved, err := read(ctx, db, ws, campaign, id.Check{})
	if err == nil {
		k.compare(approved, t)
	}
	return k, err
}

// read reads what was kept of a check; approved is the template as it decided by it.
func read(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, check id.Check) (k Check, approved []byte, err error) {
	err = db.QueryRow(ctx, sqlGetCheck, ws, campaign, check).Scan(&k.ID, &k.CampaignID, &k.State, &k.Total, &k.Eligible,
		&k.Suppressed, &k.Version, &k.CreatedAt, &k.FinishedAt, &k.Outdated, &k.Placeless, &k.Fresh, &approved, &k.waves, &k.waveWait)
	if errors.Is(err, pgx.ErrNoRows) {
		return k, nil, errs.New("not_found")
	}
	if err != nil {
		return k, nil, fmt.Errorf("read the check: %w", err)
	}
	k.JobID = id.Job(k.ID)
	return k, approved, nil
}

// compare tells what became of the template since; a difference outdates the check.
func (k *Check) compare(approved []byte, t templates.Template) {
	if len(approved) == 0 {
		return
	}
	state := guard.Describe(approved, t)
	k.Template = &state
	k.Outdated = k.Outdated || len(state.Differences) > 0
}

// predict adds what the eligible people meet: the portfolio's limit, and what
// would hold the launch. approved is the template as the check decided by it.
func (k *Check) predict(ctx context.Context, tx pgx.Tx, ws id.Workspace, approved []byte) error {
	c, err := campaigns.Get(ctx, tx, ws, k.CampaignID)
	if err != nil {
		return err
	}
	n, err := numbers.Get(ctx, tx, ws, c.NumberID)
	if err != nil {
		return err
	}
	t, err := templates.Get(ctx, tx, ws, c.TemplateID)
	if err != nil {
		return err
	}
	k.compare(approved, t)
	s, err := capacity.Get(ctx, tx, ws, k.CampaignID)
	if err != nil {
		return err
	}
	if k.Limit, err = readLimit(ctx, tx, n.Portfolio, s.Share); err != nil {
		return err
	}
	k.Limit.span(k.Eligible - k.Placeless)
	if err := k.foresee(ctx, tx, ws, c, n, s); err != nil {
		return err
	}
	now, err := pg.Now(ctx, tx)
	if err != nil {
		return err
	}
	k.Warnings = append(warnings(c, n, t, k), k.ofMeta(n, t, now)...)
	return nil
}

// readLimit reads the portfolio's limit as a campaign of that share meets it:
// places that are kept for others are not left for it.
func readLimit(ctx context.Context, db pg.DB, portfolio id.Portfolio, share string) (*Limit, error) {
	p, err := numbers.GetPortfolio(ctx, db, portfolio)
	if err != nil {
		return nil, err
	}
	l := Limit{Limit: p.Limit, Known: p.Known, Used: p.Used}
	if l.Limit == nil {
		return &l, nil
	}
	l.Reserve = *l.Limit - places.Usable(*l.Limit, p.Reserve)
	kept, err := portfolios.Shares(ctx, db, portfolio)
	if err != nil {
		return nil, err
	}
	now := places.Pool{Limit: *l.Limit, Effective: *l.Limit - l.Reserve, Taken: int(p.Used)}
	empty := places.Pool{Limit: now.Limit, Effective: now.Effective}
	for _, s := range kept {
		now.Shares = append(now.Shares, places.Share{Name: s.Name, Size: s.Places, Used: int(s.Used)})
		empty.Shares = append(empty.Shares, places.Share{Name: s.Name, Size: s.Places})
	}
	room := func(p places.Pool) int64 {
		own, open := p.Room(share, "campaign", nil)
		return int64(own + open)
	}
	left := room(now)
	l.Left, l.aDay = &left, room(empty)
	return &l, nil
}

// span counts the 24-hour spans that so many new people need.
func (l *Limit) span(people int64) {
	if l.Left == nil || people <= *l.Left || l.aDay <= 0 {
		return
	}
	l.DaysAtMin = 1 + int((people-*l.Left+l.aDay-1)/l.aDay)
}

func warnings(c campaigns.Campaign, n numbers.Number, t templates.Template, k *Check) []Warning {
	list := []Warning{}
	add := func(code string, p errs.Params) { list = append(list, Warning{code, p}) }
	for _, e := range c.Lacks(n, t) {
		add(e.Code, e.Params)
	}
	if code := c.Unsure(c.Account()); code != "" {
		add(code, nil)
	}
	if n.Quality == "YELLOW" || n.Quality == "RED" {
		add("campaign.warn_quality", errs.Params{"quality": n.Quality})
	}
	if !k.Limit.Known {
		add("campaign.warn_limit_unknown", nil)
	} else if k.Limit.DaysAtMin > 0 {
		add("campaign.warn_limit", errs.Params{"left": *k.Limit.Left, "eligible": k.Eligible, "days": k.Limit.DaysAtMin})
	}
	if most := n.PerSecond * 60; c.FinishWithin > 0 && plan.Pace(k.Eligible, c.FinishWithin) > most {
		add("campaign.warn_finish", errs.Params{"eligible": k.Eligible, "minutes": c.FinishWithin, "needed": plan.Pace(k.Eligible, most)})
	}
	for _, s := range c.Stops {
		add("campaign.warn_stop", errs.Params{"scope": s.Scope, "reason": s.Reason})
	}
	return list
}

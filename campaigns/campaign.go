// Package campaigns owns what is to be sent to whom: the campaign and its
// states, the dry run (check), the launch and its schedule, the run and its
// plan, pausing and stopping, and the report.
//
// api and web call its actions, one file each, inside a transaction of the
// caller's workspace; the scheduler calls Due, Finish and Snapshot; what a
// check finds out is in campaigns/check. It must not know HTTP, the queue or
// Meta, and it never changes a message's state: that is the ledger's.
package campaigns

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/breaker"
	"bareed/campaigns/plan"
	"bareed/campaigns/schedule"
	"bareed/campaigns/transport"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
	"bareed/numbers/onboarding"
	"bareed/whatsapp/codes"
)

// Campaign is a message to be sent to audiences, as it stands.
type Campaign struct {
	ID            id.Campaign    `json:"id"`
	Name          string         `json:"name"`
	State         State          `json:"state"`
	Paused        bool           `json:"paused" doc:"A person's stop is open."`
	Holding       bool           `json:"holding" doc:"A rule's stop is open on the campaign, its number, template or anything above."`
	Stops         []Stop         `json:"stops" doc:"Every open stop that holds this campaign."`
	Actions       []string       `json:"actions" doc:"What may be done in this state."`
	NumberID      id.Number      `json:"number_id"`
	TemplateID    id.Template    `json:"template_id"`
	AudienceIDs   []id.Audience  `json:"audience_ids"`
	Purpose       string         `json:"purpose" doc:"The template's category: marketing, utility or authentication."`
	Variables     plan.Variables `json:"variables"`
	UnknownPolicy string         `json:"unknown_policy,omitempty" doc:"hold or evidence; absent: the workspace's."`
	PerMinute     int            `json:"per_minute,omitempty"`
	FinishWithin  int            `json:"finish_within_minutes,omitempty" doc:"The pace is what sending to everybody in this time takes."`
	Told          *schedule.Told `json:"schedule,omitempty" doc:"When it runs; absent: at launch."`
	RunID         id.Run         `json:"run_id,omitzero" doc:"The newest run that has begun; before that, the one that waits."`
	NextRunID     id.Run         `json:"next_run_id,omitzero" doc:"The run that waits while run_id is on its way or over."`
	Version       int            `json:"version" doc:"Also the ETag."`
	CreatedBy     string         `json:"created_by"`
	CreatedAt     time.Time      `json:"created_at"`
	UpdatedAt     time.Time      `json:"updated_at"`
	LaunchedAt    *time.Time     `json:"launched_at,omitempty"`
	EndedAt       *time.Time     `json:"ended_at,omitempty"`

	transport.Choice

	Schedule *schedule.Time  `json:"-"` // the next firing; nil: at launch
	Rules    *schedule.Rules `json:"-"` // nil: once, at Schedule

	waba      id.WABA
	portfolio id.Portfolio
	account   onboarding.Account
}

// Portfolio is its number's.
func (c *Campaign) Portfolio() id.Portfolio { return c.portfolio }

// WABA is its number's.
func (c *Campaign) WABA() id.WABA { return c.waba }

// Account is its number's, as far as marketing goes.
func (c *Campaign) Account() onboarding.Account { return c.account }

// Stop is an open stop as a campaign's page tells it.
type Stop struct {
	ID        id.Stop          `json:"id"`
	Scope     messages.Scope   `json:"scope"`
	Reason    string           `json:"reason"`
	ByRule    bool             `json:"by_rule"`
	Threshold string           `json:"threshold,omitempty"`
	Measured  string           `json:"measured,omitempty"`
	MetaCode  *int             `json:"meta_code,omitempty" doc:"Meta's code that opened it"`
	MetaError *codes.MetaError `json:"meta_error,omitempty" doc:"The code in words"`
	Since     time.Time        `json:"since"`
	Until     *time.Time       `json:"until,omitempty"`
	OpenedBy  string           `json:"opened_by"`
	Next      string           `json:"next" doc:"What happens next: ends_by_itself, waits_for_resume, waits_for_review, waits_for_operator, waits_for_meta, waits_for_budget."`
	ClearedBy string           `json:"cleared_by" doc:"Who clears it: time, marketer, admin, operator, meta, budget (by raising it)."`
}

// tell says what happens next and who clears it: a stop with an end ends by
// itself, a person's pause waits for a person, a rule's for a review of what it
// measured; what is above the number is the workspace's administrator's.
func tell(s messages.Stop) Stop {
	t := Stop{ID: s.ID, Scope: s.Scope, Reason: s.Reason, ByRule: s.ByRule, Threshold: s.Threshold,
		Measured: s.Measured, MetaCode: s.Code, Since: s.Since, Until: s.Until, OpenedBy: s.OpenedBy}
	switch {
	case strings.HasPrefix(s.Reason, "budget_"):
		t.Next, t.ClearedBy = waitsForBudget, "budget"
	case s.Until != nil:
		t.Next, t.ClearedBy = "ends_by_itself", "time"
	case s.Reason == breaker.HeldByMeta:
		t.Next, t.ClearedBy = "waits_for_meta", "meta"
	case !s.ByRule && s.Scope == messages.ScopeCampaign:
		t.Next, t.ClearedBy = "waits_for_resume", "marketer"
	case s.Scope == messages.ScopeWorkspace && s.ByRule:
		t.Next, t.ClearedBy = "waits_for_operator", "operator"
	case clearable(s.Scope):
		t.Next, t.ClearedBy = "waits_for_review", "marketer"
	default:
		t.Next, t.ClearedBy = "waits_for_review", "admin"
	}
	return t
}

// waitsForBudget is the Next of a stop that no resume clears.
const waitsForBudget = "waits_for_budget"

// nameable scopes are those whose stop a campaign's resume may clear when it
// names it: they are the workspace's own to settle with Meta.
func nameable(s messages.Scope) bool {
	return clearable(s) || s == messages.ScopeWABA || s == messages.ScopePortfolio
}

// clearable scopes are those a campaign's resume may clear with clear_holds.
func clearable(s messages.Scope) bool {
	switch s {
	case messages.ScopeCampaign, messages.ScopeRun, messages.ScopeTemplate, messages.ScopeNumber:
		return true
	}
	return false
}

// scopes lists everything whose stop holds the campaign.
func (c *Campaign) scopes(ws id.Workspace) [][16]byte {
	all := [][16]byte{ws, c.portfolio, c.waba, c.NumberID, c.TemplateID, c.ID}
	for _, run := range []id.Run{c.RunID, c.NextRunID} {
		if !run.IsZero() {
			all = append(all, run)
		}
	}
	return all
}

// Finish is the time over which a campaign spreads itself, 0 for none.
func (c Campaign) Finish() time.Duration { return time.Duration(c.FinishWithin) * time.Minute }

// sqlCampaigns is the body of both reads; a purpose is its template's category.
const sqlCampaigns = `
select c.id, c.name, c.state, c.number_id, c.template_id, n.waba_id, n.portfolio_id, lower(t.category),
    array(
        select a.audience_id
        from campaign_audience a
        where a.workspace_id = c.workspace_id
          and a.campaign_id = c.id
        order by a.audience_id),
    c.variables, coalesce(c.unknown_policy, ''), coalesce(c.per_minute, 0), coalesce(c.finish_within, 0),
    c.send_at, coalesce(c.send_zone, ''), c.send_local, c.schedule, r.id, nullif(newest.id, r.id), c.version,
    c.created_by, c.created_at, c.updated_at, c.launched_at, c.ended_at,
    c.transport, coalesce(c.product_policy, ''), c.activity_sharing, w.marketing_status, w.cloud_marketing_off
from campaign c
join number n on n.workspace_id = c.workspace_id and n.id = c.number_id
join waba w on w.workspace_id = n.workspace_id and w.id = n.waba_id
join template t on t.workspace_id = c.workspace_id and t.id = c.template_id
left join lateral (
    select r.id
    from run r
    where r.workspace_id = c.workspace_id
      and r.campaign_id = c.id
      and r.kind = 'campaign'
    order by r.state in ('planning', 'missed'), r.id desc
    limit 1) r on true
left join lateral (
    select r.id
    from run r
    where r.workspace_id = c.workspace_id
      and r.campaign_id = c.id
      and r.kind = 'campaign'
      and r.state = 'planning'
    order by r.id desc
    limit 1) newest on true
where c.workspace_id = $1
  and c.deleted_at is null`

const sqlGet = sqlCampaigns + `
  and c.id = $2`

// Get reads one campaign with its open stops; not_found for any other.
func Get(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign) (Campaign, error) {
	c, err := pg.One(ctx, db, "read the campaign", scanCampaign, sqlGet, ws, campaign)
	if err != nil {
		return Campaign{}, err
	}
	list := []Campaign{c}
	err = addStops(ctx, db, ws, list)
	return list[0], err
}

// Filter chooses what List returns.
type Filter struct {
	States   []State
	Search   string // part of the name
	Number   id.Number
	Template id.Template
	After    id.Campaign // the last one of the page before; zero: from the newest
	Limit    int
}

const sqlList = sqlCampaigns + `
  and (cardinality($2::text[]) = 0 or c.state = any ($2))
  and ($3 = '' or position(lower($3) in lower(c.name)) > 0)
  and ($4::uuid is null or c.id < $4)
  and ($6::uuid is null or c.number_id = $6)
  and ($7::uuid is null or c.template_id = $7)
order by c.id desc
limit $5`

// List returns campaigns, newest first, at most f.Limit.
func List(ctx context.Context, db pg.DB, ws id.Workspace, f Filter) ([]Campaign, error) {
	states := make([]string, len(f.States))
	for i, s := range f.States {
		states[i] = string(s)
	}
	list, err := pg.All(ctx, db, "list campaigns", scanCampaign, sqlList, ws, states, f.Search, f.After, f.Limit, f.Number, f.Template)
	if err != nil {
		return nil, err
	}
	return list, addStops(ctx, db, ws, list)
}

func scanCampaign(row pgx.CollectableRow) (Campaign, error) {
	var c Campaign
	var sendAt, local *time.Time
	var zone string
	err := row.Scan(&c.ID, &c.Name, &c.State, &c.NumberID, &c.TemplateID, &c.waba, &c.portfolio, &c.Purpose,
		&c.AudienceIDs, &c.Variables, &c.UnknownPolicy, &c.PerMinute, &c.FinishWithin,
		&sendAt, &zone, &local, &c.Rules, &c.RunID, &c.NextRunID, &c.Version,
		&c.CreatedBy, &c.CreatedAt, &c.UpdatedAt, &c.LaunchedAt, &c.EndedAt,
		&c.Transport, &c.ProductPolicy, &c.ActivitySharing, &c.account.Status, &c.account.CloudOff)
	if sendAt != nil {
		t := c.Rules.Stored(*sendAt, zone, local)
		c.Schedule = &t
	}
	c.Told = c.Rules.Tell("en", c.Schedule)
	c.Actions = actions[c.State]
	c.Stops = []Stop{}
	return c, err
}

// addStops fills stops, paused and holding of all campaigns with one query.
func addStops(ctx context.Context, db pg.DB, ws id.Workspace, list []Campaign) error {
	var all [][16]byte
	for i := range list {
		all = append(all, list[i].scopes(ws)...)
	}
	if len(all) == 0 {
		return nil
	}
	stops, err := messages.OpenStops(ctx, db, ws, all...)
	if err != nil {
		return err
	}
	for i := range list {
		c := &list[i]
		if c.State.Ended() {
			continue // nothing is left to hold
		}
		mine := c.scopes(ws)
		for _, s := range stops {
			if slices.Contains(mine, s.ScopeID) {
				c.Stops = append(c.Stops, tell(s))
				c.Paused = c.Paused || !s.ByRule
				c.Holding = c.Holding || s.ByRule
			}
		}
	}
	return nil
}

const sqlLock = `
select from campaign
where workspace_id = $1
  and id = $2
  and deleted_at is null
for update`

// lock takes the campaign's row first and reads it then, so that every action
// decides on what the one before left. All actions lock in the order campaign,
// run.
func lock(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign) (Campaign, error) {
	tag, err := tx.Exec(ctx, sqlLock, ws, campaign)
	if err != nil {
		return Campaign{}, fmt.Errorf("lock the campaign: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return Campaign{}, errs.New("not_found")
	}
	return Get(ctx, tx, ws, campaign)
}

const sqlMove = `
update campaign
set state = $3,
    updated_at = bareed_now(),
    launched_at = case when $3 in ('scheduled', 'starting') then coalesce(launched_at, bareed_now()) else launched_at end,
    ended_at = case when $3 in ('completed', 'stopped', 'expired', 'failed') then bareed_now() else ended_at end
where workspace_id = $1
  and id = $2`

// move changes the state of a locked campaign, if the machine allows it.
func (c *Campaign) move(ctx context.Context, tx pgx.Tx, ws id.Workspace, to State) error {
	if !c.State.May(to) {
		return c.stateError()
	}
	if _, err := tx.Exec(ctx, sqlMove, ws, c.ID, to); err != nil {
		return fmt.Errorf("move the campaign to %s: %w", to, err)
	}
	c.State = to
	c.Actions = actions[to]
	return nil
}

// stateError refuses an action with the present state and what may be done instead.
func (c *Campaign) stateError() error {
	allowed := strings.Join(actions[c.State], ", ")
	if allowed == "" {
		allowed = "–"
	}
	return errs.New("campaign.state", "state", c.State, "actions", allowed)
}

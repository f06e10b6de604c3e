// Package difference owns the comparison of a campaign's check with what came of
// it: how many people were sent to who were not eligible then, how many were
// eligible and not reached, each with the two fates that say why, and who they are.
//
// api and web call it, on demand alone: the summary reads a run whole, so nothing
// that repeats by itself may ask for it. It reads what campaigns/check and messages
// have written and must not have rules of its own; it must not know HTTP or the queue.
package difference

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
	"bareed/whatsapp/codes"
)

// Fates beside the reasons of messages and of campaigns/plan, and beside Meta's
// codes, which are written as in a report: meta_131026.
const (
	// Eligible: the check said that they would be sent the message.
	Eligible = "eligible"
	// NotThere: in the audiences at one of the two times only. In the run also who
	// had a number that is another contact's by then.
	NotThere = "not_there"
	// Accepted: Meta took the message, whatever became of it afterwards.
	Accepted = "accepted"
	// Waiting: what becomes of them is still open.
	Waiting = "waiting"
)

// Group is people who differ alike.
type Group struct {
	AtCheck   string           `json:"at_check" doc:"eligible, a reason as the check has it, or not_there: they joined the audiences since"`
	InRun     string           `json:"in_run" doc:"accepted, a reason as the report has it (of failed ones meta_ and Meta's code), unknown, unconfirmed, waiting, or not_there: they left the audiences, or their number is another contact's by now"`
	People    int64            `json:"people"`
	MetaError *codes.MetaError `json:"meta_error,omitempty" doc:"Meta's code in words, where in_run is one"`
}

// Summary is a check beside a run. check_eligible - not_reached + reached_besides
// is run_accepted, and as_checked + different is people.
type Summary struct {
	CampaignID     id.Campaign        `json:"campaign_id"`
	CheckID        id.Check           `json:"check_id" doc:"The check that was launched on"`
	CheckedAt      time.Time          `json:"checked_at" doc:"When it was complete"`
	RunID          id.Run             `json:"run_id"`
	RunState       campaigns.RunState `json:"run_state" doc:"While it is under way the figures still change"`
	CheckTotal     int64              `json:"check_total"`
	CheckEligible  int64              `json:"check_eligible"`
	RunTotal       int64              `json:"run_total" doc:"People with a message, sent or left out"`
	RunAccepted    int64              `json:"run_accepted" doc:"Of those: Meta took it"`
	Unplanned      int64              `json:"unplanned" doc:"People of the check who have no message because the run is not planned to its end, or ended before it was"`
	NotReached     int64              `json:"not_reached" doc:"Eligible at the check, and Meta has not taken their message"`
	ReachedBesides int64              `json:"reached_besides" doc:"Not eligible at the check, and Meta took their message"`
	People         int64              `json:"people" doc:"Of the check or the run, each once"`
	AsChecked      int64              `json:"as_checked" doc:"Of those: as the check said; eligible and accepted, or left out for the same reason"`
	Different      int64              `json:"different" doc:"Of those: in differences"`
	Differences    []Group            `json:"differences" doc:"Most people first"`
}

// Pair is a completed check and a run of the same campaign.
type Pair struct {
	Campaign  id.Campaign
	Check     id.Check
	CheckedAt time.Time
	Run       id.Run
	State     campaigns.RunState

	unplanned string // the fate of who was checked and has no message
	page      int    // people whom one statement of the rows looks at
}

const sqlPair = `
select k.id, coalesce(k.finished_at, k.created_at), r.state, r.plan_done and r.planned > 0
from run r
cross join lateral (
    select k.id, k.finished_at, k.created_at
    from plan_check k
    where k.workspace_id = r.workspace_id
      and k.campaign_id = r.campaign_id
      and k.state = 'completed'
    order by k.id desc
    limit 1) k
where r.workspace_id = $1
  and r.id = $2
  and r.campaign_id = $3
  and r.kind = 'campaign'`

// Find finds what is compared: the campaign's newest completed check, which since
// a launch is the one that was launched on, and a run of it, the campaign's own for
// the zero id. campaign.not_launched before a launch.
func Find(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, run id.Run) (Pair, error) {
	c, err := campaigns.Get(ctx, db, ws, campaign)
	if err != nil {
		return Pair{}, err
	}
	return find(ctx, db, ws, c, run)
}

func find(ctx context.Context, db pg.DB, ws id.Workspace, c campaigns.Campaign, run id.Run) (Pair, error) {
	p := Pair{Campaign: c.ID, Run: run, page: page}
	if c.RunID.IsZero() {
		return p, errs.New("campaign.not_launched", "state", c.State)
	}
	if run.IsZero() {
		p.Run = c.RunID
	}
	var planned bool
	err := db.QueryRow(ctx, sqlPair, ws, p.Run, c.ID).Scan(&p.Check, &p.CheckedAt, &p.State, &planned)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, errs.New("not_found")
	}
	if err != nil {
		return p, fmt.Errorf("find the check and the run: %w", err)
	}
	p.unplanned = unplanned(p.State, planned)
	return p, nil
}

// unplanned is the fate of people of the check without a message. A plan that
// reached its end left out who is not in the audiences; one that did not, or was
// called off before it began, says nothing of anybody.
func unplanned(state campaigns.RunState, planned bool) string {
	switch {
	case planned:
		return NotThere
	case state == campaigns.RunStopped:
		return messages.Stopped
	case state == campaigns.RunMissed || state == campaigns.RunExpired:
		return messages.Expired
	}
	return Waiting
}

// fate is a piece of a statement: what became of the message m.
const fate = `
            case
                when m.state in ('accepted', 'held', 'sent', 'delivered', 'read', 'played') then 'accepted'
                when m.state in ('ready', 'sending') then 'waiting'
                when m.state in ('suppressed', 'failed') then coalesce(m.reason, m.state)
                else m.state
            end`

// sqlCompare lays everybody of the check beside everybody of the run, each table
// read once.
const sqlCompare = `
select coalesce(k.fate, 'not_there'), coalesce(m.fate, $4), m.contact_id is null, count(*)
from (
    select r.contact_id, coalesce(r.reason, 'eligible') as fate
    from plan_check_row r
    where r.workspace_id = $1
      and r.check_id = $2) k
full join (
    select m.contact_id,` + fate + ` as fate
    from message m
    where m.workspace_id = $1
      and m.run_id = $3) m on m.contact_id = k.contact_id
group by 1, 2, 3`

// counted is people of one kind.
type counted struct {
	AtCheck, InRun string
	Absent         bool // they have no message
	People         int64
}

// Get compares the campaign's check with a run of it; see Find. It reads both
// whole, a second and more for a million people.
func Get(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, run id.Run) (Summary, error) {
	c, err := campaigns.Get(ctx, db, ws, campaign)
	if err != nil {
		return Summary{}, err
	}
	return Of(ctx, db, ws, c, run)
}

// Of is Get of a campaign that was just read.
func Of(ctx context.Context, db pg.DB, ws id.Workspace, c campaigns.Campaign, run id.Run) (Summary, error) {
	p, err := find(ctx, db, ws, c, run)
	if err != nil {
		return Summary{}, err
	}
	list, err := pg.All(ctx, db, "compare the check with the run", pgx.RowToStructByPos[counted], sqlCompare, ws, p.Check, p.Run, p.unplanned)
	if err != nil {
		return Summary{}, err
	}
	return p.sum(list), nil
}

// sum adds up what was counted.
func (p Pair) sum(list []counted) Summary {
	s := Summary{CampaignID: p.Campaign, CheckID: p.Check, CheckedAt: p.CheckedAt, RunID: p.Run, RunState: p.State, Differences: []Group{}}
	groups := map[[2]string]int64{}
	for _, c := range list {
		s.People += c.People
		if c.AtCheck != NotThere {
			s.CheckTotal += c.People
		}
		if !c.Absent {
			s.RunTotal += c.People
		} else if c.InRun != NotThere {
			s.Unplanned += c.People
		}
		eligible, accepted := c.AtCheck == Eligible, c.InRun == Accepted
		add(&s.CheckEligible, c.People, eligible)
		add(&s.RunAccepted, c.People, accepted)
		add(&s.NotReached, c.People, eligible && !accepted)
		add(&s.ReachedBesides, c.People, accepted && !eligible)
		if eligible && accepted || c.AtCheck == c.InRun {
			s.AsChecked += c.People
			continue
		}
		s.Different += c.People
		groups[[2]string{c.AtCheck, c.InRun}] += c.People
	}
	for fates, n := range groups {
		s.Differences = append(s.Differences, Group{AtCheck: fates[0], InRun: fates[1], People: n})
	}
	slices.SortFunc(s.Differences, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.People, a.People), cmp.Compare(a.AtCheck, b.AtCheck), cmp.Compare(a.InRun, b.InRun))
	})
	return s
}

func add(to *int64, n int64, when bool) {
	if when {
		*to += n
	}
}

// Tell puts Meta's codes into words ("en" or "ar").
func (s *Summary) Tell(lang string) {
	for i, g := range s.Differences {
		if code, ok := codes.OfReason(g.InRun); ok {
			told := codes.Tell(lang, code, true)
			s.Differences[i].MetaError = &told
		}
	}
}

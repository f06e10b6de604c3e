package plan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/schedule"
	"bareed/internal/id"
	"bareed/internal/seal"
	"bareed/messages"
	"bareed/templates"
)

// LeaseTime is how long a planning or checking task may be silent before another
// takes its work over.
const LeaseTime = 15 * time.Second

// ErrTaken means that another task plans the run, or that it ended meanwhile:
// there is nothing left to do for the one that gets it.
var ErrTaken = errors.New("the plan is not this task's any more")

const sqlLease = `
update run
set lease_until = bareed_now() + $3::interval
where workspace_id = $1
  and id = $2
  and settled_at is null
  and not plan_done
  and (lease_until is null or lease_until < bareed_now())
  and not exists (
    select from stop s
    where s.workspace_id = run.workspace_id
      and s.scope_id = run.id
      and s.reason = $4
      and s.cleared_at is null)`

// Lease takes the planning of a run on; false when there is nothing to plan,
// somebody else is at it or it failed too often and waits for a person.
func Lease(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (bool, error) {
	tag, err := tx.Exec(ctx, sqlLease, ws, run, LeaseTime, messages.PlanFailed)
	if err != nil {
		return false, fmt.Errorf("take the plan on: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

const sqlRelease = `
update run
set lease_until = null
where workspace_id = $1
  and id = $2
  and not plan_done`

// Release lets another task go on at once, when this one ends early. Should the
// lease be another's by now, no harm is done: the cursor decides.
func Release(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) error {
	if _, err := tx.Exec(ctx, sqlRelease, ws, run); err != nil {
		return fmt.Errorf("give the plan back: %w", err)
	}
	return nil
}

// Progress is how far a plan has come after one more chunk.
type Progress struct {
	Planned int32 // ordinals given out so far
	Done    bool
}

// planned is what of a run its planning needs.
type planned struct {
	campaign  id.Campaign
	scope     Scope
	rules     Rules
	planned   int32
	plannedTo id.Contact
	own       *ownTime // set in a run that goes by everybody's own zone
	expected  int64    // people who may be sent to, by the check; 0: not known
	state     string   // of the run
	ended     string   // why nobody more is sent to, in a run that is over; empty: it goes on
}

const sqlRunToPlan = `
select r.campaign_id, r.purpose, r.portfolio_id, r.waba_id, r.template, r.variables, r.planned, r.planned_to, bareed_now(),
    array(
        select a.audience_id
        from campaign_audience a
        where a.workspace_id = r.workspace_id
          and a.campaign_id = r.campaign_id),
    r.starts_at, r.send_local, case when r.recipient_time then c.schedule end, coalesce(r.expected, 0), c.frequency_pass is not null, r.state
from run r
left join campaign c on c.workspace_id = r.workspace_id and c.id = r.campaign_id
where r.workspace_id = $1
  and r.id = $2
  and r.settled_at is null
  and not r.plan_done`

func readRunToPlan(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, operator []string) (planned, error) {
	p := planned{scope: Scope{Workspace: ws, Run: run}}
	var raw []byte
	var template templates.Template
	var variables Variables
	var now, startsAt time.Time
	var local *time.Time
	var rules *schedule.Rules
	err := tx.QueryRow(ctx, sqlRunToPlan, ws, run).Scan(&p.campaign, &p.scope.Purpose, &p.scope.Portfolio, &p.scope.WABA, &raw,
		&variables, &p.planned, &p.plannedTo, &now, &p.scope.Audiences, &startsAt, &local, &rules, &p.expected, &p.scope.Sending.Pass, &p.state)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, ErrTaken
	}
	if err != nil {
		return p, fmt.Errorf("read the run to plan: %w", err)
	}
	p.ended = ended(p.state)
	if err := json.Unmarshal(raw, &template); err != nil {
		return p, fmt.Errorf("read the run's template: %w", err)
	}
	if err := p.scope.keepFrom(ctx, tx, operator, now, startsAt); err != nil {
		return p, err
	}
	p.rules = NewRules(template, variables, now).Under(p.scope)
	p.scope.Attributes = variables.Attributes()
	p.own, err = newOwnTime(rules, startsAt, local, now)
	return p, err
}

// ended is the reason by which the rest of a run that is over is left out: what
// Finish gives the people who had their rows already.
func ended(state string) string {
	switch state {
	case "stopped":
		return messages.Stopped
	case "expired", "missed":
		return messages.Expired
	}
	return ""
}

// sqlPlanned moves the cursor only from where the chunk began: of two tasks at
// the same place one wins, and a run that ended meanwhile takes nobody as ready.
const sqlPlanned = `
update run
set planned = $4,
    planned_to = coalesce($5, planned_to),
    plan_done = $6,
    plan_failures = 0,
    lease_until = case when $6 then null else bareed_now() + $7::interval end
where workspace_id = $1
  and id = $2
  and planned = $3
  and state = $8
  and not plan_done`

// sqlPace is the pace of a run that is to be over within a time: Pace, of
// everybody who may be sent to. Nothing of it was fed before.
const sqlPace = `
update run r
set per_minute = greatest(1, ceil((
    select count(*)
    from message m
    where m.run_id = r.id
      and m.state = 'ready') / r.finish_within::numeric))
where r.workspace_id = $1
  and r.id = $2
  and r.finish_within is not null
  and r.state in ('planning', 'running')`

// Next decides about the next people of the run, in order of their id, and
// writes their rows and the cursor in the caller's transaction. Everybody gets
// an ordinal, suppressed or not; in a run that was stopped meanwhile too, so that it
// accounts for all of them. The run's row is locked last and briefly,
// because the feeder moves its own cursor on it meanwhile. operator are the
// countries that its operator blocks.
func Next(ctx context.Context, tx pgx.Tx, v *accounts.Vault, box *seal.Box, ws id.Workspace, run id.Run, operator ...string) (Progress, error) {
	p, err := readRunToPlan(ctx, tx, ws, run, operator)
	if err != nil {
		return Progress{}, err
	}
	people, first, err := p.next(ctx, tx, v)
	if err != nil {
		return Progress{}, err
	}
	rows, err := p.rows(v, box, people)
	if err != nil {
		return Progress{}, err
	}
	c := Progress{Planned: p.planned + int32(len(rows)), Done: len(people) < Size && !first}
	if c.Done && p.ended == "" {
		// Campaign before run, as everywhere.
		err := messages.CampaignEvent(ctx, tx, ws, p.campaign, "campaign.planned", map[string]any{"run": run, "people": c.Planned})
		if err != nil {
			return c, err
		}
	}
	if _, err := messages.Plan(ctx, tx, ws, run, p.planned+1, rows); err != nil {
		return c, err
	}
	if err := p.takeTurns(ctx, tx, rows); err != nil {
		return c, err
	}
	var last id.Contact
	if len(people) > 0 && !first {
		last = people[len(people)-1].Contact
	}
	return c, p.move(ctx, tx, c, last)
}

// move moves the cursor behind the last of the chunk's people, and sets the pace of
// a run that is planned; ErrTaken when another planner has moved it.
func (p planned) move(ctx context.Context, tx pgx.Tx, c Progress, last id.Contact) error {
	ws, run := p.scope.Workspace, p.scope.Run
	tag, err := tx.Exec(ctx, sqlPlanned, ws, run, p.planned, c.Planned, last, c.Done, LeaseTime, p.state)
	if err != nil {
		return fmt.Errorf("move the plan's cursor: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return ErrTaken
	}
	if c.Done {
		if _, err := tx.Exec(ctx, sqlPace, ws, run); err != nil {
			return fmt.Errorf("set the run's pace: %w", err)
		}
	}
	return nil
}

// next reads the people of the next chunk; first: those of the canary, who are
// planned before the rest and out of the cursor's order. The chunks behind meet
// them again and leave them as they are.
func (p planned) next(ctx context.Context, tx pgx.Tx, v *accounts.Vault) (people []Person, first bool, err error) {
	if p.planned == 0 && p.plannedTo.IsZero() && p.own == nil && p.expected >= canaryFrom {
		people, err = readCanary(ctx, tx, v, p.scope, p.expected)
		if err != nil || len(people) > 0 {
			return people, true, err
		}
	}
	people, err = Read(ctx, tx, v, p.scope, p.plannedTo)
	return people, false, err
}

// rows makes the ledger's rows of a chunk. Parameters are sealed for the place
// they go to, so that no row's parameters can stand in another.
func (p planned) rows(v *accounts.Vault, box *seal.Box, people []Person) ([]messages.Planned, error) {
	rows := make([]messages.Planned, 0, len(people))
	for _, who := range people {
		if who.alreadyInRun {
			continue
		}
		key := who.recipientKey()
		row := messages.Planned{Contact: who.Contact, RecipientKey: key, Address: who.address(), Country: who.Country(),
			Hash: v.RecipientHash(key), Consent: who.consent}
		var values templates.Values
		if row.Reason, values = p.rules.Decide(who); row.Reason == "" {
			row.Reason = p.ended
		}
		if row.Reason == "" && p.own != nil {
			p.own.place(&row, who)
		}
		if row.Reason == "" {
			ordinal := p.planned + int32(len(rows)) + 1
			plain, err := json.Marshal(values)
			if err != nil {
				return nil, fmt.Errorf("write parameters: %w", err)
			}
			if row.Parameters, err = box.Seal(plain, messages.ParametersPlace(id.Message{Run: p.scope.Run, Ordinal: ordinal})); err != nil {
				return nil, fmt.Errorf("seal parameters: %w", err)
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

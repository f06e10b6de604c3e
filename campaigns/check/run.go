package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/plan"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/templates"
)

// sqlLease does not wait for the row: who holds it is at a chunk, however long that
// takes, and a worker's slot is not for waiting.
const sqlLease = `
with free as (
    select id
    from plan_check
    where workspace_id = $1
      and id = $2
      and state in ('waiting', 'running')
      and (lease_until is null or lease_until < bareed_now())
    for update skip locked), k as (
    update plan_check
    set state = 'running', lease_until = bareed_now() + $3::interval
    from free
    where workspace_id = $1
      and plan_check.id = free.id
    returning plan_check.id)
update job
set state = 'running', updated_at = bareed_now()
from k
where job.workspace_id = $1
  and job.id = k.id`

// Lease takes a check on; false when it is done or somebody else is at it.
func Lease(ctx context.Context, tx pgx.Tx, ws id.Workspace, check id.Check) (bool, error) {
	tag, err := tx.Exec(ctx, sqlLease, ws, check, plan.LeaseTime)
	if err != nil {
		return false, fmt.Errorf("take the check on: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// sqlCheckCursor locks the check and finds where the last chunk ended: its
// rows are the cursor.
const sqlCheckCursor = `
select k.campaign_id, k.campaign_version,
    (select r.contact_id from plan_check_row r where r.workspace_id = $1 and r.check_id = $2 order by r.contact_id desc limit 1)
from plan_check k
where k.workspace_id = $1
  and k.id = $2
  and k.state = 'running'
for update of k`

const sqlCheckRows = `
insert into plan_check_row (workspace_id, check_id, contact_id, reason)
select $1, $2, r.contact, nullif(r.reason, '')
from unnest($3::uuid[], $4::text[]) as r(contact, reason)`

const sqlCheckProgress = `
with k as (
    update plan_check
    set total = total + $3, failures = 0, lease_until = bareed_now() + $4::interval
    where workspace_id = $1
      and id = $2
    returning total)
update job
set done = k.total, updated_at = bareed_now()
from k
where job.workspace_id = $1
  and job.id = $2`

// Chunk decides about the next people and writes their fate; done when the
// check has ended, also because the campaign was edited or deleted meanwhile.
// operator are the countries that its operator blocks.
func Chunk(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, check id.Check, operator ...string) (done bool, err error) {
	var campaign id.Campaign
	var version int
	var after id.Contact
	err = tx.QueryRow(ctx, sqlCheckCursor, ws, check).Scan(&campaign, &version, &after)
	if errors.Is(err, pgx.ErrNoRows) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the check: %w", err)
	}
	c, err := campaigns.Get(ctx, tx, ws, campaign)
	if errs.Is(err, "not_found") || err == nil && c.Version != version {
		return true, fail(ctx, tx, ws, check)
	}
	if err != nil {
		return false, err
	}
	if after.IsZero() {
		if err := approve(ctx, tx, ws, c, check); err != nil {
			return false, err
		}
	}
	people, err := decide(ctx, tx, v, ws, c, check, after, operator)
	if err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, sqlCheckProgress, ws, check, people, plan.LeaseTime); err != nil {
		return false, fmt.Errorf("note the check's progress: %w", err)
	}
	if people == plan.Size {
		return false, nil
	}
	return true, complete(ctx, tx, ws, c, check)
}

const sqlApprove = `
update plan_check
set template = $3
where workspace_id = $1
  and id = $2
  and template is null`

// approve keeps the template by which the check decides from its first people on:
// what a launch on this check agrees to.
func approve(ctx context.Context, tx pgx.Tx, ws id.Workspace, c campaigns.Campaign, check id.Check) error {
	t, err := templates.Get(ctx, tx, ws, c.TemplateID)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("write the check's template: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlApprove, ws, check, raw); err != nil {
		return fmt.Errorf("keep the check's template: %w", err)
	}
	return nil
}

func decide(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, c campaigns.Campaign, check id.Check, after id.Contact, operator []string) (int, error) {
	t, err := templates.Get(ctx, tx, ws, c.TemplateID)
	if err != nil {
		return 0, err
	}
	now, err := pg.Now(ctx, tx)
	if err != nil {
		return 0, err
	}
	scope := plan.Scope{Workspace: ws, Audiences: c.AudienceIDs, Portfolio: c.Portfolio(), WABA: c.WABA(),
		Purpose: c.Purpose, Attributes: c.Variables.Attributes()}
	if scope.Sending, err = plan.ReadSending(ctx, tx, ws, c.ID, operator, now, starts(c)); err != nil {
		return 0, err
	}
	rules := plan.NewRules(t, c.Variables, now).Under(scope)
	people, err := plan.Read(ctx, tx, v, scope, after)
	if err != nil {
		return 0, err
	}
	contacts, reasons := make([]id.Contact, len(people)), make([]string, len(people))
	var eligible []plan.Person
	for i, p := range people {
		contacts[i] = p.Contact
		if reasons[i], _ = rules.Decide(p); reasons[i] == "" {
			eligible = append(eligible, p)
		}
	}
	if err := countCountries(ctx, tx, v, ws, c, check, eligible); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, sqlCheckRows, ws, check, contacts, reasons); err != nil {
		return 0, fmt.Errorf("write the check's rows: %w", err)
	}
	return len(people), noteEligible(ctx, tx, v, ws, c, check, people, reasons)
}

const sqlCompleteCheck = `
with g as (
    select reason, count(*) as people
    from plan_check_row
    where workspace_id = $1
      and check_id = $2
    group by reason
), f as (
    select coalesce(sum(people), 0) as total,
        coalesce(sum(people) filter (where reason is null), 0) as eligible,
        coalesce(jsonb_object_agg(reason, people) filter (where reason is not null), '{}') as suppressed
    from g
), k as (
    update plan_check k
    set state = 'completed', total = f.total, eligible = f.eligible, suppressed = f.suppressed,
        lease_until = null, finished_at = bareed_now()
    from f
    where k.workspace_id = $1
      and k.id = $2
    returning k.total, k.eligible, k.suppressed)
update job
set state = 'completed', done = k.total, total = k.total, updated_at = bareed_now(),
    result = jsonb_build_object('total', k.total, 'eligible', k.eligible, 'suppressed', k.suppressed)
from k
where job.workspace_id = $1
  and job.id = $2
returning k.total, k.eligible`

// sqlForgetRows: only the newest check's rows can be downloaded.
const sqlForgetRows = `
delete from plan_check_row r
using plan_check k
where k.workspace_id = $1
  and k.campaign_id = $2
  and k.id <> $3
  and r.workspace_id = $1
  and r.check_id = k.id`

func complete(ctx context.Context, tx pgx.Tx, ws id.Workspace, checked campaigns.Campaign, check id.Check) error {
	var total, eligible int64
	if err := tx.QueryRow(ctx, sqlCompleteCheck, ws, check).Scan(&total, &eligible); err != nil {
		return fmt.Errorf("complete the check: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlForgetRows, ws, checked.ID, check); err != nil {
		return fmt.Errorf("forget older checks: %w", err)
	}
	return campaigns.Checked(ctx, tx, ws, checked.ID, checked.Version, map[string]any{"check": check, "total": total, "eligible": eligible})
}

const sqlFailCheck = `
with k as (
    update plan_check
    set state = 'failed', lease_until = null, finished_at = bareed_now()
    where workspace_id = $1
      and id = $2)
update job
set state = 'failed', problem = '{"code": "campaign.check_outdated"}', updated_at = bareed_now()
where workspace_id = $1
  and id = $2`

// fail ends a check of a campaign that is no longer what was to be checked.
func fail(ctx context.Context, tx pgx.Tx, ws id.Workspace, check id.Check) error {
	if _, err := tx.Exec(ctx, sqlFailCheck, ws, check); err != nil {
		return fmt.Errorf("end the outdated check: %w", err)
	}
	return nil
}

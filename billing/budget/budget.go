// Package budget owns how much may be spent: a workspace's budget of a month and
// a campaign's of each sending, whether an estimate fits them, and how far a run
// may go on what is left.
//
// api and web set and show it and ask it at the launch; the leader begins and
// moves each run's boundary, which the feeder and the claim already read, so that
// no message adds anything up. It must not know HTTP, the queue or Meta.
package budget

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/billing"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
)

// The reasons of the holds, both on the run.
const (
	OverCampaign = "budget_campaign"
	OverMonth    = "budget_month" // ends by itself with the month
)

// opener is who opens the holds.
const opener = "system:budget"

// Budget is what was set; Amount is nil for none.
type Budget struct {
	Amount    *billing.Money `json:"amount" doc:"Null: no budget"`
	Version   int            `json:"version" doc:"Also in the ETag; 0: nothing was ever set"`
	UpdatedBy string         `json:"updated_by,omitempty"`
	UpdatedAt *time.Time     `json:"updated_at,omitempty"`
}

const sqlBudgets = `
select subject_id, micros, currency, version, updated_by, updated_at
from budget
where workspace_id = $1
  and subject_id = any ($2)`

// sqlKeepBudgets lets nobody change them until the transaction ends. Budgets are
// locked before campaigns, and these before runs.
const sqlKeepBudgets = sqlBudgets + `
for share`

// read reads the budgets of the subjects that have one or had.
func read(ctx context.Context, db pg.DB, ws id.Workspace, subjects ...[16]byte) (map[[16]byte]Budget, error) {
	return collect(db.Query(ctx, sqlBudgets, ws, subjects))
}

func collect(rows pgx.Rows, err error) (map[[16]byte]Budget, error) {
	if err != nil {
		return nil, fmt.Errorf("read the budgets: %w", err)
	}
	all := map[[16]byte]Budget{}
	var subject [16]byte
	var micros *int64
	var currency string
	var b Budget
	_, err = pgx.ForEachRow(rows, []any{&subject, &micros, &currency, &b.Version, &b.UpdatedBy, &b.UpdatedAt}, func() error {
		one := b
		if micros != nil {
			one.Amount = &billing.Money{Micros: *micros, Currency: currency}
		}
		all[subject] = one
		b.UpdatedAt, micros = nil, nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the budgets: %w", err)
	}
	return all, nil
}

// OfCampaign is a campaign's own budget, for each of its sendings.
type OfCampaign struct {
	Campaign id.Campaign `json:"campaign_id"`
	Budget
	state string
}

// launched tells whether a run was made of it.
func (c OfCampaign) launched() bool {
	return !slices.Contains([]string{"draft", "checking", "needs_approval"}, c.state)
}

func (c OfCampaign) over() bool {
	return slices.Contains([]string{"completed", "stopped", "expired", "failed"}, c.state)
}

const sqlCampaign = `
select state
from campaign
where workspace_id = $1
  and id = $2
  and deleted_at is null`

// GetCampaign reads it; not_found when there is no such campaign.
func GetCampaign(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign) (OfCampaign, error) {
	c := OfCampaign{Campaign: campaign}
	err := db.QueryRow(ctx, sqlCampaign, ws, campaign).Scan(&c.state)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, errs.New("not_found")
	}
	if err != nil {
		return c, fmt.Errorf("read the campaign: %w", err)
	}
	all, err := read(ctx, db, ws, campaign)
	c.Budget = all[campaign]
	return c, err
}

// PutCampaign sets it, or takes it away for nil. was is what the caller read. Who
// may write campaigns sets that of a draft; of a campaign that was launched only
// who may write billing, because it lets a held one go on.
func PutCampaign(ctx context.Context, tx pgx.Tx, a accounts.Actor, was OfCampaign, amount *billing.Money) (OfCampaign, error) {
	action := accounts.WriteCampaigns
	if was.launched() {
		action = accounts.WriteBilling
	}
	if err := accounts.Allow(a, action); err != nil {
		return was, err
	}
	if was.over() {
		return was, errs.New("campaign.state", "state", was.state, "actions", "–")
	}
	if err := put(ctx, tx, a, was.Campaign, was.Campaign.String(), was.Budget, amount); err != nil {
		return was, err
	}
	if err := hold(ctx, tx, a, was.Campaign, OverCampaign); err != nil {
		return was, err
	}
	return GetCampaign(ctx, tx, a.Workspace, was.Campaign)
}

// PutMonth sets the workspace's budget of a month, or takes it away for nil. was
// is what the caller read.
func PutMonth(ctx context.Context, tx pgx.Tx, a accounts.Actor, was Budget, amount *billing.Money) error {
	if err := accounts.Allow(a, accounts.WriteBilling); err != nil {
		return err
	}
	if err := put(ctx, tx, a, a.Workspace, a.Workspace.String(), was, amount); err != nil {
		return err
	}
	return hold(ctx, tx, a, id.Campaign{}, OverMonth)
}

const sqlPut = `
insert into budget (workspace_id, subject_id, micros, currency, updated_by)
values ($1, $2, $3, $4, $5)
on conflict (workspace_id, subject_id) do update
set micros = excluded.micros, currency = excluded.currency, version = budget.version + 1, updated_by = excluded.updated_by, updated_at = bareed_now()
where budget.version = $6
returning version`

// mostMicros is the largest budget: a thousand million of any currency.
const mostMicros = 1_000_000_000 * billing.Unit

var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

func put(ctx context.Context, tx pgx.Tx, a accounts.Actor, subject [16]byte, name string, was Budget, amount *billing.Money) error {
	var micros *int64
	currency := ""
	if amount != nil {
		switch {
		case amount.Micros <= 0 || amount.Micros > mostMicros:
			return errs.New("budget.amount", "max", billing.Decimal(mostMicros)).At("/amount/amount_micros", "")
		case !currencyForm.MatchString(amount.Currency):
			return errs.New("ratecard.currency", "got", errs.Clip(amount.Currency)).At("/amount/currency", "")
		}
		micros, currency = &amount.Micros, amount.Currency
	}
	var version int
	err := tx.QueryRow(ctx, sqlPut, a.Workspace, subject, micros, currency, a.String(), was.Version).Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && version != was.Version+1 {
		return errs.New("version.stale")
	}
	if err != nil {
		return fmt.Errorf("write the budget: %w", err)
	}
	return accounts.Audit(ctx, tx, a, accounts.Deed{Action: "budget.changed", Subject: name,
		Detail: map[string]any{"before": was.Amount, "after": amount}})
}

// sqlLockCampaigns comes before the lock of any run, as everywhere.
const sqlLockCampaigns = `
select
from campaign c
where c.workspace_id = $1
  and c.id in (
    select r.campaign_id
    from run r
    where r.workspace_id = $1
      and r.kind = 'campaign'
      and r.state in ('planning', 'running')
      and ($2::uuid is null or r.campaign_id = $2))
order by c.id
for update`

// sqlHold begins or ends the boundary of runs under way.
const sqlHold = `
update run r
set budget_to = case when exists (
        select from budget b
        where b.workspace_id = r.workspace_id
          and b.subject_id in (r.workspace_id, r.campaign_id)
          and b.micros is not null)
    then coalesce(r.budget_to, r.fed) end
where r.workspace_id = $1
  and r.kind = 'campaign'
  and r.state in ('planning', 'running')
  and r.settled_at is null
  and ($2::uuid is null or r.campaign_id = $2)
returning r.id`

// hold has the budgets as they are now hold the runs under way, and lets those go
// on that were held by the one that was changed: the next look judges them anew.
func hold(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, reason string) error {
	if _, err := tx.Exec(ctx, sqlLockCampaigns, a.Workspace, campaign); err != nil { // zero: all
		return fmt.Errorf("lock the campaigns that the budget holds: %w", err)
	}
	runs, err := pg.All(ctx, tx, "have the budget hold what runs", pgx.RowTo[id.Run], sqlHold, a.Workspace, campaign)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if _, err := messages.ClearStops(ctx, tx, a.Workspace, messages.Clearing{ScopeID: run, Reason: reason, By: a.String()}); err != nil {
			return err
		}
	}
	return nil
}

package budget

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/billing"
	"bareed/billing/estimate"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Verdict is how an estimate stands to the budgets.
type Verdict struct {
	Campaign *billing.Money `json:"campaign" doc:"The campaign's own budget; null: none"`
	Month    *Month         `json:"month" doc:"The workspace's budget of the month; null: none, or the key has not the scope billing:read"`
	Remarks  []Remark       `json:"remarks" doc:"What refuses the launch, and what cannot be judged"`
}

// Estimated is an estimate with how it stands to the budgets.
type Estimated struct {
	estimate.Estimate
	Budgets Verdict `json:"budgets"`
}

// Remark is one thing that is wrong, as a code of the catalogue with its parameters.
type Remark struct {
	Code    string      `json:"code" enum:"budget.over_campaign,budget.over_month,budget.currency,budget.no_price"`
	Params  errs.Params `json:"params,omitempty"`
	Refuses bool        `json:"refuses" doc:"True: the launch is refused; false: a warning"`
}

// Refused is the first finding that refuses the launch, nil for none.
func (v Verdict) Refused() error {
	for _, f := range v.Remarks {
		if f.Refuses {
			e := errs.New(f.Code)
			e.Params = f.Params
			return e
		}
	}
	return nil
}

// asked is what is judged.
type asked struct {
	total    *billing.Money // nil: no message has a known price
	unpriced int64
}

// judge holds an estimate against the budgets. Without a price nothing is guessed:
// it is said that the budget does not hold these messages.
func (v *Verdict) judge(a asked) {
	v.Remarks = []Remark{}
	add := func(refuses bool, code string, kv ...any) {
		v.Remarks = append(v.Remarks, Remark{Code: code, Params: errs.New(code, kv...).Params, Refuses: refuses})
	}
	against := func(budget billing.Money, left int64, code string) {
		switch {
		case a.total == nil:
		case a.total.Currency != budget.Currency:
			add(true, "budget.currency", "budget", budget.String(), "currency", a.total.Currency)
			return
		case a.total.Micros > left:
			add(true, code, "estimate", a.total.String(), "left", billing.Money{Micros: max(left, 0), Currency: budget.Currency}.String(), "budget", budget.String())
		}
		if a.unpriced > 0 {
			add(false, "budget.no_price", "n", a.unpriced, "budget", budget.String())
		}
	}
	if v.Campaign != nil {
		against(*v.Campaign, v.Campaign.Micros, "budget.over_campaign")
	}
	if v.Month != nil {
		against(*v.Month.Amount, v.Month.left(), "budget.over_month")
	}
}

// OfEstimate holds a check's estimate against the budgets as they are now.
func OfEstimate(ctx context.Context, db pg.DB, ws id.Workspace, e estimate.Estimate) (Verdict, error) {
	v, err := standing(ctx, db, ws, e.CampaignID, id.Run{})
	if err != nil {
		return v, err
	}
	v.judge(asked{e.Total, e.Unpriced})
	return v, nil
}

// standing reads the budgets that a campaign is held to; run is not counted among
// what is promised.
func standing(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, run id.Run) (v Verdict, err error) {
	v.Remarks = []Remark{}
	all, err := read(ctx, db, ws, ws, campaign)
	if err != nil {
		return v, err
	}
	v.Campaign = all[campaign].Amount
	if all[ws].Amount == nil {
		return v, nil
	}
	m, err := monthOf(ctx, db, ws, all[ws], run)
	v.Month = &m
	return v, err
}

const sqlLaunched = `
select r.campaign_id, r.budget_to is null and r.state = 'planning' and r.planned = 0
from run r
where r.workspace_id = $1
  and r.id = $2`

// AtLaunch refuses a launch whose estimate, which was fixed just before in the same
// transaction, is more than a budget has left: budget.over_campaign,
// budget.over_month, budget.currency.
func AtLaunch(ctx context.Context, tx pgx.Tx, a accounts.Actor, run id.Run) error {
	var campaign id.Campaign
	var fresh bool
	if err := tx.QueryRow(ctx, sqlLaunched, a.Workspace, run).Scan(&campaign, &fresh); err != nil {
		return fmt.Errorf("read the run to judge: %w", err)
	}
	if !fresh {
		return nil // a repeated launch of what is under way
	}
	v, err := standing(ctx, tx, a.Workspace, campaign, run)
	if err != nil || v.Campaign == nil && v.Month == nil {
		return err
	}
	fixed, err := estimate.OfRun(ctx, tx, a.Workspace, run)
	if err != nil {
		return err
	}
	v.judge(sum(fixed))
	return v.Refused()
}

// Expected is what everybody of a launched run was estimated at; nil when no price
// is known.
func Expected(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run) (*billing.Money, error) {
	fixed, err := estimate.OfRun(ctx, db, ws, run)
	return sum(fixed).total, err
}

// sum adds up what was fixed for a run.
func sum(fixed []estimate.Fixed) asked {
	var a asked
	for _, f := range fixed {
		m := f.Amount()
		if m == nil {
			a.unpriced += f.People - f.Free
			continue
		}
		if a.total == nil {
			a.total = &billing.Money{Currency: m.Currency}
		}
		a.total.Micros += m.Micros
	}
	return a
}

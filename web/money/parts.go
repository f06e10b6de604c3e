package money

import (
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/billing"
	"bareed/billing/budget"
	"bareed/billing/cost"
	"bareed/billing/estimate"
	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

// Note is so many messages with a reason in words.
type Note struct {
	N    int64
	Text string
}

// EstimateView is what a check's page says of money.
type EstimateView struct {
	Total    string // empty: no price is known
	Complete bool
	Day      string
	Why      string // why no rate card applies, in words
	Card     id.RateCard
	Currency string
	Free     int64
	Unpriced int64
	Lines    []EstimateLine
	Findings []BudgetLine
	Caps     string // the page of the campaign's own budget
}

// BudgetLine is one finding about the budgets, in words.
type BudgetLine struct {
	Text    string
	Refuses bool // the launch is refused
}

// Refused is why a budget refuses the launch; empty when none does.
func (v *EstimateView) Refused() string {
	for _, f := range v.Findings {
		if f.Refuses {
			return f.Text
		}
	}
	return ""
}

// EstimateLine is one country's part, in words.
type EstimateLine struct {
	Country, Market string // Market empty: the country itself
	People, Free    int64
	Amount, Why     string // one of them
}

// OfCheck estimates a completed check for its page.
func OfCheck(c *front.Call, tx pgx.Tx, draft campaigns.Campaign, k check.Check) (*EstimateView, error) {
	e, err := estimate.Of(c.Ctx(), tx, c.Actor().Workspace, draft, k)
	if err != nil {
		return nil, err
	}
	l := c.Locale()
	v := &EstimateView{Total: Say(e.Total), Complete: e.Complete, Day: day(l, e.Day), Free: e.Free, Unpriced: e.Unpriced}
	if e.Why != "" {
		v.Why = l.Of("money.why", e.Why)
	}
	if e.Card != nil {
		v.Card, v.Currency = e.Card.ID, e.Card.Currency
	}
	verdict, err := budget.OfEstimate(c.Ctx(), tx, c.Actor().Workspace, e)
	if err != nil {
		return nil, err
	}
	v.Caps = "/campaigns/" + draft.ID.String() + "/caps"
	for _, f := range verdict.Remarks {
		v.Findings = append(v.Findings, BudgetLine{errs.Sentence(c.Lang(), f.Code, f.Params), f.Refuses})
	}
	for _, x := range e.Lines {
		line := EstimateLine{Country: country(l, x.Country), Market: region(l, x.Market, x.Country), People: x.People, Free: x.Free, Amount: Say(x.Amount)}
		if x.Amount == nil {
			line.Why = l.Of("money.why", x.Why)
		}
		v.Lines = append(v.Lines, line)
	}
	return v, nil
}

// CostView is what a campaign's report says of money.
type CostView struct {
	Estimated, Actual, Difference string // empty: not known
	CountedAt                     *time.Time
	Delivered, Charged, Open      int64
	Free, Unpriced                []Note
	FreeTotal, UnpricedTotal      int64
	Lines                         []CostLine
	Variance                      *VarianceView
}

// CostLine is one country and category, in words.
type CostLine struct {
	Country, Market, Category string
	Charged, Free, Unpriced   int64
	Amount                    string // empty: not known
	Estimated                 string // of the country; on its first line only
}

// VarianceView is the difference by causes, in words.
type VarianceView struct {
	Estimated, Actual, Difference string
	Causes                        []CauseLine
	NotCompared                   []Note
}

// CauseLine is one cause that is not nothing.
type CauseLine struct {
	Text, Hint, Amount string
	Messages           int64
}

// OfCampaign reads a launched campaign's cost for its report.
func OfCampaign(c *front.Call, tx pgx.Tx, now campaigns.Campaign) (*CostView, error) {
	k, err := cost.OfRun(c.Ctx(), tx, c.Actor().Workspace, now.ID, now.RunID)
	if err != nil {
		return nil, err
	}
	l := c.Locale()
	v := &CostView{Estimated: Say(k.Estimated), Actual: Say(k.Actual), CountedAt: k.CountedAt, Delivered: k.Delivered, Charged: k.Charged, Open: k.Open}
	v.Free, v.FreeTotal = notes(k.Free, func(reason string) string { return l.Of("money.free", reason) })
	v.Unpriced, v.UnpricedTotal = notes(k.Unpriced, func(reason string) string { return l.Of("money.why", reason) })
	v.lines(l, k)
	if k.Variance != nil {
		v.Variance = varianceOf(l, *k.Variance)
		v.Difference = v.Variance.Difference
	}
	return v, nil
}

// lines lists the actual cost, and the countries that were only estimated.
func (v *CostView) lines(l ui.Locale, k cost.Cost) {
	estimates := map[string]string{}
	for _, e := range k.Estimates {
		if estimates[e.Country] = Say(e.Amount); e.Amount == nil {
			estimates[e.Country] = l.Of("money.why", e.Why)
		}
	}
	seen := map[string]bool{}
	for _, x := range k.Lines {
		line := CostLine{Country: country(l, x.Country), Market: region(l, x.Market, x.Country), Category: l.Of("money.category", x.Category),
			Charged: x.Charged, Free: x.Free, Unpriced: x.Unpriced, Amount: Say(x.Amount)}
		if x.Category == "" {
			line.Category = l.T("money.category.none")
		}
		if x.Model == "CBP" {
			line.Category = l.T("money.conversation", "category", line.Category)
		}
		if !seen[x.Country] {
			line.Estimated = estimates[x.Country]
		}
		seen[x.Country] = true
		v.Lines = append(v.Lines, line)
	}
	for _, e := range k.Estimates {
		if !seen[e.Country] {
			v.Lines = append(v.Lines, CostLine{Country: country(l, e.Country), Market: region(l, e.Market, e.Country), Estimated: estimates[e.Country]})
		}
	}
}

func varianceOf(l ui.Locale, x cost.Variance) *VarianceView {
	signed := func(m billing.Money) string { return more(m.Micros) + " " + m.Currency }
	v := &VarianceView{Estimated: Say(&x.Estimated), Actual: Say(&x.Actual), Difference: signed(x.Difference)}
	for _, c := range x.Causes {
		if c.Amount.Micros != 0 || c.Messages != 0 {
			v.Causes = append(v.Causes, CauseLine{Text: l.Of("money.cause", c.Cause), Hint: l.Of("money.cause_hint", c.Cause), Amount: signed(c.Amount), Messages: c.Messages})
		}
	}
	for _, n := range x.NotCompared {
		v.NotCompared = append(v.NotCompared, Note{N: max(n.People, n.Delivered), Text: l.T("money.not_compared.line", "country", country(l, n.Country), "why", l.Of("money.why", n.Why))})
	}
	return v
}

// notes puts counts by reason into words, most first.
func notes(counts map[string]int64, say func(reason string) string) (list []Note, total int64) {
	for _, reason := range byCount(counts) {
		list = append(list, Note{N: counts[reason], Text: say(reason)})
		total += counts[reason]
	}
	return list, total
}

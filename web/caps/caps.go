// Package caps owns the pages about what a workspace keeps from its people and its
// purse: Settings → Sending rules, and a campaign's own leave and budget.
//
// web registers it. It judges nothing: campaigns/caps and billing/budget do, the
// same ones that the API calls.
package caps

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/billing"
	"bareed/billing/budget"
	"bareed/billing/ratecard"
	"bareed/campaigns/caps"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/money"
	"bareed/web/ui"
)

// desk has the handlers.
type desk struct {
	operator []string // countries the operator blocks
}

// Register adds the pages; operator are the countries that the operator blocks.
func Register(f *front.Front, operator []string) {
	d := desk{operator}
	f.Handle("GET /settings/caps", d.rulesPage)
	f.Handle("POST /settings/caps", d.saveRules)
	f.Handle("POST /settings/budget", d.saveMonth)
	f.Handle("GET /campaigns/{campaign}/caps", d.campaignPage)
	f.Handle("POST /campaigns/{campaign}/caps/frequency", d.savePass)
	f.Handle("POST /campaigns/{campaign}/caps/budget", d.saveCampaign)
}

// Routes says who may open them.
func Routes() []front.Route {
	return []front.Route{
		{Route: "GET /settings/caps", Action: accounts.ReadWorkspace, Open: true},
		{Route: "POST /settings/caps", Action: accounts.OverrideStops},
		{Route: "POST /settings/budget", Action: accounts.WriteBilling},
		{Route: "GET /campaigns/{campaign}/caps", Action: accounts.ReadCampaigns, Open: true},
		{Route: "POST /campaigns/{campaign}/caps/frequency", Action: accounts.OverrideStops},
		{Route: "POST /campaigns/{campaign}/caps/budget", Action: accounts.WriteCampaigns},
	}
}

// ruleRow is one line of the form for a frequency rule.
type ruleRow struct{ Most, Days string } // names of the fields

func row(i int) ruleRow {
	n := strconv.Itoa(i + 1)
	return ruleRow{"most_" + n, "days_" + n}
}

// rulesView is the page of the workspace's rules.
type rulesView struct {
	Rules     caps.SendingRules
	Rows      []ruleRow
	Countries string // blocked by the workspace, in words
	Operator  string // by the operator
	ChangedBy string // in words; empty: not to be known
	Month     budget.Month
	Spent     string
	Promised  string
	Left      string
	Short     string // what was launched may cost more than is left; empty: it does not
	Amount    string
	May       bool
	MayBudget bool
}

// leastRows is how many rules the form offers.
const leastRows = 2

func (d desk) view(c *front.Call) (v rulesView, currency string, err error) {
	ws := c.Actor().Workspace
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		if v.Rules, err = caps.Read(c.Ctx(), tx, ws, d.operator); err != nil {
			return err
		}
		if c.Can(accounts.ReadBilling) {
			if v.Month, err = budget.GetMonth(c.Ctx(), tx, ws); err != nil {
				return err
			}
			if currency, err = usual(c, tx, v.Month.Amount); err != nil {
				return err
			}
		}
		v.ChangedBy, err = name(c, tx, v.Rules.UpdatedBy)
		return err
	})
	for i := range max(leastRows, len(v.Rules.Frequency)) {
		v.Rows = append(v.Rows, row(i))
	}
	v.Countries, v.Operator = names(c, v.Rules.BlockedCountries), names(c, v.Rules.Operator)
	v.Amount, v.Spent, v.Promised, v.Left = money.Say(v.Month.Amount), money.Say(v.Month.Spent), money.Say(v.Month.Promised), money.Say(v.Month.Left)
	v.Short = money.Say(v.Month.Short())
	v.May, v.MayBudget = c.Can(accounts.OverrideStops), c.Can(accounts.WriteBilling)
	return v, currency, err
}

// usual is the currency to offer: the budget's, else the newest rate card's.
func usual(c *front.Call, tx pgx.Tx, amount *billing.Money) (string, error) {
	if amount != nil {
		return amount.Currency, nil
	}
	cards, err := ratecard.List(c.Ctx(), tx, c.Actor().Workspace, id.RateCard{}, 1)
	if err != nil || len(cards) == 0 {
		return "", err
	}
	return cards[0].Currency, nil
}

// name is who changed something, to those who may see members.
func name(c *front.Call, tx pgx.Tx, by string) (string, error) {
	if by == "" || !c.Can(accounts.ReadMembers) {
		return "", nil
	}
	members, err := accounts.ListMembers(c.Ctx(), tx, c.Actor().Workspace, id.User{}, 200)
	for _, m := range members {
		if m.ID.String() == by {
			if m.Name != "" {
				return m.Name, err
			}
			return m.Email, err
		}
	}
	return "", err
}

func names(c *front.Call, countries []string) string {
	list := make([]string, len(countries))
	for i, code := range countries {
		list[i] = billing.CountryName(c.Lang(), code)
	}
	return strings.Join(list, c.T("caps.comma")+" ")
}

func (v rulesView) form(currency string) *ui.Form {
	f := ui.NewForm(url.Values{"cool_off_hours": {strconv.Itoa(v.Rules.CoolOffHours)},
		"blocked_countries": {strings.Join(v.Rules.BlockedCountries, ", ")}, "version": {strconv.Itoa(v.Rules.Version)}})
	for i, r := range v.Rules.Frequency {
		f.Set(row(i).Most, strconv.Itoa(r.Most))
		f.Set(row(i).Days, strconv.Itoa(r.Days))
	}
	fillBudget(f, v.Month.Budget, currency)
	return f
}

func fillBudget(f *ui.Form, b budget.Budget, currency string) {
	f.Set("currency", currency)
	f.Set("budget_version", strconv.Itoa(b.Version))
	if b.Amount != nil {
		f.Set("amount", billing.Decimal(b.Amount.Micros))
	}
}

func (d desk) rulesPage(c *front.Call) error {
	v, currency, err := d.view(c)
	if err != nil {
		return err
	}
	return c.Render("caps", v, front.WithForm(v.form(currency)))
}

// refused shows the page again with what is wrong with the form that was posted;
// the other form stands as it is kept.
func (d desk) refused(c *front.Call, err error, f *ui.Form) error {
	v, currency, fault := d.view(c)
	if fault != nil {
		return fault
	}
	again(err, f)
	for field, values := range v.form(currency).Values {
		if !f.Values.Has(field) {
			f.Values[field] = values
		}
	}
	return c.Refused(err, "caps", v, f)
}

// again lets a form that somebody else was faster with be sent over what they kept.
func again(err error, f *ui.Form) {
	if errs.Is(err, "version.stale") {
		f.Values.Del("version")
		f.Values.Del("budget_version")
	}
}

func (d desk) saveRules(c *front.Call) error {
	f := c.Form().Name("cool_off_hours", c.T("caps.cool_off")).Name("blocked_countries", c.T("caps.countries"))
	s, pointers := settings(c, f)
	was := caps.SendingRules{Operator: d.operator}
	was.Version, _ = strconv.Atoi(f.Get("version"))
	err := c.InWorkspace(func(tx pgx.Tx) error {
		present, err := caps.Read(c.Ctx(), tx, c.Actor().Workspace, d.operator)
		if err != nil {
			return err
		}
		was.SendingSettings = present.SendingSettings
		if f.Refused() {
			_, err = s.Check() // what else is wrong is told with it
			return err
		}
		_, err = caps.Put(c.Ctx(), tx, c.Actor(), was, s)
		return err
	})
	if err == nil && !f.Refused() {
		c.Flash("done", "caps.saved")
		return c.Redirect("/settings/caps")
	}
	if err != nil && !f.Fail(c.Lang(), err, pointers...) {
		return err
	}
	return d.refused(c, err, f)
}

// settings reads the form, with which field each place of the settings is.
func settings(c *front.Call, f *ui.Form) (s caps.SendingSettings, pointers []string) {
	for i := range 5 {
		r := row(i)
		most, days := f.Get(r.Most), f.Get(r.Days)
		if most == "" && days == "" {
			continue
		}
		at := "/frequency/" + strconv.Itoa(len(s.Frequency))
		pointers = append(pointers, at+"/most", r.Most, at+"/days", r.Days)
		f.Name(r.Most, c.T("caps.most")).Name(r.Days, c.T("caps.days"))
		s.Frequency = append(s.Frequency, caps.Frequency{Most: whole(c, f, r.Most), Days: whole(c, f, r.Days)})
	}
	s.CoolOffHours = whole(c, f, "cool_off_hours") // 0: the default
	s.BlockedCountries = strings.FieldsFunc(f.Get("blocked_countries"), func(r rune) bool { return strings.ContainsRune(",،; \r\n\t", r) })
	for i := range s.BlockedCountries {
		pointers = append(pointers, "/blocked_countries/"+strconv.Itoa(i), "blocked_countries")
	}
	return s, pointers
}

// whole is a number as it was typed, 0 for nothing; what is none is told beside its
// field.
func whole(c *front.Call, f *ui.Form, field string) int {
	text := f.Get(field)
	if text == "" {
		return 0
	}
	typed, _ := ui.Typed(text)
	n, err := strconv.Atoi(typed)
	if err != nil {
		f.Add(field, c.T("ui.form.number"))
	}
	return n
}

// amount is what was typed as a budget: nil for nothing, and an amount that is
// refused for what is none.
func amount(c *front.Call, f *ui.Form) *billing.Money {
	if f.Get("amount") == "" {
		return nil
	}
	typed, ok := ui.Typed(f.Get("amount"))
	if !ok {
		f.Add("amount", c.T("ui.form.number"))
	}
	micros, ok := billing.ParseDecimal(typed, 1<<62)
	if !ok {
		micros = -1
	}
	return &billing.Money{Micros: micros, Currency: strings.ToUpper(f.Get("currency"))}
}

// budgetFields pairs a budget's places with the form's fields.
func budgetFields() []string {
	return []string{"/amount/amount_micros", "amount", "/amount/currency", "currency"}
}

func (d desk) saveMonth(c *front.Call) error {
	f := c.Form().Name("amount", c.T("caps.amount")).Name("currency", c.T("money.currency"))
	err := c.InWorkspace(func(tx pgx.Tx) error {
		was, err := budget.GetMonth(c.Ctx(), tx, c.Actor().Workspace)
		if err != nil {
			return err
		}
		was.Version, _ = strconv.Atoi(f.Get("budget_version"))
		return budget.PutMonth(c.Ctx(), tx, c.Actor(), was.Budget, amount(c, f))
	})
	if err == nil {
		c.Flash("done", "caps.budget.saved")
		return c.Redirect("/settings/caps#budget-head")
	}
	if !f.Fail(c.Lang(), err, budgetFields()...) {
		return err
	}
	return d.refused(c, err, f)
}

package wizard

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/campaigns/plan"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/ahead"
	"bareed/web/charts"
	"bareed/web/front"
	"bareed/web/money"
	"bareed/web/phone"
	"bareed/web/ui"
)

// reportView is the fourth step's own part.
type reportView struct {
	Running    bool
	People     int64 // in the audiences, while the check runs
	Bar        []ui.Segment
	Suppressed int64
	Reasons    []map[string]any // code and people, most first
	Chart      charts.Reasons
	Warnings   []string
	PerMinute  int
	Starts     time.Time
	Ends       time.Time // zero: not known
	Ahead      *ahead.View
	Growth     *ahead.Growth
	Money      *money.EstimateView
}

func (s *desk) reportView(c *front.Call, tx pgx.Tx, v *view) (*reportView, error) {
	r := &reportView{}
	k := v.Check
	if k == nil {
		return r, nil
	}
	if r.Running = v.Campaign.State == campaigns.Checking && !k.Outdated && (k.State == "waiting" || k.State == "running"); r.Running {
		var err error
		r.Bar = []ui.Segment{{Kind: "delivered", Value: k.Total}}
		r.People, err = plan.Count(c.Ctx(), tx, c.Actor().Workspace, v.Campaign.AudienceIDs)
		return r, err
	}
	l := c.Locale()
	for _, reason := range slices.SortedFunc(maps.Keys(k.Suppressed), func(a, b string) int {
		return cmp.Or(cmp.Compare(k.Suppressed[b], k.Suppressed[a]), cmp.Compare(a, b))
	}) {
		n := k.Suppressed[reason]
		r.Suppressed += n
		text := l.Of("wizard.reason", reason)
		if names := phone.Columns(l, v.Campaign.Variables.Unbacked()); reason == "param_missing" && names != "" {
			text = c.T("wizard.reason.param_missing.of", "name", names)
		}
		r.Reasons = append(r.Reasons, map[string]any{"code": reason, "people": n, "text": text})
		r.Chart.Items = append(r.Chart.Items, charts.Item{Label: text, Value: float64(n), Class: "c-suppressed", Note: l.Percent(n, k.Total)})
	}
	r.Chart.Frame = charts.Frame{ID: "reasons", Title: c.T("wizard.reasons"), Summary: c.T("wizard.reasons.summary", "n", r.Suppressed, "total", k.Total),
		Quiet: true, Dir: charts.Dir(l.Dir()), Empty: c.T("wizard.reasons.none"), Format: func(f float64) string { return l.T("wizard.count", "n", int64(f)) }}
	for _, w := range k.Warnings {
		if !slices.ContainsFunc(v.Lacks, func(x lack) bool { return x.fault.Code == w.Code }) {
			r.Warnings = append(r.Warnings, errs.Sentence(c.Lang(), w.Code, w.Params))
		}
	}
	r.predict(c, v)
	if k.State != "completed" {
		return r, nil
	}
	var err error
	r.Money, err = money.OfCheck(c, tx, v.Campaign, *k)
	return r, err
}

// predict says when the last message goes out: what the check foretells.
func (r *reportView) predict(c *front.Call, v *view) {
	r.PerMinute = v.Number.BulkPerSecond() * 60
	if p := v.Campaign.PerMinute; p > 0 && p < r.PerMinute {
		r.PerMinute = p
	}
	if within := v.Campaign.FinishWithin; within > 0 {
		r.PerMinute = min(r.PerMinute, plan.Pace(v.Check.Eligible, within))
	}
	r.Starts = c.Clock()
	if at := v.Campaign.Schedule; at != nil && at.At.After(r.Starts) {
		r.Starts = at.At
	}
	k := v.Check
	if k.Forecast == nil || k.Eligible == 0 {
		return
	}
	if ends := k.Forecast.Stays.EndsAt; ends != nil {
		r.Ends = *ends
	}
	if k.Forecast.Stays.Waits || len(k.Forecast.Stays.Days) > 1 || k.Forecast.Stays.Left > 0 {
		r.Ahead, r.Growth = ahead.Of(c.Locale(), k.Forecast, c.Clock(), "ahead"), ahead.Grow(c.Locale(), k.Growth)
	}
}

// checkRowsFile writes every person's fate as CSV: the API's file of the same
// name.
func (s *desk) checkRowsFile(c *front.Call) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	k, err := front.ID[id.Check](c, "check")
	if err != nil {
		return err
	}
	ws := c.Actor().Workspace
	if err := c.InWorkspace(func(tx pgx.Tx) error { return check.HasRows(c.Ctx(), tx, ws, campaign, k) }); err != nil {
		return err
	}
	c.Wrote()
	c.W.Header().Set("Content-Type", "text/csv; charset=utf-8")
	c.W.Header().Set("Content-Disposition", `attachment; filename="`+k.String()+`.csv"`)
	flush := http.NewResponseController(c.W)
	return check.WriteCSV(c.W, func(after id.Contact) (rows []check.Row, err error) {
		_ = flush.SetWriteDeadline(time.Now().Add(time.Minute)) // not every writer can
		err = c.InWorkspace(func(tx pgx.Tx) (err error) {
			rows, err = check.Rows(c.Ctx(), tx, ws, k, c.Query("reason"), after, 2000, c.Can(accounts.SeePhones))
			return err
		})
		return rows, err
	})
}

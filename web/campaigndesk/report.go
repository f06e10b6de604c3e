package campaigndesk

import (
	"html/template"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/board"
	"bareed/web/charts"
	"bareed/web/front"
	"bareed/web/money"
	"bareed/web/ui"
)

type reportView struct {
	Campaign campaigns.Campaign
	Figures  *figuresView // nil before the launch
	Pace     *paceView
	Waits    template.HTML
	Nth      int64
	Money    *money.CostView
	Export   bool
}

func (d *desk) reportPage(c *front.Call) error {
	v := reportView{Export: c.Can(accounts.ExportContacts)}
	err := c.InWorkspace(func(tx pgx.Tx) error {
		now, r, err := launched(c, tx)
		if v.Campaign = now; err != nil || now.RunID.IsZero() {
			return err
		}
		v.Figures = figuresOf(c.Locale(), r, missing(c.Locale(), now))
		if v.Pace, err = d.readPace(c, tx, r); err != nil {
			return err
		}
		w, err := board.ReadWaits(c.Ctx(), tx, c.Actor().Workspace, r.RunID, r.Total)
		if err != nil {
			return err
		}
		v.Waits, v.Nth = waitsChart(c.Locale(), w), w.Nth
		v.Money, err = money.OfCampaign(c, tx, now)
		return err
	})
	if err != nil {
		return err
	}
	return c.Render("campaign-report", v)
}

// waitsChart leaves out the long end in which nothing is.
func waitsChart(l ui.Locale, w board.Waits) template.HTML {
	seconds := func(v float64) string { return l.Span(time.Duration(v * float64(time.Second))) }
	h := charts.Histogram{Frame: frame(l, "waits", "took", "people"), Class: "c-delivered", FormatEdge: seconds,
		Axis: l.T("campaign.waits.axis"), ValueAxis: l.T("campaign.head.people")}
	last := len(w.Counts)
	for last > 0 && w.Counts[last-1] == 0 {
		last--
	}
	for i := range last {
		b := charts.Bin{From: w.Edges[i], To: math.Inf(1), Count: float64(w.Counts[i]), Label: l.T("campaign.waits.over", "from", seconds(w.Edges[i]))}
		if i+1 < len(w.Edges) {
			b.To, b.Label = w.Edges[i+1], l.T("campaign.waits.bin", "from", seconds(w.Edges[i]), "to", seconds(w.Edges[i+1]))
		}
		h.Bins = append(h.Bins, b)
	}
	if last > 0 {
		h.Summary = l.T("campaign.waits.sum", "median", seconds(w.Median))
		h.Marks = []charts.Mark{{At: w.Median, Label: l.T("campaign.waits.median", "median", seconds(w.Median))}}
	}
	return h.HTML()
}

package web

import (
	"html/template"
	"math"
	"strconv"
	"time"

	"bareed/campaigns/overview"
	"bareed/numbers"
	"bareed/web/ahead"
	"bareed/web/charts"
	"bareed/web/front"
	"bareed/web/ui"
)

// dayChart draws what came of the messages by the day on which their campaign
// began.
func dayChart(c *front.Call, days []overview.Day) template.HTML {
	l, sum := c.Locale(), sumDays(days)
	k := charts.Columns{
		Frame: charts.Frame{ID: "days", Title: c.T("home.chart"), Quiet: true, Dir: direction(l),
			Summary: c.T("home.chart.summary", "delivered", sum.Delivered, "failed", sum.Failed, "suppressed", sum.Suppressed),
			Empty:   c.T("home.chart.empty"), ShowTable: c.T("home.chart.table"), Heads: []string{c.T("home.chart.day")},
			Format: plainNumber, FormatAxis: shortNumber},
		Series: []charts.Series{{Label: c.T("home.delivered"), Class: "c-delivered"}, {Label: c.T("home.failed"), Class: "c-failed"},
			{Label: c.T("home.suppressed"), Class: "c-suppressed"}},
		FormatDay: func(t time.Time) string { return t.In(l.Zone).Format("02/01") },
		ValueAxis: c.T("home.chart.people"), Axis: c.T("home.chart.axis", "zone", l.ZoneName()),
	}
	for _, d := range days {
		k.Days = append(k.Days, d.Day)
		for i, v := range []int64{d.Delivered, d.Failed, d.Suppressed} {
			k.Series[i].Values = append(k.Series[i].Values, float64(v))
		}
	}
	return k.HTML()
}

func direction(l ui.Locale) charts.Dir {
	if l.Dir() == "rtl" {
		return charts.RTL
	}
	return charts.LTR
}

// plainNumber groups digits: 12,345.
func plainNumber(v float64) string {
	s := strconv.FormatInt(int64(v), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// shortNumber is for an axis: 12k, 1.5M.
func shortNumber(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 3, 64) + "M"
	case v >= 1e4:
		return strconv.FormatFloat(v/1e3, 'g', 3, 64) + "k"
	}
	return plainNumber(v)
}

// limitView is a portfolio's messaging limit as a meter.
type limitView struct {
	Portfolio numbers.Portfolio
	Known     bool
	Unlimited bool
	Limit     int64
	Used      int64
	Own       int64 // of this workspace
	Reserve   float64
	Kind      string
	Text      string
	Next      string // what a higher limit asks for
}

func viewLimit(c *front.Call, p numbers.Portfolio) limitView {
	v := limitView{Portfolio: p, Known: p.Known, Unlimited: p.Known && p.Limit == nil, Used: p.Used, Reserve: math.Round(float64(p.Reserve)*1000) / 1000, Kind: "ok"}
	if p.Limit == nil {
		return v
	}
	v.Limit = int64(*p.Limit)
	v.Text = c.T("numbers.limit.used", "used", v.Used, "limit", v.Limit)
	v.Next = ahead.Next(c.Locale(), v.Limit, v.Used, v.Reserve)
	switch {
	case v.Used*100 >= v.Limit*98:
		v.Kind = "danger"
	case float64(v.Used) >= float64(v.Limit)*(1-float64(p.Reserve)):
		v.Kind = "warn"
	}
	return v
}

// widestUse is the portfolio that is nearest to its limit.
func widestUse(c *front.Call, all []numbers.Portfolio) (most limitView) {
	for i, p := range all {
		if v := viewLimit(c, p); i == 0 || v.Limit > 0 && (most.Limit == 0 || v.Used*most.Limit > most.Used*v.Limit) {
			most = v
		}
	}
	return most
}

// Package ahead owns how a forecast and a plan for growth are shown: two lines
// in words, a calendar of columns with the same numbers as a table, and the days
// that earn a higher limit.
//
// The wizard's check and the campaign's page call it; the texts are ahead.json.
// It computes nothing of its own.
package ahead

import (
	"html/template"
	"strconv"
	"time"

	"bareed/campaigns/forecast"
	"bareed/campaigns/growth"
	"bareed/web/charts"
	"bareed/web/ui"
)

// shown is how many days a calendar draws, and planned how many a plan lists:
// more are counted in words.
const (
	shown   = 60
	planned = 14
)

// View is a forecast in words and drawings.
type View struct {
	Stays  Line
	Rises  *Line
	Waves  int    // how many the campaign goes in; 0: none
	Why    string // why there is no second line; empty where that needs no word
	Growth *Growth
}

// Line is one course of things.
type Line struct {
	Ends  *time.Time
	Takes string // from now to the end
	Left  int64  // people not reached
	Steps []string
	Chart template.HTML // empty when all go on one day
	More  int           // days behind those drawn
}

// Of puts a forecast into words; from is the instant it was made for, id makes
// its charts' ids unique on the page.
func Of(l ui.Locale, f *forecast.Forecast, from time.Time, id string) *View {
	if f == nil {
		return nil
	}
	v := &View{Stays: line(l, f.Stays, f.Zone, from, id+"-stays", l.T("ahead.stays"))}
	if f.Rises != nil {
		rises := line(l, *f.Rises, f.Zone, from, id+"-rises", l.T("ahead.rises"))
		v.Rises = &rises
	}
	if len(f.Waves) > 0 {
		v.Waves = len(f.Waves) + 1
	}
	switch f.NoRise {
	case forecast.Quality, forecast.Review, forecast.NotUsed:
		v.Why = l.Of("ahead.why", f.NoRise)
	}
	return v
}

func line(l ui.Locale, x forecast.Prediction, zone string, from time.Time, id, title string) Line {
	v := Line{Ends: x.EndsAt, Left: x.Left}
	if x.EndsAt != nil {
		v.Takes = l.Span(x.EndsAt.Sub(from).Round(time.Minute))
	}
	for _, s := range x.Steps {
		if s.Limit == 0 {
			v.Steps = append(v.Steps, l.T("ahead.step.unlimited", "when", s.At))
			continue
		}
		v.Steps = append(v.Steps, l.T("ahead.step", "n", s.Limit, "when", s.At))
	}
	if len(x.Days) < 2 {
		return v
	}
	days := x.Days
	if len(days) > shown {
		days, v.More = days[:shown], len(days)-shown
	}
	v.Chart = calendar(l, days, zone, id, title)
	return v
}

// calendar draws how many go on which day.
func calendar(l ui.Locale, days []forecast.DayCount, zone, id, title string) template.HTML {
	k := charts.Columns{
		Frame: charts.Frame{ID: id, Title: title, Quiet: true, Dir: direction(l), Empty: l.T("ahead.chart.empty"), ShowTable: l.T("ahead.chart.table"),
			Heads: []string{l.T("ahead.day")}, Format: func(f float64) string { return l.T("ahead.count", "n", int64(f)) }, FormatAxis: short},
		Series:    []charts.Series{{Label: l.T("ahead.people"), Class: "c-accepted"}},
		FormatDay: func(t time.Time) string { return t.Format("02/01") }, OldestFirst: true,
		ValueAxis: l.T("ahead.people"), Axis: l.T("ahead.axis", "zone", zone),
	}
	var most int64
	for _, d := range days {
		at, err := time.Parse(time.DateOnly, d.Date)
		if err != nil {
			continue // the forecast writes no other dates
		}
		k.Days = append(k.Days, at)
		k.Series[0].Values = append(k.Series[0].Values, float64(d.People))
		most = max(most, d.People)
	}
	k.Summary = l.T("ahead.chart.sum", "days", len(days), "most", most)
	return k.HTML()
}

func direction(l ui.Locale) charts.Dir {
	if l.Dir() == "rtl" {
		return charts.RTL
	}
	return charts.LTR
}

// short is for an axis: 12k.
func short(v float64) string {
	if v >= 1e4 {
		return strconv.FormatFloat(v/1e3, 'g', 3, 64) + "k"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// Growth is a plan in words.
type Growth struct {
	Why     string // why it counts on no higher limit
	Days    []GrowthDay
	More    int // days behind those listed
	Whole   int
	Without int64
	Needed  int64
}

// GrowthDay is one row of the plan.
type GrowthDay struct {
	growth.GrowthDay
	At    time.Time
	Limit string
	Gains string // what the day earns; empty for nothing
}

// Grow puts a plan into words; nil for none.
func Grow(l ui.Locale, p *growth.Growth) *Growth {
	if p == nil {
		return nil
	}
	v := &Growth{Whole: len(p.Days), Without: p.Without, Needed: p.Needed}
	if p.Why != "" {
		v.Why = l.Of("ahead.growth.why", p.Why)
	}
	for i, d := range p.Days {
		if i == planned {
			v.More = len(p.Days) - planned
			break
		}
		row := GrowthDay{GrowthDay: d, Limit: limit(l, d.Limit)}
		row.At, _ = time.ParseInLocation(time.DateOnly, d.Date, l.Zone) // the plan writes no other dates
		switch {
		case d.Earns != nil:
			row.Gains = l.T("ahead.growth.earns", "limit", limit(l, *d.Earns))
		case d.Review:
			row.Gains = l.T("ahead.growth.review")
		}
		v.Days = append(v.Days, row)
	}
	return v
}

func limit(l ui.Locale, n int64) string {
	if n == 0 {
		return l.T("ahead.unlimited")
	}
	return l.T("ahead.count", "n", n)
}

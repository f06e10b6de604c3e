package web

import (
	"html/template"
	"math"
	"slices"
	"time"

	"bareed/numbers"
	"bareed/web/charts"
	"bareed/web/front"
)

// qualityDays is how far back the chart of ratings goes.
const qualityDays = 30

// level is a rating as a height: the better the higher.
func level(rating string) float64 {
	switch rating {
	case "GREEN":
		return 3
	case "YELLOW":
		return 2
	case "RED":
		return 1
	}
	return math.NaN()
}

// worstOfDays is the lowest level of each of the last days, today last, from what
// changed (in any order) and the rating now. A day before since, or without any
// rating, has none.
func worstOfDays(past []numbers.Past, rating string, since, now time.Time, zone *time.Location, days int) (at []time.Time, worst []float64) {
	changes := slices.Clone(past)
	slices.SortFunc(changes, func(a, b numbers.Past) int { return a.At.Compare(b.At) })
	inForce := rating
	if len(changes) > 0 {
		inForce = changes[0].Was
	}
	local := now.In(zone)
	i := 0
	for d := range days {
		begin := time.Date(local.Year(), local.Month(), local.Day()-days+1+d, 0, 0, 0, 0, zone)
		end := begin.AddDate(0, 0, 1)
		for i < len(changes) && changes[i].At.Before(begin) {
			inForce = changes[i].Became
			i++
		}
		low := level(inForce)
		for ; i < len(changes) && changes[i].At.Before(end); i++ {
			inForce = changes[i].Became
			if l := level(inForce); math.IsNaN(low) || l < low {
				low = l
			}
		}
		if !end.After(since) {
			low = math.NaN()
		}
		at, worst = append(at, begin), append(worst, low)
	}
	return at, worst
}

// qualityChart draws the worst rating of each day; empty when there was none.
func qualityChart(c *front.Call, past []numbers.Past, rating string, since time.Time) template.HTML {
	l := c.Locale()
	history := slices.DeleteFunc(slices.Clone(past), func(p numbers.Past) bool { return p.What != numbers.Quality })
	days, worst := worstOfDays(history, rating, since, c.Clock(), l.Zone, qualityDays)
	if !slices.ContainsFunc(worst, func(v float64) bool { return !math.IsNaN(v) }) {
		return ""
	}
	word := func(v float64) string {
		switch v {
		case 3:
			return l.Of("numbers.quality", "GREEN")
		case 2:
			return l.Of("numbers.quality", "YELLOW")
		case 1:
			return l.Of("numbers.quality", "RED")
		}
		return ""
	}
	day := func(t time.Time) string { return t.In(l.Zone).Format("02/01") }
	t := charts.TimeLine{
		Frame: charts.Frame{ID: "quality", Title: c.T("quality.chart"), Quiet: true, Dir: direction(l),
			Summary: c.T("quality.chart.summary", "days", qualityDays, "now", l.Of("numbers.quality", rating)),
			Empty:   c.T("quality.chart.empty"), ShowTable: c.T("home.chart.table"), Heads: []string{c.T("home.chart.day")},
			Format: word, FormatAxis: word},
		Times: days, Series: []charts.Series{{Label: c.T("quality.chart.series"), Class: "c-delivered", Values: worst}},
		Zone: l.Zone, FormatTick: func(t time.Time, _ time.Duration) string { return day(t) }, FormatTime: day,
		Axis: c.T("home.chart.axis", "zone", l.ZoneName()),
	}
	return t.HTML()
}

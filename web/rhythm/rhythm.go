// Package rhythm tells a campaign's schedule in a reader's words: what recurs,
// whose clock counts, the hours, and why a firing was missed.
//
// web's pages of campaigns call it; its texts stand with web's. It reads nothing
// and decides nothing.
package rhythm

import (
	"strings"
	"time"

	"bareed/campaigns/schedule"
	"bareed/web/ui"
)

// Line is one fact of a schedule: a label and what it says, in words or, as a
// zone's name, the same in every language.
type Line struct{ Label, Text, Name string }

// Lines tells the rules; none for a campaign that is sent once, at any hour.
func Lines(l ui.Locale, r *schedule.Rules) []Line {
	if r == nil {
		return nil
	}
	var list []Line
	add := func(label, text string) { list = append(list, Line{Label: l.Of("schedule.label", label), Text: text}) }
	if r.Recurring != nil {
		add("again", Again(l, r.Recurring))
		if r.Recurring.Start != "" {
			add("start", date(l, r.Recurring.Start))
		}
		if r.Recurring.End != "" {
			add("end", date(l, r.Recurring.End))
		}
	}
	if r.RecipientTime {
		add("zone", l.T("schedule.own_zone", "zone", r.Zone))
	} else if r.Zone != "" {
		list = append(list, Line{Label: l.Of("schedule.label", "zone"), Name: r.Zone})
	}
	if w := r.Window; w != nil {
		text := l.T("schedule.from_to", "from", w.From, "to", w.To)
		if r.Expires() {
			add("window", text+" · "+l.T("schedule.after.expire"))
		} else {
			add("window", text+" · "+l.T("schedule.after.continue"))
		}
	} else if r.RecipientTime && r.QuietHours == nil {
		add("window", l.T("schedule.humane"))
	}
	if q := r.QuietHours; q != nil {
		add("quiet", l.T("schedule.from_to", "from", q.From, "to", q.To))
	}
	if !r.AtLaunch() {
		add("late", l.Span(r.Lateness()))
	}
	return list
}

// Again is what recurs as one sentence.
func Again(l ui.Locale, r *schedule.Recurrence) string {
	switch {
	case r.Every == "week":
		days := make([]string, len(r.Weekdays))
		for i, d := range r.Weekdays {
			days[i] = l.Of("schedule.weekday", d)
		}
		return l.T("schedule.every.week", "days", together(l, days), "time", r.Time)
	case r.Every == "month" && r.LastDay:
		return l.T("schedule.every.last", "time", r.Time)
	case r.Every == "month":
		return l.T("schedule.every.month", "day", r.Day, "time", r.Time)
	case r.Every == "cron":
		return l.T("schedule.every.cron", "cron", "\u2066"+r.Cron+"\u2069")
	}
	return l.T("schedule.every.day", "time", r.Time)
}

// together is a list as a sentence says it: Sunday, Monday and Friday.
func together(l ui.Locale, list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	last := len(list) - 1
	return l.T("schedule.and", "a", strings.Join(list[:last], comma(l)), "b", list[last])
}

// comma stands between the parts of a list.
func comma(l ui.Locale) string {
	if l.Lang == "ar" {
		return "، "
	}
	return ", "
}

// date is a written date in the reader's words, or as it was written.
func date(l ui.Locale, s string) string {
	t, err := time.ParseInLocation(time.DateOnly, s, l.Zone)
	if err != nil {
		return s
	}
	return l.Day(t)
}

// Missed says why a firing was missed.
func Missed(l ui.Locale, reason string) string {
	if code, ok := strings.CutPrefix(reason, "blocked:"); ok {
		return l.T("schedule.missed.blocked", "reason", l.OfKind("stops.title", code))
	}
	switch reason {
	case "late", "superseded", "previous_running":
		return l.Of("schedule.missed", reason)
	}
	return reason
}

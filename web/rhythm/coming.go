package rhythm

import (
	"strings"
	"time"

	"bareed/campaigns/schedule"
	"bareed/internal/errs"
	"bareed/web/ui"
)

// Firing is one coming firing in words.
type Firing struct {
	At       time.Time // the instant at which it begins
	Text     string    // day of the week, date and time of day by its own clock
	Zone     string    // whose clock that is; empty: each person's own
	Away     bool      // the reader's clock shows another time then
	Adjusted string    // gap or overlap, when clocks change that day
	Soon     string    // how far it is, unless that is far
}

// Coming are the firings from the next one on.
func Coming(l ui.Locale, r *schedule.Rules, next *schedule.Time, n int) []Firing {
	if r == nil || r.Recurring == nil || next == nil {
		return nil
	}
	var list []Firing
	for _, t := range r.Upcoming(*next, n) {
		f := Of(l, t)
		if soon := l.Ago(t.At); soon != l.Day(t.At) {
			f.Soon = soon
		}
		list = append(list, f)
	}
	return list
}

// Of is one firing, coming or past.
func Of(l ui.Locale, t schedule.Time) Firing {
	f := Firing{At: t.At, Adjusted: t.Adjusted}
	if wall := t.Wall(); t.RecipientTime && wall != nil {
		f.Text, f.Away = moment(l, *wall, time.UTC), true // a wall time is held in UTC
		return f
	}
	zone, err := time.LoadLocation(t.Zone)
	if err != nil || t.Zone == "" {
		zone = l.Zone
	}
	f.Text, f.Zone = moment(l, t.At, zone), zone.String()
	f.Away = moment(l, t.At, l.Zone) != f.Text
	return f
}

// moment is an instant as a person of that zone says it: Sunday, 29 Nov 2026,
// 10:00.
func moment(l ui.Locale, t time.Time, zone *time.Location) string {
	l.Zone = zone
	return l.Of("schedule.weekday", t.In(zone).Weekday()) + comma(l) + l.Time(t)
}

// Notes are what is special about the coming firings, with their times in words.
func Notes(l ui.Locale, r *schedule.Rules, next *schedule.Time, n int) []string {
	if next == nil {
		return nil
	}
	var list []string
	for _, note := range r.Notes(l.Lang, r.Upcoming(*next, n)) {
		said := errs.Params{}
		for name, v := range note.Params {
			said[name] = v
			if text, ok := v.(string); ok {
				said[name] = isolated(l, spoken(l, text))
			}
		}
		list = append(list, errs.Sentence(l.Lang, note.Code, said))
	}
	return list
}

// spoken writes what a note says of times as people do: a time with what stands
// behind it, months, or anything else as it is.
func spoken(l ui.Locale, text string) string {
	const layout = "2006-01-02 15:04"
	if at, err := time.Parse(layout, text[:min(len(text), len(layout))]); err == nil {
		return moment(l, at, time.UTC) + text[len(layout):]
	}
	months := strings.Split(text, ", ")
	for i, m := range months {
		at, err := time.Parse("2006-01", m)
		if err != nil {
			return text
		}
		l.Zone = time.UTC
		months[i] = strings.TrimPrefix(l.Day(at), "1 ")
	}
	return strings.Join(months, comma(l))
}

// isolated keeps a sentence in order around a text of the other direction.
func isolated(l ui.Locale, s string) string {
	if l.Lang == "ar" {
		return "\u2068" + s + "\u2069"
	}
	return s
}

package schedule

import (
	"fmt"
	"strings"
	"time"

	"bareed/internal/errs"
)

// Note is what a person should know of a schedule that is taken as it is.
type Note struct {
	Code   string      `json:"code"`
	Params errs.Params `json:"params"`
	Text   string      `json:"text" doc:"The same in words"`
}

func note(lang, code string, kv ...any) Note {
	e := errs.New(code, kv...)
	said := e.Params
	if lang == "ar" { // times and zones are read from left to right
		said = errs.Params{}
		for k, v := range e.Params {
			said[k] = "\u2066" + fmt.Sprint(v) + "\u2069"
		}
	}
	return Note{Code: code, Params: e.Params, Text: errs.Sentence(lang, code, said)}
}

// Upcoming lists up to n firings from one on, that one first.
func (r *Rules) Upcoming(first Time, n int) []Time {
	list := []Time{first}
	for len(list) < n {
		next, ok := r.Next(list[len(list)-1])
		if !ok {
			break
		}
		list = append(list, next)
	}
	return list
}

// Notes says in a language what is special about coming firings: days of
// changing clocks, months left out, hours closed at the time, everybody's own zone.
func (r *Rules) Notes(lang string, coming []Time) []Note {
	list := []Note{}
	for _, t := range coming {
		written := strings.TrimSuffix(strings.Replace(t.Local, "T", " ", 1), ":00")
		switch t.Adjusted {
		case "gap":
			list = append(list, note(lang, "schedule.note_gap", "local", written, "runs", t.Runs))
		case "overlap":
			list = append(list, note(lang, "schedule.note_overlap", "local", written, "runs", t.Runs))
		}
	}
	if r == nil || len(coming) == 0 {
		return list
	}
	if months := r.skipped(coming[0]); len(months) > 0 {
		list = append(list, note(lang, "schedule.note_skipped", "day", r.Recurring.Day, "months", strings.Join(months, ", ")))
	}
	if r.RecipientTime {
		list = append(list, note(lang, "schedule.note_recipient", "zone", r.Zone))
		return list
	}
	hours, err := r.Hours()
	loc, zoneErr := parseZone(r.Zone)
	if err != nil || zoneErr != nil {
		return list
	}
	if opens, _ := hours.Around(coming[0].At, loc); opens.After(coming[0].At) {
		list = append(list, note(lang, "schedule.note_window", "opens", opens.In(loc).Format("2006-01-02 15:04 MST")))
	}
	return list
}

// skipped are the months of the year after a firing that lack its day.
func (r *Rules) skipped(from Time) []string {
	if r.Recurring == nil || r.Recurring.Every != "month" || r.Recurring.LastDay || r.Recurring.Day <= 28 {
		return nil
	}
	wall := from.Wall()
	if wall == nil {
		return nil
	}
	var months []string
	for i := range 12 {
		month := time.Date(wall.Year(), wall.Month()+time.Month(i), 1, 0, 0, 0, 0, time.UTC)
		if month.AddDate(0, 1, -1).Day() < r.Recurring.Day && (r.Recurring.End == "" || month.Format(dateLayout) <= r.Recurring.End) {
			months = append(months, month.Format("2006-01"))
		}
	}
	return months
}

// Told is a schedule as an answer tells it: what was asked for, when that is
// next, and what is special about it.
type Told struct {
	At            *time.Time  `json:"at,omitempty" doc:"The next firing; absent: at launch"`
	Zone          string      `json:"zone,omitempty" doc:"IANA name"`
	Local         string      `json:"local,omitempty" doc:"The wall time as written"`
	Adjusted      string      `json:"adjusted,omitempty" doc:"gap: that time does not exist on the day, so it runs at the first instant after; overlap: it occurs twice, and runs the first time"`
	Runs          string      `json:"runs,omitempty" doc:"The wall time it runs at"`
	RecipientTime bool        `json:"recipient_time,omitempty" doc:"In each person's own zone; at is when it begins where the day begins first"`
	Recurring     *Recurrence `json:"recurring,omitempty"`
	Window        *Window     `json:"window,omitempty"`
	QuietHours    *Span       `json:"quiet_hours,omitempty"`
	MaxLateness   *int        `json:"max_lateness_minutes,omitempty"`
	Next          []Time      `json:"next,omitempty" doc:"The coming firings of what recurs, at most five"`
	Notes         []Note      `json:"notes,omitempty" doc:"What is special about them"`
}

// Tell puts rules and the next firing together; nil for neither. Rules may be nil.
func (r *Rules) Tell(lang string, next *Time) *Told {
	if next == nil && r == nil {
		return nil
	}
	t := &Told{}
	if r != nil {
		t.Zone, t.Recurring, t.Window, t.QuietHours, t.MaxLateness = r.Zone, r.Recurring, r.Window, r.QuietHours, r.MaxLateness
	}
	if next == nil {
		return t
	}
	t.At, t.Zone, t.Local, t.Adjusted, t.Runs, t.RecipientTime = &next.At, next.Zone, next.Local, next.Adjusted, next.Runs, next.RecipientTime
	coming := r.Upcoming(*next, 5)
	if r != nil && r.Recurring != nil {
		t.Next = coming
	}
	t.Notes = r.Notes(lang, coming)
	return t
}

package schedule

import (
	"time"

	"bareed/internal/errs"
)

// Span is a part of the day; over midnight when it ends before it begins.
type Span struct {
	From string `json:"from" doc:"21:00"`
	To   string `json:"to" doc:"08:00"`
}

// Window is the part of the day in which messages may leave.
type Window struct {
	From  string `json:"from" doc:"09:00"`
	To    string `json:"to" doc:"21:00; before from means the next day's"`
	After string `json:"after,omitempty" enum:"continue,expire" doc:"What becomes of people left when it closes: they continue in the next one (when not given), or expire"`
}

// Hours are the minutes of the day in which messages may leave.
type Hours struct{ open [24 * 60]bool }

// mark sets the minutes of a span.
func (h *Hours) mark(from, to string, open bool, pointer string) error {
	a, okA := minuteOf(from)
	b, okB := minuteOf(to)
	switch {
	case !okA:
		return errs.New("schedule.syntax", "got", errs.Clip(from), "example", "09:00").At(pointer+"/from", "")
	case !okB:
		return errs.New("schedule.syntax", "got", errs.Clip(to), "example", "21:00").At(pointer+"/to", "")
	case a == b:
		return errs.New("schedule.window_empty", "from", from, "to", to).At(pointer, "")
	}
	for m := a; m != b; m = (m + 1) % len(h.open) {
		h.open[m] = open
	}
	return nil
}

// Hours reads window and quiet hours together; nil when messages may leave at
// any time. In everybody's own zone there is always a window: from 09:00 or the
// written time to 21:00 or an hour behind it, so that nobody is woken.
func (r *Rules) Hours() (*Hours, error) {
	if r == nil || r.Window == nil && r.QuietHours == nil && !r.RecipientTime {
		return nil, nil
	}
	h := &Hours{}
	w, q := r.Window, r.QuietHours
	switch {
	case w != nil:
		if w.After != "" && w.After != "continue" && w.After != "expire" {
			return nil, errs.New("schedule.syntax", "got", errs.Clip(w.After), "example", "continue, expire").At("/schedule/window/after", "")
		}
		if err := h.mark(w.From, w.To, true, "/schedule/window"); err != nil {
			return nil, err
		}
	case q == nil:
		h.humane(r)
	default:
		for m := range h.open {
			h.open[m] = true
		}
	}
	if q != nil {
		if err := h.mark(q.From, q.To, false, "/schedule/quiet_hours"); err != nil {
			return nil, err
		}
	}
	for _, open := range h.open {
		if open {
			return h, nil
		}
	}
	return nil, errs.New("schedule.window_empty", "from", q.From, "to", q.To).At("/schedule/quiet_hours", "")
}

// humane are the hours of a schedule in everybody's own zone that names none.
func (h *Hours) humane(r *Rules) {
	minutes := []int{}
	if wall, ok := parseWall(r.At); ok {
		minutes = append(minutes, wall.Hour()*60+wall.Minute())
	} else if r.Recurring != nil {
		if p, err := r.Recurring.pattern(time.Time{}); err == nil {
			minutes = p.minutes
		}
	}
	for m := 9 * 60; m < 21*60; m++ {
		h.open[m] = true
	}
	for _, m := range minutes {
		for i := range 60 {
			h.open[(m+i)%len(h.open)] = true
		}
	}
}

// Expires tells whether people left at the end of a window are given up.
func (r *Rules) Expires() bool { return r != nil && r.Window != nil && r.Window.After == "expire" }

// Around is the time in which messages may leave that holds the instant in the
// zone, or the next one: it opens (at the instant itself, when that is within) and
// closes. closes is zero when it never does. It follows the clock on the wall, minute by minute: right on
// every day of changing clocks.
func (h *Hours) Around(at time.Time, loc *time.Location) (opens, closes time.Time) {
	if h == nil {
		return at, time.Time{}
	}
	within := func(t time.Time) bool {
		wall := wallOf(t, loc)
		return h.open[wall.Hour()*60+wall.Minute()]
	}
	opens = at
	for i := 0; !within(opens) && i < 4*24*60; i++ {
		opens = opens.Truncate(time.Minute).Add(time.Minute)
	}
	closes = opens
	for i := 0; within(closes); i++ {
		if i == 4*24*60 {
			return opens, time.Time{}
		}
		closes = closes.Truncate(time.Minute).Add(time.Minute)
	}
	return opens, closes
}

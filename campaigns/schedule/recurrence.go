package schedule

import (
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"bareed/internal/errs"
)

// Recurrence is what recurs: on every day, on days of the week, on a day of the
// month, or by a cron expression of five fields.
type Recurrence struct {
	Every    string   `json:"every" enum:"day,week,month,cron"`
	Time     string   `json:"time,omitempty" doc:"10:00; not with cron"`
	Weekdays []string `json:"weekdays,omitempty" doc:"Of a week: monday … sunday"`
	Day      int      `json:"day,omitempty" doc:"Of a month: 1 to 31; months without that day are left out"`
	LastDay  bool     `json:"last_day,omitempty" doc:"Of a month, instead of day"`
	Cron     string   `json:"cron,omitempty" doc:"Minute, hour, day of month, month, day of week: 0 9 * * 1"`
	Start    string   `json:"start,omitempty" doc:"First day it may run on: 2026-12-01; today when not given"`
	End      string   `json:"end,omitempty" doc:"Last day it may run on; for ever when not given"`
}

const (
	dateLayout = "2006-01-02"
	day        = 24 * time.Hour
	least      = 15            // minutes between two firings
	horizon    = 9 * 366 * day // 29 February can be eight years away
)

// pattern is a recurrence as it is computed with: minutes of a day, and which
// days. All dates are held in UTC; zones are the caller's.
type pattern struct {
	minutes    []int // rising
	on         func(date time.Time) bool
	start, end time.Time // the first and the last day; end zero: none
}

func syntax(pointer, got, example string) *errs.Error {
	return errs.New("schedule.syntax", "got", errs.Clip(got), "example", example).At("/schedule/recurring/"+pointer, "")
}

// pattern reads the recurrence; today is the date it begins on without a start.
func (r *Recurrence) pattern(today time.Time) (pattern, error) {
	p := pattern{start: today}
	var err error
	if r.Start != "" {
		if p.start, err = time.Parse(dateLayout, r.Start); err != nil {
			return p, syntax("start", r.Start, dateLayout)
		}
	}
	if r.End != "" {
		if p.end, err = time.Parse(dateLayout, r.End); err != nil {
			return p, syntax("end", r.End, dateLayout)
		}
		if p.end.Before(p.start) {
			return p, errs.New("schedule.range", "start", p.start.Format(dateLayout), "end", r.End).At("/schedule/recurring/end", "")
		}
	}
	if r.Every == "cron" {
		return p, p.cron(r.Cron)
	}
	minute, ok := minuteOf(r.Time)
	if !ok {
		return p, syntax("time", r.Time, "10:00")
	}
	p.minutes = []int{minute}
	return p, r.days(&p)
}

// days reads which days a plain recurrence is on.
func (r *Recurrence) days(p *pattern) error {
	switch r.Every {
	case "day":
		p.on = func(time.Time) bool { return true }
	case "week":
		var chosen [7]bool
		for _, name := range r.Weekdays {
			i := slices.Index(Weekdays(), name)
			if i < 0 {
				return syntax("weekdays", name, "monday")
			}
			chosen[(i+1)%7] = true
		}
		if len(r.Weekdays) == 0 {
			return errs.New("schedule.weekdays").At("/schedule/recurring/weekdays", "")
		}
		p.on = func(d time.Time) bool { return chosen[d.Weekday()] }
	case "month":
		if r.LastDay {
			p.on = func(d time.Time) bool { return d.AddDate(0, 0, 1).Day() == 1 }
			return nil
		}
		if r.Day < 1 || r.Day > 31 {
			return errs.New("schedule.month_day").At("/schedule/recurring/day", "")
		}
		p.on = func(d time.Time) bool { return d.Day() == r.Day }
	default:
		return syntax("every", r.Every, "day, week, month, cron")
	}
	return nil
}

// Weekdays are the names of the days as a recurrence takes them, Monday first.
func Weekdays() []string {
	return []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
}

// minuteOf reads 10:00 as a minute of the day.
func minuteOf(s string) (int, bool) {
	t, err := time.Parse("15:04", strings.TrimSpace(s))
	return t.Hour()*60 + t.Minute(), err == nil
}

// star is the bit by which the parser marks a field that was left open.
const star = 1 << 63

// cron reads an expression. Only its fields are taken from the library: its own
// search for the next time loses or doubles firings on days of changing clocks.
func (p *pattern) cron(expression string) error {
	expression = strings.TrimSpace(expression)
	wrong := syntax("cron", expression, "0 9 * * 1")
	if every, ok := strings.CutPrefix(expression, "@every "); ok {
		if d, err := time.ParseDuration(every); err == nil && d < least*time.Minute {
			return tooFrequent()
		}
	}
	if len(expression) > 200 || strings.ContainsAny(expression, "=@") || len(strings.Fields(expression)) != 5 {
		return wrong
	}
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(expression)
	if err != nil {
		return wrong
	}
	f, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return wrong
	}
	for h := range 24 {
		for m := range 60 {
			if f.Hour>>h&1 == 1 && f.Minute>>m&1 == 1 {
				p.minutes = append(p.minutes, h*60+m)
			}
		}
	}
	if len(p.minutes) == 0 || bits.OnesCount64(f.Month&^star) == 0 {
		return wrong
	}
	p.on = func(d time.Time) bool {
		if f.Month>>int(d.Month())&1 == 0 {
			return false
		}
		dom, dow := f.Dom>>d.Day()&1 == 1, f.Dow>>int(d.Weekday())&1 == 1
		if f.Dom&star != 0 || f.Dow&star != 0 {
			return dom && dow
		}
		return dom || dow // both given: either will do, as cron(8) has it
	}
	return nil
}

func tooFrequent() *errs.Error {
	return errs.New("schedule.too_frequent", "minutes", least).At("/schedule/recurring/cron", "")
}

// frequent tells whether two firings can lie closer than the least distance.
func (p pattern) frequent() bool {
	for i := 1; i < len(p.minutes); i++ {
		if p.minutes[i]-p.minutes[i-1] < least {
			return true
		}
	}
	if p.minutes[0]+24*60-p.minutes[len(p.minutes)-1] >= least {
		return false
	}
	for d, was := p.start, false; d.Before(p.start.Add(horizon)); d = d.AddDate(0, 0, 1) {
		on := p.has(d)
		if on && was {
			return true
		}
		was = on
	}
	return false
}

func (p pattern) has(date time.Time) bool {
	return !date.Before(p.start) && (p.end.IsZero() || !date.After(p.end)) && p.on(date)
}

// next is the first wall time after another one (held in UTC); false when there is
// none within nine years.
func (p pattern) next(after time.Time) (time.Time, bool) {
	date := after.Truncate(day)
	if date.Before(p.start) {
		date = p.start
	}
	for last := date.Add(horizon); date.Before(last); date = date.AddDate(0, 0, 1) {
		if !p.end.IsZero() && date.After(p.end) {
			break
		}
		if !p.on(date) {
			continue
		}
		for _, m := range p.minutes {
			if wall := date.Add(time.Duration(m) * time.Minute); wall.After(after) {
				return wall, true
			}
		}
	}
	return time.Time{}, false
}

// compiled reads the recurrence for a moment at which it is looked at.
func (r *Rules) compiled(now time.Time) (pattern, *time.Location, error) {
	if r.Zone == "" {
		return pattern{}, nil, errs.New("schedule.zone_required").At("/zone", "")
	}
	loc, err := parseZone(r.Zone)
	if err != nil {
		return pattern{}, nil, err
	}
	p, err := r.Recurring.pattern(wallOf(now, loc).Truncate(day))
	return p, loc, err
}

// wallOf is what a clock in the zone shows, held in UTC.
func wallOf(at time.Time, loc *time.Location) time.Time {
	_, offset := at.In(loc).Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second)
}

// firstOf checks the recurrence as a whole and returns its first firing.
func (r *Rules) firstOf(now time.Time) (Time, error) {
	p, _, err := r.compiled(now)
	if err != nil {
		return Time{}, err
	}
	if p.start.After(now.Add(tooFar)) {
		return Time{}, errs.New("schedule.too_far", "days", 365).At("/schedule/recurring/start", "")
	}
	if p.frequent() {
		return Time{}, tooFrequent()
	}
	t, ok := r.From(now)
	if !ok {
		return t, errs.New("schedule.never").At("/schedule/recurring", "")
	}
	return t, nil
}

// From is the first firing of a recurrence that begins after an instant. In
// everybody's own zone it is the first that begins after it where the day begins.
func (r *Rules) From(now time.Time) (Time, bool) {
	p, loc, err := r.compiled(now)
	if err != nil {
		return Time{}, false
	}
	wall := wallOf(now, loc).Add(-2 * day)
	for {
		next, ok := p.next(wall)
		if !ok {
			return Time{}, false
		}
		if t := r.at(next); t.At.After(now) {
			return t, true
		}
		wall = next
	}
}

// Next is the firing that follows another; false when that was the last, or
// nothing recurs. It goes by the written time, so that no clock's step makes it
// fire twice; two written times that fall on one instant (both in a gap) are one
// firing.
func (r *Rules) Next(after Time) (Time, bool) {
	wall := after.Wall()
	if r == nil || r.Recurring == nil || wall == nil {
		return Time{}, false
	}
	p, _, err := r.compiled(after.At)
	if err != nil {
		return Time{}, false
	}
	for w := *wall; ; {
		next, ok := p.next(w)
		if !ok {
			return Time{}, false
		}
		if t := r.at(next); t.At.After(after.At) {
			return t, true
		}
		w = next
	}
}

package wizard

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"bareed/campaigns"
	"bareed/campaigns/schedule"
	"bareed/internal/errs"
	"bareed/web/front"
	"bareed/web/rhythm"
	"bareed/web/ui"
)

// usualFinish is offered first, in minutes.
const usualFinish = 240

// deliveryView is the third step's own part.
type deliveryView struct {
	Zone      string
	PerMinute int              // what the number may send
	Finish    []map[string]any // times in which it may be over
	Undo      time.Duration
	Whens     []map[string]any
	Weekdays  []map[string]any
	MonthDays []map[string]any
	Late      []map[string]any
	Coming    []rhythm.Firing
	Notes     []string
	Way       *wayView // nil: the template can only go by the Cloud API
}

const wallLayout = "2006-01-02T15:04"

// zoneOf is the zone that the draft's time is written in: its own, else the
// workspace's.
func (v *view) zoneOf(c *front.Call) *time.Location {
	name := ""
	if at := v.Campaign.Schedule; at != nil {
		name = at.Zone
	}
	if r := v.Campaign.Rules; r != nil && r.Zone != "" {
		name = r.Zone
	}
	if z, err := time.LoadLocation(name); name != "" && err == nil {
		return z
	}
	return c.Locale().Zone
}

func (v *view) fillDelivery(c *front.Call, f *ui.Form) {
	f.Set("when", "now")
	if at := v.Campaign.Schedule; at != nil {
		f.Set("when", "at")
		f.Set("send_at", v.written(c))
	}
	f.Set("clock", "here")
	f.Set("hours", "any")
	f.Set("after", "continue")
	f.Set("late", "60")
	if r := v.Campaign.Rules; r != nil {
		fillRules(f, r)
	}
	f.Set("unknown", "workspace")
	if v.Campaign.UnknownPolicy != "" {
		f.Set("unknown", "own_"+v.Campaign.UnknownPolicy)
	}
	f.Set("speed", "full")
	if v.Campaign.PerMinute > 0 {
		f.Set("speed", "own")
		f.Set("per_minute", strconv.Itoa(v.Campaign.PerMinute))
	}
	v.fillWay(f)
	f.Set("finish_within_minutes", strconv.Itoa(usualFinish))
	if v.Campaign.FinishWithin > 0 {
		f.Set("speed", "within")
		f.Set("finish_within_minutes", strconv.Itoa(v.Campaign.FinishWithin))
	}
}

// written is the draft's time as the form shows it; empty without one.
func (v *view) written(c *front.Call) string {
	at := v.Campaign.Schedule
	switch {
	case at == nil:
		return ""
	case at.RecipientTime && at.Wall() != nil:
		return at.Wall().Format(wallLayout)
	}
	return at.At.In(v.zoneOf(c)).Format(wallLayout)
}

func fillRules(f *ui.Form, r *schedule.Rules) {
	if x := r.Recurring; x != nil {
		f.Set("when", x.Every)
		f.Set("time", x.Time)
		f.Values["weekday"] = x.Weekdays
		f.Set("month_day", strconv.Itoa(x.Day))
		if x.LastDay {
			f.Set("month_day", "last")
		}
		f.Set("cron", x.Cron)
		f.Set("start", x.Start)
		f.Set("end", x.End)
	}
	if r.RecipientTime {
		f.Set("clock", "own")
	}
	if q := r.QuietHours; q != nil {
		f.Set("hours", "quiet")
		f.Set("quiet_from", q.From)
		f.Set("quiet_to", q.To)
	}
	if w := r.Window; w != nil {
		f.Set("hours", "window")
		if r.QuietHours != nil {
			f.Set("hours", "both")
		}
		f.Set("window_from", w.From)
		f.Set("window_to", w.To)
		if r.Expires() {
			f.Set("after", "expire")
		}
	}
	f.Set("late", strconv.Itoa(int(r.Lateness().Minutes())))
}

func (s *desk) deliveryView(c *front.Call, v *view) (*deliveryView, error) {
	w, err := c.Workspace()
	d := &deliveryView{Zone: v.zoneOf(c).String(), PerMinute: v.Number.PerSecond * 60, Undo: time.Duration(w.UndoSeconds) * time.Second, Way: v.ways(c.Locale())}
	l := c.Locale()
	for _, when := range []string{"now", "at", "day", "week", "month", "cron"} {
		d.Whens = append(d.Whens, map[string]any{"value": when, "text": l.Of("wizard.when", when), "hint": l.Of("wizard.when", when+".hint", "zone", d.Zone)})
	}
	for _, day := range schedule.Weekdays() {
		d.Weekdays = append(d.Weekdays, map[string]any{"value": day, "text": l.Of("schedule.weekday", day)})
	}
	for day := 1; day <= 31; day++ {
		d.MonthDays = append(d.MonthDays, map[string]any{"value": strconv.Itoa(day), "text": strconv.Itoa(day)})
	}
	d.MonthDays = append(d.MonthDays, map[string]any{"value": "last", "text": c.T("wizard.month_day.last")})
	late := []int{15, 60, 180, 720, int(v.Campaign.Rules.Lateness().Minutes())}
	slices.Sort(late)
	for _, n := range slices.Compact(late) {
		text := c.T("wizard.late.minutes", "n", n)
		if n%60 == 0 {
			text = c.T("wizard.late.hours", "n", n/60)
		}
		d.Late = append(d.Late, map[string]any{"value": strconv.Itoa(n), "text": text})
	}
	finish := append([]int{v.Campaign.FinishWithin}, 60, 120, 180, 240, 360, 480, 720, 1440, 2880, 4320, 10080)
	slices.Sort(finish)
	for _, n := range slices.Compact(finish) {
		if n > 0 {
			d.Finish = append(d.Finish, map[string]any{"value": strconv.Itoa(n), "text": l.Span(time.Duration(n) * time.Minute)})
		}
	}
	if at := v.Campaign.Schedule; at != nil {
		d.Coming = rhythm.Coming(l, v.Campaign.Rules, at, 5)
		d.Notes = rhythm.Notes(l, v.Campaign.Rules, at, 5)
	}
	return d, err
}

// deliveryChange reads the third step's form. A time that was not touched stays
// as it was written, to the second.
func deliveryChange(c *front.Call, v *view, f *ui.Form, ch *campaigns.Change) {
	var pace, within *int
	if f.Get("speed") == "within" {
		n, _ := strconv.Atoi(f.Get("finish_within_minutes")) // 0 is refused as any other
		within = &n
	}
	ch.FinishWithin = &within
	if f.Get("speed") == "own" {
		need(c, f, "per_minute")
		if n, err := strconv.Atoi(digits(f.Get("per_minute"))); err == nil {
			pace = &n
		} else {
			f.Add("per_minute", errs.Sentence(c.Lang(), "rate.range", errs.Params{"min": 1, "max": v.Number.PerSecond * 60}))
		}
	}
	ch.PerMinute = &pace
	ch.Way = wayChange(f)
	if policy, ok := strings.CutPrefix(f.Get("unknown"), "own_"); ok || f.Get("unknown") == "workspace" {
		if !ok {
			policy = ""
		}
		ch.UnknownPolicy = &policy
	}
	r := v.rules(c, f)
	if r != nil || v.Campaign.Rules != nil {
		ch.Schedule = &r
	}
	if r != nil {
		return
	}
	at, zone := "", ""
	if f.Get("when") == "at" {
		at, zone = f.Get("send_at"), v.zoneOf(c).String()
	}
	if v.Campaign.Rules == nil && at == v.written(c) {
		return
	}
	ch.SendAt, ch.Zone = &at, &zone
}

// rules are what the form asks for; nil for what needs none: now, or one time at
// any hour for all.
func (v *view) rules(c *front.Call, f *ui.Form) *schedule.Rules {
	r := &schedule.Rules{Zone: v.zoneOf(c).String()}
	when := f.Get("when")
	switch when {
	case "at":
		need(c, f, "send_at")
		r.At = f.Get("send_at")
	case "day", "week", "month", "cron":
		r.Recurring = recurrence(c, f, when)
	}
	r.RecipientTime = f.Get("clock") == "own" && when != "now"
	hours := f.Get("hours")
	if hours == "window" || hours == "both" {
		need(c, f, "window_from", "window_to")
		r.Window = &schedule.Window{From: f.Get("window_from"), To: f.Get("window_to"), After: f.Get("after")}
	}
	if hours == "quiet" || hours == "both" {
		need(c, f, "quiet_from", "quiet_to")
		r.QuietHours = &schedule.Span{From: f.Get("quiet_from"), To: f.Get("quiet_to")}
	}
	if n, err := strconv.Atoi(f.Get("late")); err == nil && n != 60 && when != "now" {
		r.MaxLateness = &n
	}
	if r.Recurring == nil && !r.RecipientTime && r.Window == nil && r.QuietHours == nil && r.MaxLateness == nil {
		return nil
	}
	return r
}

func recurrence(c *front.Call, f *ui.Form, every string) *schedule.Recurrence {
	x := &schedule.Recurrence{Every: every, Start: f.Get("start"), End: f.Get("end")}
	if every == "cron" {
		need(c, f, "cron")
		x.Cron = f.Get("cron")
		return x
	}
	need(c, f, "time")
	x.Time = f.Get("time")
	switch every {
	case "week":
		x.Weekdays = f.Values["weekday"]
	case "month":
		x.LastDay = f.Get("month_day") == "last"
		x.Day, _ = strconv.Atoi(f.Get("month_day")) // 0 is refused with the reason
	}
	return x
}

// scheduleFields pairs the places of a schedule's faults with the step's fields.
func scheduleFields() []string {
	return []string{"/schedule/at", "send_at", "/schedule/zone", "when", "/schedule/recurring", "when", "/schedule/recurring/time", "time",
		"/schedule/recurring/weekdays", "weekday", "/schedule/recurring/day", "month_day", "/schedule/recurring/cron", "cron",
		"/schedule/recurring/start", "start", "/schedule/recurring/end", "end", "/schedule/window", "window_to", "/schedule/window/from", "window_from",
		"/schedule/window/to", "window_to", "/schedule/window/after", "after", "/schedule/quiet_hours", "quiet_to", "/schedule/quiet_hours/from", "quiet_from",
		"/schedule/quiet_hours/to", "quiet_to", "/schedule/max_lateness_minutes", "late"}
}

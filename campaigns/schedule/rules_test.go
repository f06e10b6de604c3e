package schedule_test

import (
	"strings"
	"testing"
	"time"

	"bareed/campaigns/schedule"
	"bareed/internal/errs"
)

func minutes(n int) *int { return &n }

// TestRules holds the rules to the cases of bad and odd schedules: the first
// firing and its words, or status, code, place and parameters of the refusal.
func TestRules(t *testing.T) {
	t.Parallel()
	const now = "2026-03-01T12:00:00Z"
	riyadh := func(r schedule.Recurrence) schedule.Rules {
		return schedule.Rules{Zone: "Asia/Riyadh", Recurring: &r}
	}
	cron := func(s string) schedule.Rules { return riyadh(schedule.Recurrence{Every: "cron", Cron: s}) }
	for _, c := range []struct {
		name                  string
		rules                 schedule.Rules
		code, pointer, params string
		want, notes           string
	}{
		{name: "S1 past", rules: schedule.Rules{At: "2026-03-01T11:55:00Z"}, code: "schedule.past", pointer: "/schedule/at", params: "at=2026-03-01 11:55 UTC now=2026-03-01 12:00 UTC"},
		{name: "S2 no zone", rules: schedule.Rules{At: "2026-12-01T10:00"}, code: "schedule.zone_required", pointer: "/schedule/zone"},
		{name: "S2 no zone of what recurs", rules: schedule.Rules{Recurring: &schedule.Recurrence{Every: "day", Time: "10:00"}}, code: "schedule.zone_required", pointer: "/schedule/zone"},
		{name: "S3 zone", rules: schedule.Rules{At: "2026-12-01T10:00", Zone: "EST"}, code: "schedule.zone_unknown", pointer: "/schedule/zone", params: "got=EST suggestions=America/New_York"},
		{name: "S4 gap", rules: schedule.Rules{At: "2026-03-08T02:30", Zone: "America/New_York"}, want: "2026-03-08T07:00:00Z", notes: "schedule.note_gap local=2026-03-08 02:30 runs=2026-03-08 03:00 EDT"},
		{name: "S5 overlap", rules: schedule.Rules{At: "2026-11-01T01:30", Zone: "America/New_York"}, want: "2026-11-01T05:30:00Z", notes: "schedule.note_overlap local=2026-11-01 01:30 runs=2026-11-01 01:30 EDT"},
		{name: "S6 never", rules: cron("0 9 30 2 *"), code: "schedule.never", pointer: "/schedule/recurring"},
		{name: "S6 never before the end", rules: riyadh(schedule.Recurrence{Every: "month", Time: "09:00", Day: 31, Start: "2026-04-01", End: "2026-04-30"}), code: "schedule.never", pointer: "/schedule/recurring"},
		{name: "S7 every second", rules: cron("@every 1s"), code: "schedule.too_frequent", pointer: "/schedule/recurring/cron", params: "minutes=15"},
		{name: "S7 every minute", rules: cron("* * * * *"), code: "schedule.too_frequent", pointer: "/schedule/recurring/cron", params: "minutes=15"},
		{name: "S7 ten minutes", rules: cron("0,10 9 * * *"), code: "schedule.too_frequent", pointer: "/schedule/recurring/cron", params: "minutes=15"},
		{name: "S7 over midnight", rules: cron("0,59 0,23 * * *"), code: "schedule.too_frequent", pointer: "/schedule/recurring/cron", params: "minutes=15"},
		{name: "S7 a quarter is enough", rules: cron("*/15 * * * *"), want: "2026-03-01T12:15:00Z"},
		{name: "S7 six fields", rules: cron("0 0 9 * * 1"), code: "schedule.syntax", pointer: "/schedule/recurring/cron", params: "example=0 9 * * 1 got=0 0 9 * * 1"},
		{name: "S7 a descriptor", rules: cron("@daily"), code: "schedule.syntax", pointer: "/schedule/recurring/cron", params: "example=0 9 * * 1 got=@daily"},
		{name: "S7 a zone inside", rules: cron("TZ=UTC 0 9 * * 1"), code: "schedule.syntax", pointer: "/schedule/recurring/cron"},
		{name: "S7 rubbish", rules: cron("a b c d e"), code: "schedule.syntax", pointer: "/schedule/recurring/cron"},
		{name: "S7 nothing", rules: cron(""), code: "schedule.syntax", pointer: "/schedule/recurring/cron"},
		{name: "S8 the 31st", rules: riyadh(schedule.Recurrence{Every: "month", Time: "09:00", Day: 31}), want: "2026-03-31T06:00:00Z",
			notes: "schedule.note_skipped day=31 months=2026-04, 2026-06, 2026-09, 2026-11, 2027-02"},
		{name: "S8 the last day", rules: riyadh(schedule.Recurrence{Every: "month", Time: "09:00", LastDay: true, Start: "2026-04-01"}), want: "2026-04-30T06:00:00Z"},
		{name: "S9 range", rules: riyadh(schedule.Recurrence{Every: "day", Time: "09:00", Start: "2026-05-02", End: "2026-05-01"}), code: "schedule.range", pointer: "/schedule/recurring/end", params: "end=2026-05-01 start=2026-05-02"},
		{name: "S10 over midnight", rules: schedule.Rules{At: "2026-03-02T10:00", Zone: "Asia/Riyadh", Window: &schedule.Window{From: "21:00", To: "08:00"}}, want: "2026-03-02T07:00:00Z",
			notes: "schedule.note_window opens=2026-03-02 21:00 +03"},
		{name: "S10 empty", rules: schedule.Rules{At: "2026-03-02T10:00", Zone: "Asia/Riyadh", Window: &schedule.Window{From: "09:00", To: "09:00"}}, code: "schedule.window_empty", pointer: "/schedule/window", params: "from=09:00 to=09:00"},
		{name: "S10 quiet all through the window", rules: schedule.Rules{At: "2026-03-02T10:00", Zone: "Asia/Riyadh", Window: &schedule.Window{From: "22:00", To: "23:00"}, QuietHours: &schedule.Span{From: "21:00", To: "07:00"}},
			code: "schedule.window_empty", pointer: "/schedule/quiet_hours", params: "from=21:00 to=07:00"},
		{name: "S11 once", rules: schedule.Rules{At: "2031-03-01T12:00:00Z"}, code: "schedule.too_far", pointer: "/schedule/at", params: "days=365"},
		{name: "S11 start", rules: riyadh(schedule.Recurrence{Every: "day", Time: "09:00", Start: "2031-01-01"}), code: "schedule.too_far", pointer: "/schedule/recurring/start", params: "days=365"},
		{name: "S12 29 February", rules: cron("0 9 29 2 *"), want: "2028-02-29T06:00:00Z"},
		{name: "weekdays", rules: riyadh(schedule.Recurrence{Every: "week", Time: "18:00", Weekdays: []string{"sunday", "thursday"}}), want: "2026-03-01T15:00:00Z"},
		{name: "no weekday", rules: riyadh(schedule.Recurrence{Every: "week", Time: "18:00"}), code: "schedule.weekdays", pointer: "/schedule/recurring/weekdays"},
		{name: "no such weekday", rules: riyadh(schedule.Recurrence{Every: "week", Time: "18:00", Weekdays: []string{"caturday"}}), code: "schedule.syntax", pointer: "/schedule/recurring/weekdays"},
		{name: "no such day", rules: riyadh(schedule.Recurrence{Every: "month", Time: "18:00", Day: 32}), code: "schedule.month_day", pointer: "/schedule/recurring/day"},
		{name: "no such time", rules: riyadh(schedule.Recurrence{Every: "day", Time: "25:00"}), code: "schedule.syntax", pointer: "/schedule/recurring/time", params: "example=10:00 got=25:00"},
		{name: "no such rhythm", rules: riyadh(schedule.Recurrence{Every: "fortnight", Time: "10:00"}), code: "schedule.syntax", pointer: "/schedule/recurring/every"},
		{name: "two times", rules: schedule.Rules{At: "2026-12-01T10:00", Zone: "Asia/Riyadh", Recurring: &schedule.Recurrence{Every: "day", Time: "10:00"}}, code: "schedule.both", pointer: "/schedule/at"},
		{name: "lateness", rules: schedule.Rules{At: "2026-12-01T10:00", Zone: "Asia/Riyadh", MaxLateness: minutes(0)}, code: "schedule.lateness", pointer: "/schedule/max_lateness_minutes", params: "max=1440 min=1"},
		{name: "everybody's own zone begins in the east", rules: schedule.Rules{At: "2026-12-01T10:00", Zone: "Asia/Riyadh", RecipientTime: true}, want: "2026-11-30T20:00:00Z", notes: "schedule.note_recipient zone=Asia/Riyadh"},
		{name: "everybody's own zone, past in the east only", rules: schedule.Rules{At: "2026-03-01T10:00", Zone: "Asia/Riyadh", RecipientTime: true}, want: "2026-02-28T20:00:00Z", notes: "schedule.note_recipient zone=Asia/Riyadh"},
		{name: "everybody's own zone, past everywhere", rules: schedule.Rules{At: "2026-02-28T10:00", Zone: "Asia/Riyadh", RecipientTime: true}, code: "schedule.past", pointer: "/schedule/at"},
		{name: "hours at launch", rules: schedule.Rules{Zone: "Asia/Riyadh", Window: &schedule.Window{From: "09:00", To: "21:00"}}, want: "at launch"},
		{name: "hours without a zone", rules: schedule.Rules{Window: &schedule.Window{From: "09:00", To: "21:00"}}, code: "schedule.zone_required", pointer: "/schedule/zone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := c.rules.Check(at(t, now))
			if c.code != "" {
				refused(t, err, c.code, c.pointer, c.params)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got == nil || c.want == "at launch" {
				if got != nil || c.want != "at launch" {
					t.Errorf("got %+v, want %s", got, c.want)
				}
				return
			}
			var notes []string
			for _, n := range c.rules.Notes("ar", []schedule.Time{*got}) {
				notes = append(notes, n.Code+" "+words(n.Params))
				if strings.Contains(n.Text, "{") || n.Text == errs.Sentence("en", n.Code, n.Params) {
					t.Errorf("said %q", n.Text)
				}
			}
			if !got.At.Equal(at(t, c.want)) || strings.Join(notes, "; ") != c.notes {
				t.Errorf("got %s %q, want %s %q", got.At, notes, c.want, c.notes)
			}
			if again := c.rules.Stored(got.At, got.Zone, got.Wall()); again != *got || got.Again() != *got {
				t.Errorf("stored and read again: %+v, was %+v", again, *got)
			}
		})
	}
}

func refused(t *testing.T, err error, code, pointer, params string) {
	t.Helper()
	e, ok := errs.As(err)
	if !ok || e.Code != code || e.Status() != 422 || len(e.Fields) != 1 || e.Fields[0].Pointer != pointer || params != "" && words(e.Params) != params {
		t.Errorf("got %v (%+v), want %s at %s with %s", err, e, code, pointer, params)
	}
}

// words writes parameters in the order of their names.
func words(p errs.Params) string {
	var out []string
	for _, k := range []string{"at", "day", "days", "end", "example", "from", "got", "local", "max", "min", "minutes", "months", "now", "opens", "runs", "start", "suggestions", "to", "zone"} {
		if v, ok := p[k]; ok {
			out = append(out, k+"="+strings.TrimSpace(sprint(v)))
		}
	}
	return strings.Join(out, " ")
}

func TestHours(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		rules         schedule.Rules
		zone, at      string
		opens, closes string
	}{
		{"within", schedule.Rules{Window: &schedule.Window{From: "09:00", To: "21:00"}}, "Asia/Riyadh", "2026-03-02T07:00:30Z", "2026-03-02T07:00:30Z", "2026-03-02T18:00:00Z"},
		{"before", schedule.Rules{Window: &schedule.Window{From: "09:00", To: "21:00"}}, "Asia/Riyadh", "2026-03-02T02:00:30Z", "2026-03-02T06:00:00Z", "2026-03-02T18:00:00Z"},
		{"at its end", schedule.Rules{Window: &schedule.Window{From: "09:00", To: "21:00"}}, "Asia/Riyadh", "2026-03-02T18:00:00Z", "2026-03-03T06:00:00Z", "2026-03-03T18:00:00Z"},
		{"over midnight", schedule.Rules{Window: &schedule.Window{From: "21:00", To: "08:00"}}, "Asia/Riyadh", "2026-03-02T22:00:00Z", "2026-03-02T22:00:00Z", "2026-03-03T05:00:00Z"},
		{"quiet hours alone", schedule.Rules{QuietHours: &schedule.Span{From: "22:00", To: "07:00"}}, "Asia/Riyadh", "2026-03-02T20:00:00Z", "2026-03-03T04:00:00Z", "2026-03-03T19:00:00Z"},
		{"quiet in the middle", schedule.Rules{Window: &schedule.Window{From: "09:00", To: "21:00"}, QuietHours: &schedule.Span{From: "12:00", To: "13:00"}}, "UTC", "2026-03-02T11:00:00Z", "2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"},
		{"a window in the gap is closed that day", schedule.Rules{Window: &schedule.Window{From: "02:00", To: "03:00"}}, "America/New_York", "2026-03-08T05:00:00Z", "2026-03-09T06:00:00Z", "2026-03-09T07:00:00Z"},
		{"a window that ends in the gap ends with it", schedule.Rules{Window: &schedule.Window{From: "01:00", To: "02:30"}}, "America/New_York", "2026-03-08T06:30:00Z", "2026-03-08T06:30:00Z", "2026-03-08T07:00:00Z"},
		{"a window over an overlap is longer", schedule.Rules{Window: &schedule.Window{From: "00:00", To: "03:00"}}, "America/New_York", "2026-11-01T04:00:00Z", "2026-11-01T04:00:00Z", "2026-11-01T08:00:00Z"},
		{"everybody's own zone wakes nobody", schedule.Rules{RecipientTime: true, At: "2026-03-02T10:00"}, "UTC", "2026-03-02T22:00:00Z", "2026-03-03T09:00:00Z", "2026-03-03T21:00:00Z"},
		{"unless the time itself is early", schedule.Rules{RecipientTime: true, At: "2026-03-02T06:00"}, "UTC", "2026-03-02T06:00:00Z", "2026-03-02T06:00:00Z", "2026-03-02T07:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h, err := c.rules.Hours()
			if err != nil {
				t.Fatal(err)
			}
			loc, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			opens, closes := h.Around(at(t, c.at), loc)
			if !opens.Equal(at(t, c.opens)) || !closes.Equal(at(t, c.closes)) {
				t.Errorf("%s to %s, want %s to %s", opens.UTC(), closes.UTC(), c.opens, c.closes)
			}
		})
	}
}

func TestZoneOf(t *testing.T) {
	t.Parallel()
	summer := at(t, "2026-07-01T00:00:00Z")
	for _, c := range []struct{ phone, bsuid, want string }{
		{"+966501234567", "", "Asia/Riyadh"}, {"966501234567", "", "Asia/Riyadh"}, {"+971501234567", "", "Asia/Dubai"},
		{"+12125550123", "", "America/New_York"}, {"+13105550123", "", "America/Los_Angeles"},
		{"", "SA.1349abc", "Asia/Riyadh"}, {"", "", "Africa/Cairo"}, {"+999", "", "Africa/Cairo"}, {"rubbish", "", "Africa/Cairo"}, {"", "ZZ.1", "Africa/Cairo"},
		{"+5511912345678", "", "America/Sao_Paulo"}, {"+201001234567", "", "Africa/Cairo"}, {"+919812345678", "", "Asia/Calcutta"},
		{"", "ID.77", "Asia/Makassar"}, // of three zones the middle one
	} {
		if got := schedule.ZoneOf(c.phone, c.bsuid, "Africa/Cairo", summer); got != c.want {
			t.Errorf("%q %q: %s, want %s", c.phone, c.bsuid, got, c.want)
		}
	}
}

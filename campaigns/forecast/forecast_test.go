package forecast_test

import (
	"fmt"
	"testing"
	"time"

	"bareed/campaigns/forecast"
	"bareed/campaigns/schedule"
)

var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

// broadcast is the case everybody asks about: a list of 50,000 at a limit of 10,000.
func broadcast() forecast.Input {
	return forecast.Input{Now: noon, People: 50_000, Limit: 10_000, PerSecond: 80, Good: true}
}

func after(t *testing.T, l *forecast.Prediction) time.Duration {
	t.Helper()
	if l == nil || l.EndsAt == nil {
		t.Fatalf("no end: %+v", l)
	}
	return l.EndsAt.Sub(noon).Round(time.Second)
}

func counts(days []forecast.DayCount) string {
	text := ""
	for _, d := range days {
		text += fmt.Sprintf("%s:%d ", d.Date[5:], d.People)
	}
	return text
}

func TestFiftyThousandAtTenThousand(t *testing.T) {
	t.Parallel()
	f := forecast.Predict(broadcast())
	// Five windows; the first takes 10,000 / 80 = 125 s, and so does the last.
	if got := after(t, &f.Stays); got != 4*24*time.Hour+125*time.Second {
		t.Errorf("the limit stays: %v, want 4 d 0 h 2 min 5 s", got)
	}
	if got := counts(f.Stays.Days); got != "12-01:10000 12-02:10000 12-03:10000 12-04:10000 12-05:10000 " || !f.Stays.Waits {
		t.Errorf("calendar %s", got)
	}
	// Half is used after 62.5 s; six hours later the limit is 100,000, and 40,000 are left: 500 s.
	if got := after(t, f.Rises); got != 6*time.Hour+563*time.Second {
		t.Errorf("the limit rises: %v, want about 6 h", got)
	}
	if s := f.Rises.Steps; len(s) != 1 || s[0].Limit != 100_000 || s[0].At.Sub(noon) != 6*time.Hour+62500*time.Millisecond {
		t.Errorf("steps %+v", s)
	}
}

func TestWhenItEnds(t *testing.T) {
	t.Parallel()
	const d, h = 24 * time.Hour, time.Hour
	for name, c := range map[string]struct {
		change func(*forecast.Input)
		stays  time.Duration
		rises  time.Duration // 0: there is no second line
		why    string
	}{
		"no limit":               {func(in *forecast.Input) { in.Limit = 0 }, 625 * time.Second, 0, forecast.Unlimited},
		"the limit is enough":    {func(in *forecast.Input) { in.People = 10_000 }, 125 * time.Second, 0, forecast.Enough},
		"one too many":           {func(in *forecast.Input) { in.People = 10_001 }, d, 6*h + 63*time.Second, ""},
		"coexistence":            {func(in *forecast.Input) { in.PerSecond = 20 }, 4*d + 500*time.Second, 6*h + 2250*time.Second, ""},
		"its own pace":           {func(in *forecast.Input) { in.PerSecond = 100. / 60 }, 4*d + 6000*time.Second, 13*h + 30*time.Minute, ""},
		"a reserve of a tenth":   {func(in *forecast.Input) { in.Reserve = 0.1 }, 5*d + 62500*time.Millisecond, 6*h + 575*time.Second, ""},
		"a reserve of a half":    {func(in *forecast.Input) { in.Reserve = 0.5 }, 9*d + 62500*time.Millisecond, 6*h + 625*time.Second, ""},
		"poor quality":           {func(in *forecast.Input) { in.Good = false }, 4*d + 125*time.Second, 0, forecast.Quality},
		"below 2,000":            {func(in *forecast.Input) { in.Limit, in.People = 250, 500 }, d + 3125*time.Millisecond, 0, forecast.Review},
		"people without places":  {func(in *forecast.Input) { in.Free = 40_000 }, 625 * time.Second, 0, forecast.Enough},
		"every place taken":      {func(in *forecast.Input) { in.People, in.Used = 5000, freed(10_000, 3*h) }, 3*h + 62500*time.Millisecond, 0, ""},
		"more taken than may be": {func(in *forecast.Input) { in.People, in.Used = 5000, freed(20_000, 3*h) }, 3*h + 62500*time.Millisecond, 0, ""},
		"told too late":          {func(in *forecast.Input) { in.People, in.Used = 15_000, freed(1000, d+5*time.Minute) }, d + 75*time.Second, 0, ""},
		"half taken, in two": {func(in *forecast.Input) {
			in.People, in.Used = 9000, append(freed(2500, 3*h), freed(2500, 5*h)...)
		}, 5*h + 18750*time.Millisecond, 0, ""},
		"it begins tomorrow": {func(in *forecast.Input) { in.Starts, in.People = noon.Add(d), 10_000 }, d + 125*time.Second, 0, forecast.Enough},
		"used in the last week": {func(in *forecast.Input) { in.Reached = 6000 }, 4*d + 125*time.Second,
			6*h + 500*time.Second, ""},
		"nobody": {func(in *forecast.Input) { in.People = 0 }, 0, 0, forecast.Enough},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := broadcast()
			c.change(&in)
			f := forecast.Predict(in)
			if got := after(t, &f.Stays); got != c.stays.Round(time.Second) {
				t.Errorf("the limit stays: %v, want %v", got, c.stays)
			}
			if c.rises > 0 {
				if got := after(t, f.Rises); got != c.rises.Round(time.Second) {
					t.Errorf("the limit rises: %v, want %v", got, c.rises)
				}
			}
			if c.why != "" && f.NoRise != c.why {
				t.Errorf("no rise because %q, want %q", f.NoRise, c.why)
			}
			if (f.Rises == nil) == (f.NoRise == "") {
				t.Errorf("a second line %v and %q", f.Rises, f.NoRise)
			}
			sum(t, f.Stays, in.People)
		})
	}
}

func freed(people int64, in time.Duration) []forecast.Freed {
	return []forecast.Freed{{At: noon.Add(in), People: people}}
}

func sum(t *testing.T, l forecast.Prediction, people int64) {
	t.Helper()
	n := l.Left
	for _, d := range l.Days {
		n += d.People
	}
	if n != people {
		t.Errorf("the calendar has %d of %d people", n, people)
	}
}

// Never more of a day's people than the limit allows in any 24 hours, whatever
// the hours, and both lines end when nothing forbids it.
func TestHours(t *testing.T) {
	t.Parallel()
	rules := schedule.Rules{Zone: "Asia/Riyadh", Window: &schedule.Window{From: "09:00", To: "21:00"}}
	hours, err := rules.Hours()
	if err != nil {
		t.Fatal(err)
	}
	riyadh, err := time.LoadLocation(rules.Zone)
	if err != nil {
		t.Fatal(err)
	}
	in := broadcast()
	in.Zone = riyadh
	in.Around = func(at time.Time) (time.Time, time.Time) { return hours.Around(at, riyadh) }
	in.Now = time.Date(2026, 12, 1, 17, 59, 0, 0, time.UTC) // a minute before the hours end
	f := forecast.Predict(in)
	// 4,800 leave before nine in the evening. The rest of the first 10,000 go at
	// nine next morning, and their places come back at nine; those of the evening's
	// at nine in the evening, when the last minute of the day is theirs again.
	if got := counts(f.Stays.Days); got != "12-01:4800 12-02:10000 12-03:10000 12-04:10000 12-05:10000 12-06:5200 " {
		t.Errorf("calendar %s", got)
	}
	if got := f.Stays.EndsAt.In(riyadh).Format("02 15:04:05"); got != "06 09:01:05" {
		t.Errorf("ends %s", got)
	}
	sum(t, f.Stays, in.People)
}

// A campaign whose people expire at the end of the hours leaves them out.
func TestExpires(t *testing.T) {
	t.Parallel()
	in := broadcast()
	in.Until = noon.Add(24*time.Hour + 100*time.Second)
	f := forecast.Predict(in)
	if f.Stays.EndsAt != nil || f.Stays.Left != 50_000-10_000-8000 {
		t.Errorf("ends %v, %d left", f.Stays.EndsAt, f.Stays.Left)
	}
	sum(t, f.Stays, in.People)
}

// Two campaigns that both wait share the places; when one is through, the other
// has all of them.
func TestOthers(t *testing.T) {
	t.Parallel()
	in := broadcast()
	in.People = 10_000
	in.Others = []forecast.Other{{Starts: noon, People: 10_000, PerSecond: 80}}
	f := forecast.Predict(in)
	// 5,000 each after 62.5 s, and the other half a day later, at half of 80·2.
	if got := after(t, &f.Stays); got != (24*time.Hour + 62500*time.Millisecond).Round(time.Second) {
		t.Errorf("beside another number's campaign: %v", got)
	}
	in.Others[0].SameNumber = true
	if got := after(t, func() *forecast.Prediction { f := forecast.Predict(in); return &f.Stays }()); got != 24*time.Hour+125*time.Second {
		t.Errorf("beside one of the same number: %v", got)
	}
	in.Others[0].Starts = noon.Add(time.Hour)
	if got := after(t, func() *forecast.Prediction { f := forecast.Predict(in); return &f.Stays }()); got != 125*time.Second {
		t.Errorf("before another: %v", got)
	}
}

func TestFarBehindTheHorizon(t *testing.T) {
	t.Parallel()
	in := broadcast()
	in.People, in.Limit = 1_000_000, 250
	f := forecast.Predict(in)
	if f.Stays.EndsAt != nil || f.Stays.Left < 899_000 || f.Stays.Left > 900_000 || len(f.Stays.Days) < 400 {
		t.Errorf("ends %v, %d left, %d days", f.Stays.EndsAt, f.Stays.Left, len(f.Stays.Days))
	}
	sum(t, f.Stays, in.People)
	in.Reserve = 1 - 1e-9
	if f = forecast.Predict(in); f.Stays.Left != in.People {
		t.Errorf("without a single place: %+v", f.Stays)
	}
	in = broadcast()
	in.PerSecond = 0
	if f = forecast.Predict(in); f.Stays.Left != in.People {
		t.Errorf("without a rate: %+v", f.Stays)
	}
}

func TestSpeeds(t *testing.T) {
	t.Parallel()
	if r := forecast.BulkRate(80, false); r < 70.9 || r > 71 {
		t.Errorf("a number of 80 a second: %v", r)
	}
	if a, b := forecast.BulkRate(80, true), forecast.BulkRate(20, false); a != b {
		t.Errorf("coexistence %v, want %v", a, b)
	}
	if p := forecast.Pace(70, 60); p != 1 {
		t.Errorf("60 a minute: %v", p)
	}
	if p := forecast.Pace(70, 0); p != 70 {
		t.Errorf("no pace of its own: %v", p)
	}
	for limit, next := range map[int64]int64{250: 2000, 1000: 2000, 2000: 10_000, 10_000: 100_000, 100_000: 0} {
		if got := forecast.Next(limit); got != next {
			t.Errorf("above %d: %d, want %d", limit, got, next)
		}
	}
}

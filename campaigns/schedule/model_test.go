package schedule_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bareed/campaigns/schedule"
)

func sprint(v any) string { return fmt.Sprint(v) }

// goroot is where the go command keeps its own files.
func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// zoneNames lists every zone of Go's own data, the same that is embedded; of names
// of the same zone, byte for byte, the first that is a place and the first that is not.
func zoneNames(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile(goroot(t) + "/lib/time/zoneinfo.zip")
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	all, seen := 0, map[string]bool{}
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		all++
		if rules := fmt.Sprint(isPlace(f.Name), content(t, f)); !seen[rules] {
			seen[rules] = true
			names = append(names, f.Name)
		}
	}
	if all < 500 || len(names) < 300 {
		t.Fatalf("only %d zones with %d names", len(names), all)
	}
	return names
}

func content(t *testing.T, f *zip.File) string {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestEveryZone looks at every change of clocks of every zone from 2015 to 2037:
// a wall time that does not exist fires at the first instant after the gap, one
// that occurs twice at the first, and every other exactly; a daily firing comes
// once on each date around the change.
func TestEveryZone(t *testing.T) {
	t.Parallel()
	names := zoneNames(t)
	var wg sync.WaitGroup
	for part := range 4 {
		wg.Go(func() {
			for i := part; i < len(names); i += 4 {
				loc, err := time.LoadLocation(names[i])
				if err != nil {
					t.Error(err)
					continue
				}
				everyChange(t, names[i], loc)
			}
		})
	}
	wg.Wait()
}

func everyChange(t *testing.T, name string, loc *time.Location) {
	for at := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC).In(loc); ; {
		_, end := at.ZoneBounds()
		if end.IsZero() || end.Year() > 2037 {
			return
		}
		_, before := at.Zone()
		_, after := end.Zone()
		resolvesAround(t, name, loc, end, before, after)
		if isPlace(name) {
			dailyAround(t, name, loc, end)
		}
		at = end
	}
}

func isPlace(zone string) bool {
	return strings.Contains(zone, "/") && !strings.HasPrefix(zone, "Etc/")
}

// resolvesAround holds wall times around a change to the definition: among the
// instants that show it the first, else the change itself.
func resolvesAround(t *testing.T, name string, loc *time.Location, change time.Time, before, after int) {
	from := change.UTC().Add(time.Duration(min(before, after)) * time.Second).Add(-40 * time.Minute)
	to := change.UTC().Add(time.Duration(max(before, after)) * time.Second).Add(40 * time.Minute)
	for wall := from.Truncate(10 * time.Minute); wall.Before(to); wall = wall.Add(10 * time.Minute) {
		early, late := wall.Add(-time.Duration(max(before, after))*time.Second), wall.Add(-time.Duration(min(before, after))*time.Second)
		want := change
		switch {
		case shows(early, loc, wall):
			want = early
		case shows(late, loc, wall):
			want = late
		}
		if got := schedule.Resolve(wall, loc); !got.Equal(want) {
			t.Errorf("%s %s: %s, want %s", name, wall.Format(time.DateTime), got, want.UTC())
		}
	}
}

func shows(at time.Time, loc *time.Location, wall time.Time) bool {
	_, offset := at.In(loc).Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second).Equal(wall)
}

// dailyAround fires daily at the wall time that the change makes odd.
func dailyAround(t *testing.T, name string, loc *time.Location, change time.Time) {
	odd := change.Add(-time.Minute).In(loc).Add(31 * time.Minute).Format("15:04")
	r := schedule.Rules{Zone: name, Recurring: &schedule.Recurrence{Every: "day", Time: odd}}
	f, ok := r.From(change.Add(-72 * time.Hour))
	dates := map[string]int{}
	for last := f.At; ok && f.At.Before(change.Add(72*time.Hour)); {
		dates[f.Local[:10]]++
		if !f.At.Equal(last) && !f.At.After(last) {
			t.Errorf("%s %s: %s is not after %s", name, odd, f.At, last)
		}
		last = f.At
		f, ok = r.Next(f)
	}
	if len(dates) < 5 || len(dates) > 7 {
		t.Errorf("%s %s: fires on %v", name, odd, dates)
	}
	for d, n := range dates {
		if n != 1 {
			t.Errorf("%s %s: %d times on %s", name, odd, n, d)
		}
	}
}

// naive walks minute by minute, as a person with a clock on the wall would: it
// fires when the clock shows a time that is wanted and was not shown before, and
// when the clock jumped over one.
func naive(t *testing.T, zone string, from, to time.Time, wants func(wall time.Time) bool) []time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	offset, until := 0, from // of the clock, and how long it stays; the zone is asked seldom, as each minute is dear
	wallOf := func(at time.Time) time.Time {
		if !until.IsZero() && !at.Before(until) {
			_, offset = at.In(loc).Zone()
			_, until = at.In(loc).ZoneBounds()
		}
		return at.UTC().Add(time.Duration(offset) * time.Second)
	}
	var fired []time.Time
	furthest := wallOf(from) // what the clock showed at most
	for at := from.Add(time.Minute); !at.After(to); at = at.Add(time.Minute) {
		wall, due := wallOf(at), false
		for w := furthest.Add(time.Minute); !w.After(wall); w = w.Add(time.Minute) {
			due = due || wants(w)
		}
		if wall.After(furthest) {
			furthest = wall
		}
		if due {
			fired = append(fired, at)
		}
	}
	return fired
}

// TestModel holds recurrences to the naive walk, through days of changing clocks.
func TestModel(t *testing.T) {
	t.Parallel()
	zones := []string{"America/New_York", "Europe/Berlin", "Africa/Cairo", "Africa/Casablanca", "Asia/Beirut", "Australia/Lord_Howe",
		"America/Santiago", "Asia/Riyadh", "Pacific/Chatham", "America/St_Johns", "Asia/Gaza", "Antarctica/Troll"}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		zone := zones[i%len(zones)]
		rec, wants := someRecurrence(random)
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		from := changeOf(loc, time.Date(2020+i%12, time.Month(1+i%12), 1, 0, 0, 0, 0, time.UTC)).Add(-4 * 24 * time.Hour)
		to := from.Add(40 * 24 * time.Hour)
		r := schedule.Rules{Zone: zone, Recurring: &rec}
		var got []time.Time
		for f, ok := r.From(from); ok && !f.At.After(to); f, ok = r.Next(f) {
			got = append(got, f.At)
		}
		if want := naive(t, zone, from, to, wants); !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Errorf("%s %+v from %s:\n got %s\nwant %s", zone, rec, from, got, want)
		}
	}
}

// changeOf is the next change of clocks, or the time itself where there is none.
func changeOf(loc *time.Location, at time.Time) time.Time {
	if _, end := at.In(loc).ZoneBounds(); !end.IsZero() && end.Before(at.Add(400*24*time.Hour)) {
		return end.UTC()
	}
	return at
}

// someRecurrence invents a recurrence and says in other words what it wants.
func someRecurrence(random *rand.Rand) (schedule.Recurrence, func(time.Time) bool) {
	hour, minute := random.IntN(5), random.IntN(60)
	at := func(w time.Time) bool { return w.Hour() == hour && w.Minute() == minute }
	written := fmt.Sprintf("%02d:%02d", hour, minute)
	switch random.IntN(5) {
	case 0:
		return schedule.Recurrence{Every: "day", Time: written}, at
	case 1:
		d := random.IntN(7)
		return schedule.Recurrence{Every: "week", Time: written, Weekdays: []string{schedule.Weekdays()[d], "sunday"}},
			func(w time.Time) bool {
				return at(w) && (int(w.Weekday()) == (d+1)%7 || w.Weekday() == time.Sunday)
			}
	case 2:
		d := 1 + random.IntN(31)
		return schedule.Recurrence{Every: "month", Time: written, Day: d}, func(w time.Time) bool { return at(w) && w.Day() == d }
	case 3:
		return schedule.Recurrence{Every: "cron", Cron: "*/30 * * * *"}, func(w time.Time) bool { return w.Minute()%30 == 0 }
	default:
		return schedule.Recurrence{Every: "cron", Cron: fmt.Sprintf("%d %d-5 1,15 * 1-5", minute, hour)},
			func(w time.Time) bool {
				weekday := w.Weekday() >= time.Monday && w.Weekday() <= time.Friday
				return w.Minute() == minute && w.Hour() >= hour && w.Hour() <= 5 && (w.Day() == 1 || w.Day() == 15 || weekday)
			}
	}
}

func FuzzCron(f *testing.F) {
	for _, s := range []string{"0 9 * * 1", "*/15 * * * *", "@every 1s", "TZ=0 0 0 * * *", "0 0 29 2 *", "1-5/2 , * * ?", "99999999999999999999 * * * *"} {
		f.Add(s)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		r := schedule.Rules{Zone: "Europe/Berlin", Recurring: &schedule.Recurrence{Every: "cron", Cron: s}}
		first, err := r.Check(now)
		if err != nil {
			return
		}
		if next, ok := r.Next(*first); ok && next.At.Sub(first.At) < 15*time.Minute {
			t.Errorf("%q: %s and %s", s, first.At, next.At)
		}
	})
}

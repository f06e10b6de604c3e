package schedule_test

import (
	"testing"
	"time"

	"bareed/campaigns/schedule"
	"bareed/internal/errs"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestParse(t *testing.T) {
	t.Parallel()
	now := at(t, "2026-03-01T12:00:00Z")
	for _, c := range []struct{ name, at, zone, code, want, adjusted, runs string }{
		{name: "S1 five minutes ago", at: "2026-03-01T11:55:00Z", code: "schedule.past"},
		{name: "S1 within the grace", at: "2026-03-01T11:59:01Z", want: "2026-03-01T11:59:01Z"},
		{name: "S1 just beyond the grace", at: "2026-03-01T11:58:59Z", code: "schedule.past"},
		{name: "S2 no zone", at: "2026-12-01T10:00", code: "schedule.zone_required"},
		{name: "S3 words", at: "2026-12-01T10:00", zone: "GMT+3 Riyadh", code: "schedule.zone_unknown"},
		{name: "S3 abbreviation", at: "2026-12-01T10:00", zone: "EST", code: "schedule.zone_unknown"},
		{name: "S3 no such place", at: "2026-12-01T10:00", zone: "Mars/X", code: "schedule.zone_unknown"},
		{name: "S3 the host's", at: "2026-12-01T10:00", zone: "Local", code: "schedule.zone_unknown"},
		{name: "S3 a path", at: "2026-12-01T10:00", zone: "../../etc/passwd", code: "schedule.zone_unknown"},
		{name: "S4 gap", at: "2026-03-08T02:30", zone: "America/New_York", want: "2026-03-08T07:00:00Z", adjusted: "gap", runs: "2026-03-08 03:00 EDT"},
		{name: "S5 overlap", at: "2026-11-01T01:30", zone: "America/New_York", want: "2026-11-01T05:30:00Z", adjusted: "overlap", runs: "2026-11-01 01:30 EDT"},
		{name: "S5 half an hour of overlap", at: "2026-04-05T01:45", zone: "Australia/Lord_Howe", want: "2026-04-04T14:45:00Z", adjusted: "overlap"},
		{name: "S11 five years", at: "2031-03-01T12:00:00Z", code: "schedule.too_far"},
		{name: "S11 a year", at: "2027-03-01T12:00:00Z", want: "2027-03-01T12:00:00Z"},
		{name: "plain", at: "2026-12-01T10:00", zone: "Asia/Riyadh", want: "2026-12-01T07:00:00Z", runs: "2026-12-01 10:00 +03"},
		{name: "instant with zone", at: "2026-12-01T10:00:00+03:00", zone: "Asia/Riyadh", want: "2026-12-01T07:00:00Z"},
		{name: "rubbish", at: "tomorrow", zone: "Asia/Riyadh", code: "schedule.syntax"},
		{name: "empty", at: "", zone: "Asia/Riyadh", code: "schedule.syntax"},
		{name: "30 February", at: "2026-02-30T10:00", zone: "Asia/Riyadh", code: "schedule.syntax"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := schedule.Parse(c.at, c.zone, now)
			if c.code != "" {
				if !errs.Is(err, c.code) {
					t.Fatalf("got %v, want %s", err, c.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !got.At.Equal(at(t, c.want)) || got.Adjusted != c.adjusted || c.runs != "" && got.Runs != c.runs {
				t.Errorf("got %s %q %q, want %s %q %q", got.At, got.Adjusted, got.Runs, c.want, c.adjusted, c.runs)
			}
			if again := schedule.Stored(got.At, got.Zone, got.Wall()); again != got {
				t.Errorf("stored and read again: %+v, was %+v", again, got)
			}
		})
	}
}

func TestSuggestions(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{"GMT+3 Riyadh": "Asia/Riyadh, Europe/London", "EST": "America/New_York", "Mars/X": "Asia/Riyadh, Europe/London, UTC"} {
		_, err := schedule.Parse("2026-12-01T10:00", got, at(t, "2026-03-01T12:00:00Z"))
		e, ok := errs.As(err)
		if !ok || e.Params["suggestions"] != want {
			t.Errorf("%s: %v, want %s", got, err, want)
		}
	}
}

// TestTransitions looks at every change of offset of these zones: a wall time
// inside a gap runs at its end, one that occurs twice runs the first time, and
// one beside either is exact.
func TestTransitions(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Gaza", "Africa/Casablanca", "Africa/Cairo",
		"Australia/Lord_Howe", "Pacific/Apia", "Asia/Tehran", "America/St_Johns", "Asia/Amman", "Antarctica/Troll", "Asia/Pyongyang"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for at := time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC).In(loc); ; {
			_, end := at.ZoneBounds()
			if end.IsZero() || end.Year() > 2037 {
				break
			}
			_, before := at.Zone()
			_, after := end.Zone()
			checkTransition(t, zone, end, before, after)
			at = end
		}
	}
}

func checkTransition(t *testing.T, zone string, end time.Time, before, after int) {
	t.Helper()
	shift := time.Duration(after-before) * time.Second
	wall := end.UTC().Add(time.Duration(before) * time.Second) // the last moment's wall time
	now := end.Add(-100 * 24 * time.Hour)
	expect := func(w, want time.Time, adjusted string) {
		got, err := schedule.Parse(w.Format("2006-01-02T15:04:05"), zone, now)
		if err != nil || !got.At.Equal(want) || got.Adjusted != adjusted {
			t.Errorf("%s at %s: %s %q %v, want %s %q", zone, w.Format(time.DateTime), got.At, got.Adjusted, err, want.UTC(), adjusted)
		}
	}
	switch {
	case shift > 0:
		expect(wall, end, "gap")
		expect(wall.Add(shift/2), end, "gap")
		expect(wall.Add(shift-time.Second), end, "gap")
		expect(wall.Add(shift), end, "")
	case shift < 0:
		expect(wall.Add(shift), end.Add(shift), "overlap")
		expect(wall.Add(-time.Second), end.Add(-time.Second), "overlap")
	}
	expect(wall.Add(-abs(shift)-time.Second), end.Add(-abs(shift)-time.Second), "")
}

func abs(d time.Duration) time.Duration { return max(d, -d) }

func FuzzParse(f *testing.F) {
	f.Add("2026-12-01T10:00", "Asia/Riyadh")
	f.Add("2026-03-08T02:30", "America/New_York")
	f.Add("0000-00-00T00:00:00", "Etc/GMT+12")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, at, zone string) {
		got, err := schedule.Parse(at, zone, now)
		if err == nil && (got.At.Before(now.Add(-time.Minute)) || got.At.After(now.Add(366*24*time.Hour))) {
			t.Errorf("%q %q gave %s", at, zone, got.At)
		}
		if _, personal := errs.As(err); err != nil && !personal {
			t.Errorf("%q %q: %v", at, zone, err)
		}
	})
}

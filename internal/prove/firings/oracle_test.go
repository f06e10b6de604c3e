//go:build unix

package firings

import (
	"testing"
	"time"
)

func TestInstants(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v.UTC()
	}
	for name, c := range map[string]struct {
		zone         string
		hour, minute int
		from, to     string
		want         []string
	}{
		"every day":             {"Asia/Riyadh", 9, 30, "2027-03-01T00:00:00Z", "2027-03-03T00:00:00Z", []string{"2027-03-01T06:30:00Z", "2027-03-02T06:30:00Z"}},
		"a time that is not":    {"Europe/Berlin", 2, 30, "2027-03-28T00:00:00Z", "2027-03-29T12:00:00Z", []string{"2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"}},
		"a time that is twice":  {"Europe/Berlin", 2, 30, "2027-10-31T00:00:00Z", "2027-10-31T12:00:00Z", []string{"2027-10-31T00:30:00Z"}},
		"half an hour's change": {"Australia/Lord_Howe", 1, 45, "2027-04-03T00:00:00Z", "2027-04-03T20:00:00Z", []string{"2027-04-03T14:45:00Z"}},
		"begun already":         {"Asia/Riyadh", 9, 30, "2027-03-01T06:30:00Z", "2027-03-01T12:00:00Z", nil},
	} {
		got, err := instants(c.zone, c.hour, c.minute, at(c.from), at(c.to))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
			continue
		}
		for i, w := range c.want {
			if !got[i].Equal(at(w)) {
				t.Errorf("%s: %v, want %s", name, got[i], w)
			}
		}
	}
}

func TestThereAreAThousand(t *testing.T) {
	t.Parallel()
	from, to := span(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
	n := 0
	for _, zone := range zones() {
		for hour := range hours {
			list, err := instants(zone, hour, 30, from, to)
			if err != nil {
				t.Fatal(err)
			}
			n += len(list)
		}
	}
	if n < 1000 {
		t.Errorf("%d firings", n)
	}
}

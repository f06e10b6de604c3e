//go:build unix

// Package firings is the part of the proof that is about schedules (F10): over a
// thousand firings in twelve zones through their days of changing clocks, by real
// schedulers of which the leading one is killed twenty times. Each firing must
// happen exactly once, at the instant that the rule names.
//
// cmd/dev runs it in the long proof. It knows the rule from outside and computes
// it in its own way.
package firings

import (
	"fmt"
	"time"
)

// zones are twelve; ten of them change their clocks between from and to.
func zones() []string {
	return []string{"Europe/Berlin", "Europe/London", "Asia/Beirut", "Asia/Jerusalem", "Europe/Chisinau", "Antarctica/Troll",
		"Australia/Lord_Howe", "Pacific/Chatham", "America/Santiago", "Australia/Sydney", "Asia/Riyadh", "Asia/Kathmandu"}
}

// span is the time in which it all happens, of the year after now.
func span(now time.Time) (from, to time.Time) {
	year := now.Year() + 1
	return time.Date(year, 3, 22, 12, 30, 0, 0, time.UTC), time.Date(year, 4, 6, 12, 30, 0, 0, time.UTC)
}

// instants finds when a written time is, each day: the first minute at which the
// zone's clock shows it or, where it jumps over it, more. It walks minute by
// minute and knows nothing of offsets and rules.
func instants(zone string, hour, minute int, from, to time.Time) ([]time.Time, error) {
	l, err := time.LoadLocation(zone)
	if err != nil {
		return nil, fmt.Errorf("load a zone: %w", err)
	}
	var list []time.Time
	fired := ""
	for at := from.Add(-24 * time.Hour); !at.After(to); at = at.Add(time.Minute) {
		local := at.In(l)
		day := local.Format(time.DateOnly)
		if day == fired || local.Hour()*60+local.Minute() < hour*60+minute {
			continue
		}
		fired = day
		if at.After(from) {
			list = append(list, at)
		}
	}
	return list, nil
}

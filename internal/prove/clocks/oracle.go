//go:build unix

package clocks

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"bareed/client"
)

// Schedule is one recurring campaign and when it has to fire. The instants are
// the oracle's own: Go's time.Date in the IANA zone, and the change of clocks
// itself for a time that it leaves out.
type Schedule struct {
	Name   string
	Zone   string
	Recurs client.Recurrence
	People []string    // phones; no two schedules share one
	Due    []time.Time // rising
}

func (s Schedule) lines() (list []string) {
	for i, phone := range s.People {
		list = append(list, fmt.Sprintf("%s,Person %d,Riyadh,yes,2026-01-02", phone, i))
	}
	return list
}

// changing is the zone whose clocks go forward in the middle of the proof.
const changing = "Europe/Berlin"

// plans are the schedules around the next change of clocks, and the first moment
// of the day before it.
func plans(now time.Time) (from time.Time, list []Schedule, err error) {
	berlin, err := time.LoadLocation(changing)
	if err != nil {
		return from, nil, fmt.Errorf("load a zone: %w", err)
	}
	kathmandu, err := time.LoadLocation("Asia/Kathmandu")
	if err != nil {
		return from, nil, fmt.Errorf("load a zone: %w", err)
	}
	change, err := nextForward(now.AddDate(0, 0, 3), berlin)
	if err != nil {
		return from, nil, err
	}
	y, m, d := change.In(berlin).Date()
	on := func(day, hour, minute int, loc *time.Location) time.Time {
		return wall(y, m, d+day, hour, minute, loc, change)
	}
	list = []Schedule{
		{Name: "morning", Zone: changing, Recurs: client.Recurrence{Every: "day", Time: "09:30"},
			Due: []time.Time{on(-1, 9, 30, berlin), on(0, 9, 30, berlin), on(1, 9, 30, berlin)}},
		{Name: "night", Zone: changing, Recurs: client.Recurrence{Every: "cron", Cron: "30 2 * * *"},
			Due: []time.Time{on(-1, 2, 30, berlin), on(0, 2, 30, berlin), on(1, 2, 30, berlin)}},
		{Name: "evening", Zone: "Asia/Kathmandu", Recurs: client.Recurrence{Every: "day", Time: "18:00"},
			Due: []time.Time{on(-1, 18, 0, kathmandu), on(0, 18, 0, kathmandu)}},
	}
	for i := range list {
		for k := range people {
			list[i].People = append(list[i].People, fmt.Sprintf("+9665%08d", 19000000+1000*i+k))
		}
	}
	return on(-1, 0, 0, berlin), list, nil
}

// nextForward is the next instant at which a zone's clocks go forward.
func nextForward(after time.Time, loc *time.Location) (time.Time, error) {
	at := after.In(loc)
	for range 8 {
		_, end := at.ZoneBounds()
		if end.IsZero() {
			break
		}
		_, was := at.Zone()
		if _, is := end.Zone(); is > was {
			return end, nil
		}
		at = end
	}
	return time.Time{}, errors.New("the zone's clocks never go forward")
}

// wall is the instant of a wall time; one that the change of clocks leaves out is
// the change itself.
func wall(year int, month time.Month, day, hour, minute int, loc *time.Location, change time.Time) time.Time {
	at := time.Date(year, month, day, hour, minute, 0, 0, loc)
	if at.Hour() != hour || at.Minute() != minute {
		return change
	}
	return at
}

// firing is one of a schedule's.
type firing struct {
	at       time.Time
	schedule int
	index    int
}

func inOrder(list []Schedule) (all []firing) {
	for i, s := range list {
		for k, at := range s.Due {
			all = append(all, firing{at, i, k})
		}
	}
	slices.SortFunc(all, func(a, b firing) int { return cmp.Or(a.at.Compare(b.at), a.schedule-b.schedule) })
	return all
}

// Sent is one request that the sandbox got, in the database's time.
type Sent struct {
	To       string
	At       time.Time
	Accepted bool
}

// Judge says what is wrong when the first so many firings should have happened:
// everybody has exactly one message of each, not before its time and not long after.
func Judge(list []Schedule, sent []Sent, firings int) (breaches []string) {
	due := make([]int, len(list))
	for _, f := range inOrder(list)[:firings] {
		due[f.schedule]++
	}
	of := map[string][]time.Time{}
	for _, m := range sent {
		if m.Accepted {
			of[m.To] = append(of[m.To], m.At)
		}
	}
	known := 0
	for i, s := range list {
		for _, phone := range s.People {
			got := of[phone]
			known += len(got)
			slices.SortFunc(got, time.Time.Compare)
			if len(got) != due[i] {
				breaches = append(breaches, fmt.Sprintf("the firings of %s: somebody got %d messages, due were %d", s.Name, len(got), due[i]))
			}
			for k := range min(len(got), due[i]) {
				if by := got[k].Sub(s.Due[k]); by < 0 || by > late {
					breaches = append(breaches, fmt.Sprintf("the firing of %s at %s: sent %s later", s.Name, s.Due[k].UTC(), by.Round(time.Second)))
				}
			}
		}
	}
	if n := accepted(of) - known; n > 0 {
		breaches = append(breaches, fmt.Sprintf("%d messages to nobody's number", n))
	}
	return slices.Compact(breaches)
}

func accepted(of map[string][]time.Time) (n int) {
	for _, list := range of {
		n += len(list)
	}
	return n
}

// move is when the database's clock was set, and how far from the machine's.
type move struct {
	at    time.Time
	shift time.Duration
}

// shiftAt is how far the database's clock was from the machine's at an instant.
func shiftAt(moves []move, at time.Time) (shift time.Duration) {
	for _, m := range moves {
		if m.at.After(at) {
			break
		}
		shift = m.shift
	}
	return shift
}

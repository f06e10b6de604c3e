package charts

import "time"

const day = 24 * time.Hour

// timeSteps are the distances round times may have, finest first; months are
// counted in the calendar, days and below on the wall clock of the zone.
var timeSteps = []struct {
	d      time.Duration
	months int
}{
	{d: time.Second}, {d: 5 * time.Second}, {d: 15 * time.Second}, {d: 30 * time.Second},
	{d: time.Minute}, {d: 2 * time.Minute}, {d: 5 * time.Minute}, {d: 10 * time.Minute}, {d: 15 * time.Minute}, {d: 30 * time.Minute},
	{d: time.Hour}, {d: 2 * time.Hour}, {d: 3 * time.Hour}, {d: 6 * time.Hour}, {d: 12 * time.Hour},
	{d: day}, {d: 2 * day}, {d: 7 * day}, {d: 14 * day},
	{d: 30 * day, months: 1}, {d: 91 * day, months: 3}, {d: 182 * day, months: 6},
	{d: 365 * day, months: 12}, {d: 1826 * day, months: 60}, {d: 3652 * day, months: 120}, {d: 36524 * day, months: 1200},
}

// timeTicks returns at most most round times within from..to in the zone, and
// how far they are apart. Nothing when even centuries are too many.
func timeTicks(from, to time.Time, zone *time.Location, most int) ([]time.Time, time.Duration) {
	span := to.Sub(from)
	for _, s := range timeSteps {
		if span/s.d > time.Duration(most) {
			continue
		}
		if ts, ok := roundTimes(from.In(zone), to, s.d, s.months, most); ok {
			return ts, s.d
		}
	}
	return nil, 0
}

// roundTimes lists the multiples of one step, by the wall clock: a day with a
// clock change keeps its round hours. ok is false when there are too many.
func roundTimes(from, to time.Time, step time.Duration, months, most int) (out []time.Time, ok bool) {
	y, m, d := from.Date()
	zone := from.Location()
	at := func(i int) time.Time { // below a day
		return time.Date(y, m, d, 0, 0, i*int(step/time.Second), 0, zone)
	}
	switch {
	case months > 0:
		first := (y*12 + int(m) - 1) / months * months
		at = func(i int) time.Time { return time.Date(0, time.Month(first+i*months+1), 1, 0, 0, 0, 0, zone) }
	case step >= day:
		n := int(step / day)
		// Weeks begin on Sunday; the first Sunday of the Unix era is its day 3.
		number := int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()/86400) - 3
		d -= ((number % n) + n) % n
		at = func(i int) time.Time { return time.Date(y, m, d+i*n, 0, 0, 0, 0, zone) }
	}
	start := 0
	if step < day {
		start = max(0, int((from.Sub(at(0))-2*time.Hour)/step)) // two hours for clock changes
	}
	for i := start; ; i++ {
		t := at(i)
		if t.After(to) {
			return out, true
		}
		if t.Before(from) || len(out) > 0 && !t.After(out[len(out)-1]) {
			continue
		}
		if out = append(out, t); len(out) > most {
			return nil, false
		}
	}
}

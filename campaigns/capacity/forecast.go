package capacity

import (
	"cmp"
	"slices"
	"time"

	"bareed/numbers/places"
)

// demand is a run that has people to reach still.
type demand struct {
	key      int // of the line it belongs to
	starts   time.Time
	people   int
	perDay   int // what it can send in 24 hours
	priority string
	share    string
	kind     string
}

// day is one day of the calendar as the forecast sees it.
type day struct {
	from, to time.Time
	pool     places.Pool // as the day's places stand: those taken are not to be had
}

// forecast tells how many places each demand takes on each day, at most: people
// in an open service window and people counted already need none. Whoever goes
// first is served first, then whoever starts first; the rest waits for the next
// day. What is left after the last day comes back.
//
// A day has the usable limit once: whoever takes it in the evening has it again
// in the evening after.
func forecast(days []day, demands []demand) (took []map[int]int, left int) {
	demands = slices.Clone(demands)
	slices.SortStableFunc(demands, func(a, b demand) int {
		return cmp.Or(cmp.Compare(slices.Index(Priorities(), a.priority), slices.Index(Priorities(), b.priority)), a.starts.Compare(b.starts))
	})
	for _, d := range days {
		day := map[int]int{}
		pool := d.pool
		pool.Shares = slices.Clone(pool.Shares)
		for i := range demands {
			w := &demands[i]
			if w.people <= 0 || !w.starts.Before(d.to) {
				continue
			}
			own, open := pool.Room(w.share, w.kind, nil)
			n := min(w.people, w.perDay, own+open)
			if n <= 0 {
				continue
			}
			if name := pool.ShareOf(w.share, w.kind); name != "" {
				for k := range pool.Shares {
					if pool.Shares[k].Name == name {
						pool.Shares[k].Used += min(n, own)
					}
				}
			}
			pool.Taken += n
			w.people -= n
			day[w.key] += n
		}
		took = append(took, day)
	}
	for _, w := range demands {
		left += max(0, w.people)
	}
	return took, left
}

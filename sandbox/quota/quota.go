// Package quota holds Meta's counting rules as the sandbox enforces them:
// messages of a number in a sliding second, messages to one person, people of a
// portfolio in 24 hours, and management calls of an account in an hour.
//
// It is written apart from the product's own limiter on purpose: the two must
// agree without sharing code. Callers bring the time and the lock.
package quota

import (
	"time"
)

// Window holds the instants of the last second; a second slides, it does not
// tick. Most is the largest count ever seen in one.
type Window struct {
	// Most is the largest count seen.
	Most int
	at   []time.Time
}

// Count gives how many fall into the second that ends now.
func (r *Window) Count(now time.Time) int {
	i := 0
	for i < len(r.at) && !r.at[i].After(now.Add(-time.Second)) {
		i++
	}
	r.at = r.at[i:]
	return len(r.at)
}

// Add counts one at this instant.
func (r *Window) Add(now time.Time) {
	r.at = append(r.at, now)
	r.Most = max(r.Most, r.Count(now))
}

// Pairs is Meta's rule for one number and one person: a message every
// interval; a burst within one interval may borrow from the future and is then
// paid back with silence.
type Pairs struct {
	debts map[string]pairDebt
	sweep int // clean up when the map has grown to this
}

type pairDebt struct {
	burst time.Time // start of the burst
	free  time.Time // when everything borrowed is paid back
	n     int
}

// Allows says whether a message may go now; it changes nothing.
func (p *Pairs) Allows(wa string, now time.Time, interval time.Duration, burst int) bool {
	d, ok := p.debts[wa]
	return interval <= 0 || !ok || !now.Before(d.free) || now.Sub(d.burst) < interval && d.n < burst
}

// Add counts a message that was allowed.
func (p *Pairs) Add(wa string, now time.Time, interval time.Duration) {
	if interval <= 0 {
		return
	}
	if p.debts == nil {
		p.debts, p.sweep = map[string]pairDebt{}, 4096
	}
	d := p.debts[wa]
	if !now.Before(d.free) {
		d = pairDebt{burst: now}
	}
	d.n++
	d.free = d.burst.Add(time.Duration(d.n) * interval)
	p.debts[wa] = d
	if len(p.debts) < p.sweep {
		return
	}
	for k, v := range p.debts {
		if !now.Before(v.free) {
			delete(p.debts, k)
		}
	}
	p.sweep = max(4096, 2*len(p.debts))
}

// Uniques counts the people a portfolio reached outside service windows in the
// last 24 hours, by delivery.
type Uniques struct {
	last  map[string]time.Time // person to the latest delivery
	order []delivery           // oldest first
	Most  int
}

type delivery struct {
	person string
	at     time.Time
}

// Count gives the people of the 24 hours that end now.
func (u *Uniques) Count(now time.Time) int {
	i := 0
	for ; i < len(u.order) && !u.order[i].at.After(now.Add(-24*time.Hour)); i++ {
		if d := u.order[i]; u.last[d.person].Equal(d.at) {
			delete(u.last, d.person)
		}
	}
	u.order = u.order[i:]
	return len(u.last)
}

// Reach counts a delivery unless it would be one person over the limit (0 for none).
func (u *Uniques) Reach(person string, now time.Time, limit int) bool {
	n := u.Count(now)
	if _, known := u.last[person]; !known && limit > 0 && n >= limit {
		return false
	}
	if u.last == nil {
		u.last = map[string]time.Time{}
	}
	u.last[person] = now
	u.order = append(u.order, delivery{person, now})
	u.Most = max(u.Most, len(u.last))
	return true
}

// Hour holds the instants of the calls of the last hour.
type Hour struct{ at []time.Time }

// Over counts a call unless it would be one over the limit (0 for none).
func (h *Hour) Over(now time.Time, limit int) bool {
	if limit <= 0 {
		return false
	}
	i := 0
	for i < len(h.at) && !h.at[i].After(now.Add(-time.Hour)) {
		i++
	}
	h.at = h.at[i:]
	if len(h.at) >= limit {
		return true
	}
	h.at = append(h.at, now)
	return false
}

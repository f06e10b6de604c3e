//go:build unix

package simulate

import (
	"time"

	"bareed/campaigns/forecast"
)

// book keeps places by the rules of numbers/places: one is good for another
// message for 23 hours, counts from the delivery, comes back after 24 hours or
// with a failure, and either only with the next sweep.
type book struct {
	limit int     // 0: unlimited
	kept  float64 // share of it left to other tools
	held  map[string]*place
}

type place struct {
	at      time.Time // reserved, or counted
	counted bool
	freed   bool
}

const (
	good  = 23 * time.Hour
	lasts = 24 * time.Hour
)

// room is how many places may still be taken.
func (b *book) room() int { return int(forecast.Usable(int64(b.limit), b.kept)) - len(b.held) }

func (b *book) reserve(person string, now time.Time) bool {
	p := b.held[person]
	switch {
	case b.limit == 0:
		return true
	case p != nil && !p.freed && now.Sub(p.at) < good:
		return true
	case b.room() <= 0:
		return false
	}
	b.held[person] = &place{at: now}
	return true
}

// count stamps a delivery; a place that had run out is made anew, even above the limit.
func (b *book) count(person string, now time.Time) {
	if b.limit > 0 || b.held[person] != nil {
		b.held[person] = &place{at: now, counted: true}
	}
}

func (b *book) free(person string) {
	if p := b.held[person]; p != nil && !p.counted {
		p.freed = true
	}
}

func (b *book) sweep(now time.Time) {
	for person, p := range b.held {
		if p.freed || now.Sub(p.at) > lasts {
			delete(b.held, person)
		}
	}
}

// first is when the first place comes back, and whether one waits for the sweep.
func (b *book) first() (freed bool, at time.Time) {
	for _, p := range b.held {
		freed = freed || p.freed
		if ends := p.at.Add(lasts); at.IsZero() || ends.Before(at) {
			at = ends
		}
	}
	return freed, at
}

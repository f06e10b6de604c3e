package forecast

import "math"

// tape is people over time, in seconds since Input.Now: pieces in order, each of
// them even from its beginning to its end, or all at one instant.
type tape struct {
	pieces []piece
	head   int // what is before it lies in the past
}

type piece struct{ from, to, n float64 }

func (p piece) rate() float64 {
	if p.to <= p.from {
		return 0
	}
	return p.n / (p.to - p.from)
}

// add puts a piece at the end; one that goes on evenly is joined with the last.
func (t *tape) add(p piece) {
	if p.n <= 0 {
		return
	}
	if last := len(t.pieces) - 1; last >= t.head && p.to > p.from {
		l := &t.pieces[last]
		if l.to > l.from && near(l.to, p.from) && math.Abs(l.rate()-p.rate()) < 1e-9*(1+p.rate()) {
			l.to, l.n = p.to, l.n+p.n
			return
		}
	}
	t.pieces = append(t.pieces, p)
}

// pass leaves what ended by now behind and gives those that came at an instant.
func (t *tape) pass(now float64) (atOnce float64) {
	for ; t.head < len(t.pieces); t.head++ {
		p := t.pieces[t.head]
		if p.to > now+grain {
			break
		}
		if p.to <= p.from {
			atOnce += p.n
		}
	}
	return atOnce
}

// rate is how many a second come now.
func (t *tape) rate(now float64) float64 {
	if t.head == len(t.pieces) || t.pieces[t.head].from > now+grain {
		return 0
	}
	return t.pieces[t.head].rate()
}

// next is when the rate changes, or people come at once.
func (t *tape) next(now float64) float64 {
	if t.head == len(t.pieces) {
		return math.Inf(1)
	}
	if p := t.pieces[t.head]; p.from > now+grain {
		return p.from
	}
	return t.pieces[t.head].to
}

const (
	grain = 1e-6 // seconds that make no difference
	speck = 1e-6 // people that are none
)

func near(a, b float64) bool { return math.Abs(a-b) <= grain }

// fill shares what there is evenly; nobody gets more than they want.
func fill(there float64, wants []float64) []float64 {
	got := make([]float64, len(wants))
	for range wants {
		open := 0
		for i := range wants {
			if wants[i]-got[i] > 1e-12 {
				open++
			}
		}
		if open == 0 || there <= 1e-12 {
			break
		}
		each := there / float64(open)
		for i := range wants {
			more := min(each, wants[i]-got[i])
			got[i] += more
			there -= more
		}
	}
	return got
}

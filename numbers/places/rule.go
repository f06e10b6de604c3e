package places

import "slices"

// Pool is a portfolio's places as they stand.
type Pool struct {
	Limit     int // Meta's
	Effective int // Meta's less the reserve kept for other tools
	Taken     int
	Shares    []Share
}

// Share is a part of a portfolio's places that only those may take who name it.
type Share struct {
	Name  string
	Size  int
	Used  int
	Kinds []string // runs of these kinds take from it unasked
}

// Demand is how many people runs that go before the asker have still to reach.
type Demand struct {
	Share, Kind string
	People      int
}

// effective is what of a limit may be used; the reserve is kept as a 32-bit float.
func effective(limit int, reserve float64) int { return int(float64(limit)*(1-reserve) + 0.001) }

// Usable is what of a limit may be used beside the reserve.
func Usable(limit int, reserve float32) int { return effective(limit, float64(reserve)) }

func (s Share) unused() int { return max(0, s.Size-s.Used) }

// shareOf is the share that a run may take from: the one it names, else the one
// that names its kind, else none.
func (p Pool) shareOf(name, kind string) string {
	for _, s := range p.Shares {
		if name != "" && s.Name == name || name == "" && slices.Contains(s.Kinds, kind) {
			return s.Name
		}
	}
	return ""
}

// Room tells how many places a run may take: own of the share it names or its
// kind is named by, open of what is open to all. ahead goes before it.
func (p Pool) Room(name, kind string, ahead []Demand) (own, open int) {
	return p.room(p.shareOf(name, kind), ahead)
}

// ShareOf is the share that a run takes from, "" for none.
func (p Pool) ShareOf(name, kind string) string { return p.shareOf(name, kind) }

// room is the rule of who may take how many free places: own of the asker's
// share, open of what is open to all.
//
// A place is open only when every share's unused part still fits beside it: so a
// share's places can always be had by those who name it, and by nobody else.
// They may take open ones besides. Of both, what runs of a higher priority have
// still to reach is left to them; a share serves its own first.
func (p Pool) room(share string, ahead []Demand) (own, open int) {
	want := map[string]int{}
	for _, d := range ahead {
		want[p.shareOf(d.Share, d.Kind)] += d.People
	}
	free := p.Effective - p.Taken
	open = free - want[""]
	for _, s := range p.Shares {
		unused := s.unused()
		open -= unused + max(0, want[s.Name]-unused)
		if s.Name == share {
			own = max(0, min(unused-want[s.Name], free))
		}
	}
	return own, max(0, open)
}

// row is a person's place as it was found, the zero value when there is none.
type row struct {
	there   bool
	live    bool   // still counts; else it waits for the sweep
	share   string // it was taken from; empty: open to all
	counted bool   // Meta counts the person now
	mine    bool   // the asking message alone holds it
	held    bool   // the asking message holds it, alone or with others
	fresh   bool   // reserved not long ago
}

// verdict is what is done about one person.
type verdict int

const (
	refused  verdict = iota
	given            // the place stands as it is
	renewed          // held for this message too
	taken            // a new one, or one that was over
	gaveBack         // refused, and its unused place is free again
)

// desk hands out places to one asker.
type desk struct {
	Pool
	share     string // the asker's
	own, open int
}

func newDesk(p Pool, name, kind string, ahead []Demand) *desk {
	d := &desk{Pool: p, share: p.shareOf(name, kind)}
	d.own, d.open = p.room(d.share, ahead)
	return d
}

// ask judges one person and says from which share the place is then. While more
// places are taken than Meta allows, only people whom Meta counts already go on,
// and a message that has not left gives its place back.
func (d *desk) ask(r row) (verdict, string) {
	switch {
	case !r.there:
		return d.takeNew()
	case d.Taken > d.Limit && !(r.live && r.counted):
		if r.live && r.mine {
			return gaveBack, r.share
		}
		return refused, r.share
	case !r.live && d.Taken > d.Effective:
		return refused, r.share
	}
	moved := r.share != "" && r.share != d.share
	if moved {
		if d.open < 1 {
			return refused, r.share
		}
		d.open--
		d.use(r.share, -1)
		r.share = ""
	}
	switch {
	case !r.live:
		return taken, r.share
	case r.held && r.fresh && !moved:
		return given, r.share
	}
	return renewed, r.share
}

func (d *desk) takeNew() (verdict, string) {
	switch {
	case d.own > 0:
		d.own--
		d.Taken++
		d.use(d.share, 1)
		return taken, d.share
	case d.open > 0:
		d.open--
		d.Taken++
		return taken, ""
	}
	return refused, ""
}

func (d *desk) use(share string, n int) {
	for i := range d.Shares {
		if d.Shares[i].Name == share {
			d.Shares[i].Used += n
		}
	}
}

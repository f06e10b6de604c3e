package scheduler

import (
	"time"

	"bareed/internal/id"
)

// flow is how fast one lane's messages are handed over. The queue delivers at
// once, so handing over is the pacing: a message that reaches a worker before
// its departure only comes back. The workers' limiter stays the judge.
type flow struct {
	credit float64 // messages that may be handed over now; fills with time
	at     time.Time
	gap    time.Duration // between the last two looks: what was handed over is spread over as much
	size   float64       // how many may be out: handed over and not answered
	most   float64       // what size may grow to: a second of the rate
	halved time.Time
	handed time.Time // when something was handed over last
	given  int       // how many were handed over since the last look
}

const (
	// bulkShare is the part of Meta's throughput that is handed over: a tenth is
	// head-room for replies, and a little less than what the limiter lets pass
	// keeps a queue from building up in front of it.
	bulkShare = 0.9 * 0.985
	// least keeps a slow number trying.
	least = 2
	// slow is how old an outstanding POST is that counts as slow (messages.Backlog).
	slow = time.Second
	// slowShare of what may be out, and never more than slowMost, may be slow before
	// the number counts as slow: now and then an answer takes long on any number, and
	// one in a thousand would keep a quick one at a third of its rate.
	slowShare = 1.0 / 4
	slowMost  = 16
	// catchUp is how much time that went by unused may be made good, and longest how
	// much of the time between two looks: a leader with much to do looks less often,
	// and its numbers are to lose nothing by it.
	catchUp = 400 * time.Millisecond
	longest = time.Second
)

func (f *feeder) flow(r feedRun, now time.Time) *flow {
	rate := float64(r.PerSecond) * bulkShare
	w := f.flows[r.lane()]
	if w == nil {
		w = &flow{at: now.Add(-tick), size: max(8, rate/4), halved: now}
		f.flows[r.lane()] = w
	}
	w.most = max(least, rate)
	w.size = min(w.size, w.most)
	w.gap = min(max(tick, now.Sub(w.at)), longest)
	w.credit = min(w.credit+rate*now.Sub(w.at).Seconds(), most(rate, w.gap))
	w.at = now
	return w
}

// most is what a credit may come to a gap after the last look: the time that may
// be made good, and always what one look adds to a message that is nearly due.
// Capped at one, a slow pace would lose a part of each look and be a sixth slower
// than asked for.
func most(perSecond float64, gap time.Duration) float64 {
	return max(1+perSecond*max(tick, gap).Seconds(), perSecond*catchUp.Seconds())
}

// room is how many messages may be handed over now, given what is out and how
// many of it have waited long for their answer. What may be out grows while
// answers come quickly and halves when they do not, so that a slow number cannot
// fill the workers' slots with waiting. What was handed over and is answered by
// the next look counts as use too.
func (w *flow) room(now time.Time, out, late int) int {
	switch {
	case float64(late) > min(w.size*slowShare, slowMost):
		if now.Sub(w.halved) >= time.Second {
			w.size, w.halved = max(least, w.size/2), now
		}
	case float64(max(out, w.given)) > w.size/2:
		w.size = min(w.most, w.size+max(1, w.most/16))
	}
	w.given = 0
	return int(min(w.credit, w.size-float64(out)))
}

// answered tells whether everything that was handed over of late is answered
// already: none of it waits for a claim or was claimed in the last second. Then
// the old claims that are left are orphans, of processes that died or whose claim
// was in doubt, and say nothing of the number.
func (w *flow) answered(now time.Time, awaited int) bool {
	return awaited == 0 && now.Sub(w.handed) < slow
}

// pace is a run's own speed ("100 a minute") as a credit that fills with time.
type pace struct {
	credit float64
	at     time.Time
}

// allowed is how many of n the run's own pace permits now.
func (f *feeder) allowed(r feedRun, n int, now time.Time) int {
	if r.PerMinute == nil {
		return n
	}
	perSecond := float64(*r.PerMinute) / 60
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.paces[r.Run]
	if p == nil {
		p = &pace{credit: 1, at: now}
		f.paces[r.Run] = p
	}
	gap := min(now.Sub(p.at), longest)
	p.credit = min(p.credit+perSecond*now.Sub(p.at).Seconds(), most(perSecond, gap))
	p.at = now
	return min(n, int(p.credit))
}

// spend takes what was handed over off the lane's credit.
func (w *flow) spend(n int, now time.Time) {
	w.credit -= float64(n)
	w.given += n
	if n > 0 {
		w.handed = now
	}
}

// spend takes what was handed over off the run's own.
func (f *feeder) spend(r feedRun, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.paces[r.Run]; p != nil {
		p.credit -= float64(n)
	}
}

// forget drops what is remembered of lanes and runs that no longer run.
func (f *feeder) forget(runs []feedRun) {
	lanes, live := map[lane]bool{}, map[id.Run]bool{}
	for _, r := range runs {
		lanes[r.lane()], live[r.Run] = true, true
	}
	for l := range f.flows {
		if !lanes[l] {
			delete(f.flows, l)
		}
	}
	for r := range f.paces {
		if !live[r] {
			delete(f.paces, r)
		}
	}
}

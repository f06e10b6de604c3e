package scheduler

import (
	"time"

	"bareed/internal/id"
)

// window is how many messages of one number may be handed over and not yet
// answered. It grows while answers come quickly and halves when they do not, so
// that a slow number cannot fill the workers' slots with waiting.
type window struct {
	size   float64
	most   float64 // two seconds of the number's rate
	halved time.Time
}

// least keeps a slow number trying.
const least = 2

// slow is how old an outstanding POST may be before its number counts as slow.
const slow = time.Second

func (f *feeder) window(r feedRun, now time.Time) *window {
	most := max(least, float64(r.PerSecond)*ahead.Seconds())
	w := f.windows[r.Number]
	if w == nil {
		w = &window{size: max(8, most/4), halved: now}
		f.windows[r.Number] = w
	}
	w.most = most
	w.size = min(w.size, most)
	return w
}

// adapt moves the window by what is out and how old the oldest answer awaited
// is, and returns its size.
func (w *window) adapt(now time.Time, out int, oldest time.Duration) int {
	switch {
	case oldest > slow:
		if now.Sub(w.halved) >= time.Second {
			w.size, w.halved = max(least, w.size/2), now
		}
	case float64(out) < w.size/2:
		w.size = min(w.most, w.size+max(1, w.most/16))
	}
	return int(w.size)
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
	p := f.paces[r.Run]
	if p == nil {
		p = &pace{credit: 1, at: now}
		f.paces[r.Run] = p
	}
	p.credit = min(p.credit+perSecond*now.Sub(p.at).Seconds(), max(1, perSecond*ahead.Seconds()))
	p.at = now
	return min(n, int(p.credit))
}

func (f *feeder) spend(r feedRun, n int) {
	if p := f.paces[r.Run]; p != nil {
		p.credit -= float64(n)
	}
}

// forget drops what is remembered of numbers and runs that no longer run.
func (f *feeder) forget(runs []feedRun) {
	numbers, live := map[id.Number]bool{}, map[id.Run]bool{}
	for _, r := range runs {
		numbers[r.Number], live[r.Run] = true, true
	}
	for n := range f.windows {
		if !numbers[n] {
			delete(f.windows, n)
		}
	}
	for r := range f.paces {
		if !live[r] {
			delete(f.paces, r)
		}
	}
}

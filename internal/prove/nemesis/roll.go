//go:build unix

package nemesis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"bareed/internal/clock"
	"bareed/internal/devenv"
)

// claimsUnderWay is how far back a claim is counted as under way when its worker is
// asked to end. Older ones were in doubt before.
const claimsUnderWay = 2500 * time.Millisecond

// lateArrival is how long after such a step a statement can still arrive whose
// sender no longer waits for it.
const lateArrival = 500 * time.Millisecond

// doubts knows when PostgreSQL last could take a statement and lose the answer. A
// claim from before then may have been left in doubt by that, whatever ended its
// worker.
type doubts struct {
	mu       sync.Mutex
	underWay int
	begun    int
	ended    time.Time
}

// begin is called before such a step, and what it returns after it.
func (d *doubts) begin() func() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.underWay++
	d.begun++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.underWay--
		d.ended = time.Now()
	}
}

// read returns how many such steps have begun, and how long none has been under way.
func (d *doubts) read() (begun int, calm time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.underWay > 0 {
		return d.begun, 0
	}
	return d.begun, max(0, time.Since(d.ended)-lateArrival)
}

// roll ends a process that is up as a deployment does. One that is starting
// holds nothing yet and knows nothing of signals: it is waited for.
func (w *World) roll(ctx context.Context, s Step) error {
	ready, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for w.Rig.WaitReady(ready, s.On) != nil { // it may end at its start, and is started again
		if clock.Pause(ready, 100*time.Millisecond); ready.Err() != nil {
			return errors.New("not up within 10 s, so that SIGTERM would say nothing")
		}
	}
	p, began := w.Rig.Process(s.On), time.Now()
	steps, calm := w.doubts.read()
	var young time.Time
	if err := w.Admin.QueryRow(ctx, sqlYoung, min(calm, claimsUnderWay)).Scan(&young); err != nil {
		return err
	}
	if err := w.end(p, s.On, began); err != nil {
		return err
	}
	w.mark(Mark{Do: Roll, On: s.On, At: began, Until: time.Now()})
	if now, _ := w.doubts.read(); now > steps {
		return errors.New("the database lost answers meanwhile, so that claims in doubt say nothing of SIGTERM")
	}
	left, err := w.leftSending(ctx, p.Pid(), young)
	if err == nil && left > 0 {
		w.mark(Mark{Do: "roll-unknown", On: fmt.Sprint(left), At: began})
	}
	return err
}

// end asks a process to end and waits for it.
func (w *World) end(p *devenv.Process, name string, began time.Time) error {
	kills := w.killed(name, 0)
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-time.After(40 * time.Second):
		w.mark(Mark{Do: "roll-late", On: name, At: began})
		return errors.New("no end 40 s after SIGTERM")
	}
	if w.killed(name, 0) > kills {
		return errors.New("killed before it could end, so that SIGTERM says nothing")
	}
	if p.Err() != nil {
		w.mark(Mark{Do: "roll-bad", On: name, At: began})
		return fmt.Errorf("after SIGTERM: %w", p.Err())
	}
	return nil
}

const (
	sqlYoung = `select bareed_now() - $1::interval`

	sqlLeftSending = `
select count(*)
from message
where state = 'sending'
  and claimed_by like '%' || $1
  and claimed_at > $2`
)

// leftSending counts the claims that a process left behind and can have had under
// way when it was asked to end. Older ones were in doubt before, from a database
// that took them and could not say so.
func (w *World) leftSending(ctx context.Context, pid int, young time.Time) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err = w.Admin.QueryRow(ctx, sqlLeftSending, fmt.Sprintf("/%d", pid), young).Scan(&n)
	return n, err
}

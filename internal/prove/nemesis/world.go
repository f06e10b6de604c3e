//go:build unix

// Package nemesis breaks the running product on purpose: it draws a plan from a
// seed and carries it out, step by step, on real processes, servers and links.
//
// The proof rig calls it. It judges nothing; what was done, and when, goes into
// the history.
package nemesis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"bareed/client"
	"bareed/internal/clock"
	"bareed/internal/devenv"
	"bareed/internal/prove/wire"
	"bareed/internal/rig"
)

// History is told what was done; process is what it was done to.
type History interface {
	Note(op, process, detail string)
}

// World is everything that can be broken.
type World struct {
	Rig       *rig.Rig
	Servers   *devenv.Durable
	Net       *wire.Net
	Admin     *pgxpool.Pool // the superuser, past the links
	Redis     *redis.Client // past the links
	Inspector *asynq.Inspector
	Tenant    *rig.Tenant
	Client    *client.Client
	History   History
	Campaigns map[string]string // name → cmp_…
	Runs      map[string]string // name → run, 32 hexadecimal digits
	Slots     int               // of all workers

	mu     sync.Mutex
	counts map[string]int
	kills  map[string]int // by process
	marks  []Mark
	ended  bool // the outage at the end has begun
	off    int  // steps that measure a rule's stop
}

// Mark is a moment that the judge measures from.
type Mark struct {
	Do    string
	On    string
	At    time.Time // when it held: a commit's own time where there is one
	Until time.Time // when it was lifted; zero for never
}

// Counts is how many of each were done.
func (w *World) Counts() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]int{}
	for k, n := range w.counts {
		out[k] = n
	}
	return out
}

// Marks are what was measured.
func (w *World) Marks() []Mark {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Mark(nil), w.marks...)
}

func (w *World) mark(m Mark) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.marks = append(w.marks, m)
}

func (w *World) count(do string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.counts == nil {
		w.counts = map[string]int{}
	}
	w.counts[do] += n
}

// killed adds to how often a process was killed, and returns it.
func (w *World) killed(process string, n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kills == nil {
		w.kills = map[string]int{}
	}
	w.kills[process] += n
	return w.kills[process]
}

// Run carries the plan out, in the order of time, and returns when every step has
// ended.
func (w *World) Run(ctx context.Context, plan []Step) error {
	plan = slices.SortedStableFunc(slices.Values(plan), func(a, b Step) int { return cmp.Compare(a.At, b.At) })
	began := time.Now()
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, s := range plan {
		t := time.NewTimer(time.Until(began.Add(s.At)))
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
		wg.Go(func() {
			if err := w.perform(ctx, s); err != nil && ctx.Err() == nil {
				w.History.Note("trouble", s.Do+" "+s.On, err.Error())
			}
		})
	}
	return nil
}

func (w *World) perform(ctx context.Context, s Step) error {
	w.History.Note(s.Do, s.On, s.String())
	n := 1
	if s.Times > 0 {
		n = s.Times
	}
	if s.Do != Buttons {
		w.count(s.Do, n)
	}
	switch s.Do {
	case Kill, Freeze, Roll:
		return w.process(ctx, s)
	case Flush, Wipe, Stale:
		return w.emptyRedis(ctx, s)
	case Crash:
		return w.crash(ctx)
	case Terminate:
		return w.terminate(ctx, s)
	case Cut, Slow, Mute, Drip:
		return w.link(ctx, s)
	case Outage, Late, Storm, Fault, Gateway:
		return w.meta(ctx, s)
	case Buttons:
		return w.buttons(ctx, s)
	case Jump:
		return w.Jump(ctx, s.For)
	case Refuse, WriteStop, Pause, Stop, Frozen:
		return w.person(ctx, s)
	case Downgrade:
		return w.downgrade(ctx, s)
	case Drop, Revoke:
		return w.held(ctx, s)
	case Orphan:
		return w.orphan(ctx, s)
	}
	return fmt.Errorf("there is no step %q", s.Do)
}

// process sends signals; the supervisor starts again what ended.
func (w *World) process(ctx context.Context, s Step) error {
	p := w.Rig.Process(s.On)
	switch s.Do {
	case Kill:
		w.killed(s.On, 1)
		return p.Signal(syscall.SIGKILL)
	case Freeze:
		if err := p.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		clock.Pause(ctx, s.For)
		return p.Signal(syscall.SIGCONT)
	}
	return w.roll(ctx, s)
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
	var young time.Time
	if err := w.Admin.QueryRow(ctx, sqlYoung).Scan(&young); err != nil {
		return err
	}
	kills := w.killed(s.On, 0)
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-time.After(40 * time.Second):
		w.mark(Mark{Do: "roll-late", On: s.On, At: began})
		return errors.New("no end 40 s after SIGTERM")
	}
	if w.killed(s.On, 0) > kills {
		return errors.New("killed before it could end, so that SIGTERM says nothing")
	}
	if p.Err() != nil {
		w.mark(Mark{Do: "roll-bad", On: s.On, At: began})
		return fmt.Errorf("after SIGTERM: %w", p.Err())
	}
	w.mark(Mark{Do: Roll, On: s.On, At: began, Until: time.Now()})
	left, err := w.leftSending(ctx, p.Pid(), young)
	if err == nil && left > 0 {
		w.mark(Mark{Do: "roll-unknown", On: fmt.Sprint(left), At: began})
	}
	return err
}

const (
	sqlYoung = `select bareed_now() - interval '2500 milliseconds'`

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

func (w *World) emptyRedis(ctx context.Context, s Step) error {
	at := time.Now()
	if s.Do == Flush {
		if err := w.Redis.FlushAll(ctx).Err(); err != nil {
			return err
		}
		w.mark(Mark{Do: Flush, At: at})
		return nil
	}
	os.Remove(w.Servers.Dump())
	if s.Do == Stale {
		if err := w.Redis.Save(ctx).Err(); err != nil {
			return err
		}
		clock.Pause(ctx, 1500*time.Millisecond)
	}
	w.Servers.KillRedis()
	err := w.Servers.StartRedis(ctx)
	if err == nil && s.Do == Wipe {
		w.mark(Mark{Do: Wipe, At: time.Now()})
	}
	return err
}

func (w *World) crash(ctx context.Context) error {
	if err := w.Servers.CrashPostgres(); err != nil {
		return err
	}
	if err := w.Servers.StartPostgres(ctx); err != nil {
		return err
	}
	w.mark(Mark{Do: Crash, At: time.Now()})
	return nil
}

const sqlTerminate = `
select count(pg_terminate_backend(pid))
from pg_stat_activity
where usename <> 'postgres'
  and backend_type = 'client backend'
  and state <> 'idle'
  and strpos(query, $1) > 0`

// terminate ends the sessions that are at work, again and again. Those of one
// statement alone, by a text of it, are looked for more often: they are short.
func (w *World) terminate(ctx context.Context, s Step) error {
	pause := 50 * time.Millisecond
	if s.On != "" {
		pause = 10 * time.Millisecond
	}
	for range s.Times {
		ended := 0
		if err := w.Admin.QueryRow(ctx, sqlTerminate, s.On).Scan(&ended); err != nil {
			return err
		}
		w.count(Ended, ended)
		clock.Pause(ctx, pause)
	}
	return nil
}

func (w *World) link(ctx context.Context, s Step) error {
	l := w.Net.Link(s.On)
	if l == nil {
		return fmt.Errorf("there is no link %s", s.On)
	}
	var err error
	switch s.Do {
	case Cut:
		l.Cut()
	case Slow:
		err = l.Slow(300 * time.Millisecond)
	case Mute:
		err = l.Mute()
	case Drip:
		err = l.Drip()
	}
	if err != nil {
		return err
	}
	clock.Pause(ctx, s.For)
	return l.Heal()
}

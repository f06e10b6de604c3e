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
	"fmt"
	"os"
	"slices"
	"strings"
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
	doubts doubts
	off    int // steps that measure a rule's stop
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
		defer w.doubts.begin()()
		return w.crash(ctx)
	case Terminate:
		defer w.doubts.begin()()
		return w.terminate(ctx, s)
	case Cut, Slow, Mute, Drip:
		if s.Do != Slow && strings.HasPrefix(s.On, "postgres") {
			defer w.doubts.begin()()
		}
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
		m := Mark{Do: Freeze, On: s.On, At: time.Now()}
		if err := p.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		clock.Pause(ctx, s.For)
		err := p.Signal(syscall.SIGCONT)
		m.Until = time.Now()
		w.mark(m)
		return err
	}
	return w.roll(ctx, s)
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

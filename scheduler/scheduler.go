// Package scheduler owns the cron jobs that turn due rows into tasks, one file
// per job. Only the leader runs them; the leader is whoever holds a session
// lock in PostgreSQL, and a second scheduler waits harmlessly. Only this
// package enqueues. cmd starts it. It must not know Meta, nor do the work of a
// task itself.
package scheduler

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/robfig/cron/v3"

	"bareed/accounts"
	"bareed/campaigns/breaker"
	"bareed/internal/clock"
	"bareed/internal/pg"
	"bareed/messages/unknown"
	"bareed/queue"
)

// Config is what a Scheduler is built from.
type Config struct {
	Pool  *pg.Pool
	Queue *queue.Client
	Vault *accounts.Vault
	Clock clock.Clock
	Log   *slog.Logger

	Unknown unknown.Settings // of messages without an answer; its defaults when zero
	Limits  breaker.Limits   // the operator's, of what holds a run; the program's own when zero
}

// Scheduler runs the jobs while it leads.
type Scheduler struct {
	Config
	leading  atomic.Bool
	ticked   atomic.Int64 // unix ms of the last feed
	behind   atomic.Int64 // workspaces held for a loss
	feeder   feeder
	pictures pictures
	judged   pictures // of messages without an answer
	measured pictures // of runs, against their rules
	round    round
	looked   round // of measured
	offered  *offered
	release  release
	trouble  trouble
}

// New builds a scheduler; Run starts it.
func New(cfg Config) *Scheduler {
	return &Scheduler{Config: cfg, feeder: newFeeder(), pictures: newPictures(), judged: newPictures(), measured: newPictures(), offered: newOffered()}
}

// Leading tells whether this process leads, and when it last fed.
func (s *Scheduler) Leading() (bool, time.Time) {
	return s.leading.Load(), time.UnixMilli(s.ticked.Load()).UTC()
}

// job is one entry of the cron table.
type job struct {
	name  string
	every time.Duration
	run   func(context.Context) error
}

// jobs lists everything that happens by itself, in the order of a campaign's
// life.
func (s *Scheduler) jobs() []job {
	return []job{
		{"imports", time.Second, s.imports},
		{"plan", time.Second, s.plan},
		{"feed", tick, s.feed},
		{"events", 200 * time.Millisecond, s.events},
		{"reconcile", time.Second, s.reconcile},
		{"breaker", time.Second, s.breaker},
		{"first hours", 5 * time.Second, s.firstHours},
		{"halts", time.Second, s.halts},
		{"unknown", 5 * time.Second, s.unknown},
		{"places", 5 * time.Second, s.places},
		{"sync", 5 * time.Second, s.sync},
		{"seal", time.Second, s.seal},
		{"behind", 2 * time.Second, s.countBehind},
		{"charges", 5 * time.Second, s.charges},
		{"budgets", 2 * time.Second, s.budgets},
		{"zones", time.Hour, s.zones},
		{"housekeeping", time.Hour, s.housekeeping},
	}
}

// Run leads whenever it can, until ctx ends. It returns when the jobs in
// progress have ended.
func (s *Scheduler) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := s.lead(ctx, s.work); err != nil && ctx.Err() == nil {
			s.Log.Warn("leadership lost or not to be had", "error", err)
			clock.Pause(ctx, time.Second)
		}
	}
	return nil
}

// every is a cron schedule of a fixed distance; robfig's own rounds to seconds.
type every time.Duration

// Next is the instant after t.
func (e every) Next(t time.Time) time.Time { return t.Add(time.Duration(e)) }

// work runs the cron table until ctx ends. A job never overlaps itself.
func (s *Scheduler) work(ctx context.Context) {
	s.feeder.epoch, s.feeder.again = "", recovery{}
	table := cron.New(cron.WithLocation(time.UTC), cron.WithLogger(cron.DiscardLogger),
		cron.WithChain(cron.SkipIfStillRunning(cron.DiscardLogger)))
	for _, j := range s.jobs() {
		table.Schedule(every(j.every), cron.FuncJob(func() { s.perform(ctx, j) }))
	}
	s.perform(ctx, job{name: "zones", run: s.zones})
	s.perform(ctx, job{name: "housekeeping", run: s.housekeeping})
	table.Start()
	s.releaseTasks(ctx)
	<-table.Stop().Done()
}

// perform runs one job once, with a deadline, and logs what went wrong; the same
// trouble once a minute. The
// next tick tries again; no job keeps anything it could not lose.
func (s *Scheduler) perform(ctx context.Context, j job) {
	if ctx.Err() != nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("job panicked", "job", j.name, "panic", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := j.run(ctx); err != nil && ctx.Err() == nil {
		if again, tell := s.trouble.tells(j.name, err.Error(), time.Now()); tell {
			s.Log.Error("job", "job", j.name, "error", err, "again", again)
		}
	}
}

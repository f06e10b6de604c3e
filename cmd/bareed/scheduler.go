package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"bareed/campaigns/breaker"
	"bareed/internal/clock"
	"bareed/messages/unknown"
	"bareed/queue"
	"bareed/scheduler"
)

// runScheduler leads, or waits to. Order of stopping: no new tick, the jobs in
// progress end, the lock is given up with its session.
func runScheduler(ctx context.Context, _ []string) error {
	p, err := begin(ctx, "scheduler")
	if err != nil {
		return err
	}
	defer p.close()
	limits, err := breaker.ParseLimits(p.config.BreakerLimits, p.config.Waves)
	if err != nil {
		return err
	}
	tasks := queue.NewClient(p.config.Redis)
	defer tasks.Close()
	s := scheduler.New(scheduler.Config{Pool: p.pool, Queue: tasks, Vault: p.vault, Clock: clock.System, Log: p.log, Limits: limits,
		Unknown: unknown.Settings{After: p.config.EvidenceAfter, Horizon: p.config.UnknownHorizon}})
	p.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "bareed_scheduler_leading", Help: "1 while this scheduler leads.",
	}, func() float64 {
		if leads, _ := s.Leading(); leads {
			return 1
		}
		return 0
	}))
	p.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "bareed_database_behind", Help: "Workspaces held because the database had lost what it had committed; of the leader.",
	}, func() float64 { return float64(s.Behind()) }))
	whole := part{"ledger", func(context.Context) error {
		if n := s.Behind(); n > 0 {
			return fmt.Errorf("the database had lost what it had committed; %d workspaces are held until bareed admin release", n)
		}
		return nil
	}}
	feeding := part{"feeding", func(context.Context) error {
		if leads, fed := s.Leading(); leads && time.Since(fed) > 15*time.Second {
			return errors.New("this scheduler leads and has not fed for 15 seconds")
		}
		return nil
	}}
	return together(ctx, s.Run, func(ctx context.Context) error { return p.watch(ctx, whole, feeding) })
}

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"bareed/campaigns/breaker"
	"bareed/campaigns/caps"
	"bareed/internal/clock"
	"bareed/limits"
	"bareed/messages/behind"
	"bareed/queue"
	"bareed/whatsapp"
	"bareed/worker"
)

// runWorker performs tasks until SIGTERM. Order of stopping: take no more
// tasks; let those in progress finish (a POST has 15 s, the whole 25 s); let
// their records reach the database; then close connections. So nothing that
// was being sent ends as unknown.
func runWorker(ctx context.Context, _ []string) error {
	p, err := begin(ctx, "worker")
	if err != nil {
		return err
	}
	defer p.close()
	meta, err := whatsapp.New(whatsapp.Config{BaseURL: p.config.GraphURL, Version: p.config.GraphVersion})
	if err != nil {
		return err
	}
	defer meta.Close()
	rules, err := breaker.ParseLimits(p.config.BreakerLimits, p.config.Waves)
	if err != nil {
		return err
	}
	blocked, err := caps.ParseCountries(p.config.BlockedCountries)
	if err != nil {
		return err
	}
	ledger := behind.NewWatch(queue.NewMarks(p.redis).Ledger)
	if err := ledger.Look(ctx); err != nil {
		return err
	}
	w := worker.New(worker.Config{
		Pool: p.pool, Vault: p.vault, Meta: meta, Limits: limits.New(p.redis, limits.Config{MinAhead: 5 * time.Millisecond}),
		Clock: clock.System, Log: p.log, Name: processName("worker"), Slots: p.config.WorkerSlots,
		Known: ledger.Known, Rules: rules, Blocked: blocked,
	})
	tasks := w.Tasks()
	p.countTasks(tasks)
	p.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "bareed_accepted_twice_total", Help: "Messages of which this worker noticed that Meta accepted two requests.",
	}, func() float64 { return float64(w.AcceptedTwice()) }))
	servers := queue.NewServers(queue.ServersConfig{Redis: p.config.Redis, Mux: tasks, Log: p.log,
		Slots: p.config.WorkerSlots, SendServers: p.config.WorkerServers, Shutdown: p.config.ShutdownGrace})
	err = together(ctx, servers.Run, ledger.Run, func(ctx context.Context) error { return p.watch(ctx) })
	waiting, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	w.Wait(waiting)
	return err
}

// processName tells this process from its twins in the ledger.
func processName(kind string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%s/%d", kind, host, os.Getpid())
}

// countTasks shows what became of the tasks in /metrics.
func (p *process) countTasks(tasks *queue.Mux) {
	p.registry.MustRegister(&taskCounts{tasks: tasks, desc: prometheus.NewDesc(
		"bareed_tasks_total", "Tasks by type and end: done, failed (will be tried again), panicked, dropped (unreadable).",
		[]string{"task", "end"}, nil)})
}

type taskCounts struct {
	tasks *queue.Mux
	desc  *prometheus.Desc
}

// Describe names the figure.
func (c *taskCounts) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

// Collect reads the counters.
func (c *taskCounts) Collect(ch chan<- prometheus.Metric) {
	for name, n := range c.tasks.Counts() {
		for end, v := range map[string]int64{"done": n.Done, "failed": n.Failed, "panicked": n.Panicked, "dropped": n.Dropped} {
			ch <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, float64(v), name, end)
		}
	}
}

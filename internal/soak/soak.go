//go:build unix

// Package soak sends for a long time under light faults and looks whether
// anything grows: memory, goroutines, files and connections of every process,
// connections of PostgreSQL, keys of Redis.
//
// cmd/dev runs it. What is sent is judged by the proof, not here.
package soak

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"bareed/client"
	"bareed/internal/clock"
	"bareed/internal/prove/nemesis"
	"bareed/internal/prove/stage"
	"bareed/internal/rig"
)

// Options of Run.
type Options struct {
	Out    io.Writer
	Length time.Duration // of sending
	Rate   int           // messages a second
	Binary string        // of the product; empty: it is built
}

// every is how often it looks.
const every = 5 * time.Second

// collect is the growth, in %, at which the processes collect their garbage: much
// more often than by themselves. A few times in a minute it would find alive
// whatever happened to be under way, and a leak could hide in that.
const collect = 20

// light is the share of each kind of fault: a few in a thousand calls.
const light = 0.005

// processes are those that are watched.
func processes() []string { return []string{"api", "scheduler1", "worker1", "worker2"} }

// run is a soak in progress.
type run struct {
	Options
	*stage.Stage
	redis  *redis.Client
	people int // made so far
	sent   int
}

// Run sends, looks and judges. The error is about the rig itself.
func Run(soft, hard context.Context, o Options) (Report, error) {
	if o.Binary == "" {
		dir, err := os.MkdirTemp("", "bareed-soak-")
		if err != nil {
			return Report{}, fmt.Errorf("make a directory: %w", err)
		}
		defer os.RemoveAll(dir)
		if o.Binary, err = rig.Build(soft, dir, os.Stderr); err != nil {
			return Report{}, err
		}
	}
	s, err := stage.Open(hard, "soak", o.Binary, 2, 1, o.Rate, fmt.Sprint("GOGC=", collect))
	if err != nil {
		return Report{}, err
	}
	defer s.Close()
	r := &run{Options: o, Stage: s}
	options, err := redis.ParseURL(s.Rig.RedisURL)
	if err != nil {
		return Report{}, fmt.Errorf("read the address of Redis: %w", err)
	}
	r.redis = redis.NewClient(options)
	defer func() { _ = r.redis.Close() }()
	return r.soak(soft)
}

func (r *run) soak(ctx context.Context) (Report, error) {
	if err := r.Rig.Control(ctx, "/sandbox/scenario", nemesis.Settled(), nil); err != nil {
		return Report{}, err
	}
	for _, f := range nemesis.Standing(light) {
		if err := r.Rig.Control(ctx, "/sandbox/faults", f, nil); err != nil {
			return Report{}, err
		}
	}
	sending, stop := context.WithTimeout(ctx, r.Length)
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- r.send(sending) }()
	seen := series{}
	for began := time.Now(); clock.Pause(sending, every); {
		if err := r.look(sending, seen, time.Since(began)); err != nil && sending.Err() == nil {
			fmt.Fprintf(r.Out, "soak       a look failed: %v\n", err)
		}
	}
	if err := <-failed; err != nil {
		return Report{}, err
	}
	return judge(seen, r.Length, r.sent), ctx.Err()
}

// send sends one campaign after the other until ctx ends.
func (r *run) send(ctx context.Context) error {
	for n := 1; ctx.Err() == nil; n++ {
		if err := r.campaign(ctx, n); err != nil && ctx.Err() == nil {
			return fmt.Errorf("campaign %d: %w", n, err)
		}
	}
	return nil
}

// campaign sends for about half a minute, to people who are new.
func (r *run) campaign(ctx context.Context, n int) error {
	count := 30 * r.Rate
	var csv strings.Builder
	csv.WriteString("phone,name,city,opt_in,opt_in_at\n")
	for range count {
		r.people++
		fmt.Fprintf(&csv, "+9665%08d,Person %d,Riyadh,yes,2026-01-02\n", 10_000_000+r.people, r.people)
	}
	id, eligible, err := r.Rig.Campaign(ctx, r.Tenant, rig.Definition{Name: fmt.Sprint("Soak ", n), CSV: csv.String()})
	if err != nil {
		return err
	}
	c := r.Rig.Client(r.Tenant.Key)
	if _, err := c.LaunchCampaign(ctx, id, client.Launch{ExpectedRecipients: eligible}); err != nil {
		return err
	}
	return rig.Until(ctx, 500*time.Millisecond, func() (bool, error) {
		got, err := c.GetReport(ctx, id)
		if err != nil || got.Total < int64(count) || got.Ready+got.Sending > 0 { // the first picture is of a plan under way
			return false, err
		}
		r.sent += count
		fmt.Fprintf(r.Out, "soak       %d messages in %d campaigns\n", r.sent, n)
		return true, nil
	})
}

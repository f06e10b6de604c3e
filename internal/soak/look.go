//go:build unix

package soak

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// point is one look at one thing.
type point struct {
	at    time.Duration
	value float64
}

// thing is what may grow, and of whom.
type thing struct{ of, what string }

// The things, in the units of the report.
const (
	memory      = "MB resident"
	heap        = "MB live" // what the collector found alive, from what it waits for next
	goroutines  = "goroutines"
	files       = "open files"
	connections = "connections"
	keys        = "keys"
)

type series map[thing][]point

func (s series) add(of, what string, at time.Duration, v float64) {
	s[thing{of, what}] = append(s[thing{of, what}], point{at, v})
}

// look reads everything once.
func (r *run) look(ctx context.Context, s series, at time.Duration) error {
	for _, name := range processes() {
		found, err := r.metrics(ctx, name)
		if err != nil {
			return err
		}
		s.add(name, memory, at, found["process_resident_memory_bytes"]/1e6)
		s.add(name, heap, at, found["go_memstats_next_gc_bytes"]/(1e6*(1+collect/100.0)))
		s.add(name, goroutines, at, found["go_goroutines"])
		s.add(name, files, at, found["process_open_fds"])
	}
	var n int
	if err := r.Admin.QueryRow(ctx, `select count(*) from pg_stat_activity where backend_type = 'client backend'`).Scan(&n); err != nil {
		return fmt.Errorf("count the connections: %w", err)
	}
	s.add("postgres", connections, at, float64(n))
	size, err := r.redis.DBSize(ctx).Result()
	if err != nil {
		return fmt.Errorf("count the keys: %w", err)
	}
	s.add("redis", keys, at, float64(size))
	return nil
}

// metrics reads a process's figures that have no labels.
func (r *run) metrics(ctx context.Context, name string) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Rig.Metrics(name)+"/metrics", nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", name, err)
	}
	res, err := r.Rig.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", name, err)
	}
	defer res.Body.Close()
	found := map[string]float64{}
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		key, text, ok := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(text, 64); ok && err == nil {
			found[key] = v
		}
	}
	if found["go_goroutines"] == 0 {
		return nil, fmt.Errorf("%s shows no figures", name)
	}
	return found, nil
}

//go:build unix

package rig

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"bareed/internal/devenv"
)

// Outside prepares a product whose processes somebody else runs, such as a
// runner of Procfiles: addresses are picked and the schema is brought up to
// date, nothing is started. Give the processes Environment.
func Outside(ctx context.Context, c Config) (*Rig, error) {
	if c.MasterKey == "" {
		c.MasterKey = NewMasterKey()
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	r := &Rig{Config: c, processes: map[string]*devenv.Process{}, ports: map[string]int{},
		HTTP: &http.Client{Timeout: time.Minute}}
	if err := r.address(); err != nil {
		return nil, err
	}
	if out, err := r.Command(ctx, "migrate"); err != nil {
		return nil, fmt.Errorf("migrate: %w: %s", err, out)
	}
	return r, nil
}

// Environment is every setting of a process of Outside but its address for
// health and metrics.
func (r *Rig) Environment() []string { return r.environment(0) }

//go:build unix

// Package stage runs the product for proofs of one thing: the real processes on a
// durable PostgreSQL and a Redis of their own, nothing between them, and a tenant
// that can send. The proof by faults has a stage of its own, with links.
package stage

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgxpool"

	"bareed/internal/devenv"
	"bareed/internal/rig"
)

// Stage is the running product.
type Stage struct {
	Rig     *rig.Rig
	Tenant  *rig.Tenant
	Admin   *pgxpool.Pool // PostgreSQL's superuser
	Servers *devenv.Durable
	dir     string
	log     *os.File
}

// Open starts everything; name is a-z only, perSecond the number's rate.
func Open(hard context.Context, name, binary string, workers, schedulers, perSecond int) (*Stage, error) {
	s := &Stage{}
	if err := s.open(hard, name, binary, workers, schedulers, perSecond); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Stage) open(hard context.Context, name, binary string, workers, schedulers, perSecond int) (err error) {
	if s.dir, err = os.MkdirTemp("", "bareed-"+name+"-"); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	if s.log, err = os.Create(filepath.Join(s.dir, "processes.log")); err != nil {
		return fmt.Errorf("make a log: %w", err)
	}
	if s.Servers, err = devenv.StartDurable(hard, name, io.Discard); err != nil {
		return err
	}
	d := s.Servers
	s.Rig, err = rig.Start(hard, rig.Config{Binary: binary, Dir: s.dir, Workers: workers, Schedulers: schedulers, Slots: 16, Log: s.log,
		RedisURL:    "redis://:" + d.Password + "@" + d.Redis + "/0",
		DatabaseURL: "postgres://" + d.Login + ":" + d.Password + "@" + d.Postgres + "/" + d.Database + "?sslmode=disable"})
	if err != nil {
		return fmt.Errorf("start the product: %w", err)
	}
	if s.Admin, err = pgxpool.New(hard, d.AdminURL); err != nil {
		return fmt.Errorf("connect as the superuser: %w", err)
	}
	s.Tenant, err = s.Rig.MakeTenant(hard, "Acme", rig.MetaOf(1, perSecond, "TIER_UNLIMITED"))
	return err
}

// Close ends everything.
func (s *Stage) Close() {
	if s.Rig != nil {
		s.Rig.Stop()
	}
	if s.Admin != nil {
		s.Admin.Close()
	}
	if s.Servers != nil {
		s.Servers.Close()
	}
	if s.log != nil {
		s.log.Close()
	}
	os.RemoveAll(s.dir)
}

//go:build unix

// Package demo shows the product at work: it starts everything as real
// processes on its own PostgreSQL and Redis, imports a file of 10,000 people
// through the public API, checks, launches and follows a campaign, and compares
// the report with what the sandbox counted. cmd/dev calls it. It knows the
// product from outside only, as a customer's program does.
package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"bareed/internal/devenv"
	"bareed/internal/rig"
)

// Options of Run.
type Options struct {
	Out      io.Writer
	Terminal bool // Out is one: lines may be drawn over
	Once     bool // end after the report
	Install  bool
}

// kept is what a second demo on the same data needs of the first.
type kept struct {
	MasterKey string
	Tenant    *rig.Tenant
	Seats     []seat
	Runs      int
}

// show is one demo in progress.
type show struct {
	Options
	rig  *rig.Rig
	kept kept
	file string // where kept lies

	drawn string // the progress bar as it stands
	tenth int64  // the last tenth that was shown
}

// Run shows the product. soft ends at the first Ctrl-C, hard at the second.
func Run(soft, hard context.Context, o Options) error {
	began := time.Now()
	fmt.Fprintln(o.Out, "Nothing leaves this machine: WhatsApp is simulated.")
	env, err := servers(soft, o)
	if err != nil {
		return err
	}
	defer env.Close()
	s := &show{Options: o}
	dir, err := s.load(env)
	if err != nil {
		return err
	}
	if err := s.start(soft, hard, env, dir); err != nil {
		return err
	}
	defer s.rig.Stop()
	fmt.Fprintf(o.Out, "%-10s api, worker ×2, scheduler and sandbox run after %.1f s\n", "started", time.Since(began).Seconds())
	if !o.Once {
		s.address() // now, so that the campaign can be watched
	}
	result, err := s.perform(soft)
	if err != nil {
		return err
	}
	if o.Once {
		return s.last(result)
	}
	s.address()
	fmt.Fprintln(o.Out, "\nIt stays up. Ctrl-C ends it; the data is kept (dev reset wipes it).")
	<-soft.Done()
	fmt.Fprintln(o.Out, "\nStopping: what is under way ends first.")
	return nil
}

// load reads what an earlier demo on the same database left, and returns the
// directory for our own files.
func (s *show) load(env *devenv.Env) (string, error) {
	dir, err := devenv.OwnDir(devenv.Demo)
	if err != nil {
		return "", err
	}
	s.file = filepath.Join(dir, "demo-"+short(env.DatabaseURL)+".json")
	b, err := os.ReadFile(s.file)
	if os.IsNotExist(err) {
		s.kept.MasterKey = rig.NewMasterKey()
		return dir, s.save()
	}
	if err != nil {
		return "", fmt.Errorf("read what the last demo kept: %w", err)
	}
	if err := json.Unmarshal(b, &s.kept); err != nil {
		return "", fmt.Errorf("read what the last demo kept (dev reset begins anew): %w", err)
	}
	return dir, nil
}

// save writes the file anew and only then puts it in place.
func (s *show) save() error {
	b, err := json.Marshal(s.kept)
	if err != nil {
		return fmt.Errorf("keep for the next demo: %w", err)
	}
	if err := os.WriteFile(s.file+".new", b, 0o600); err != nil {
		return fmt.Errorf("keep for the next demo: %w", err)
	}
	return os.Rename(s.file+".new", s.file)
}

func (s *show) start(soft, hard context.Context, env *devenv.Env, dir string) error {
	bin, err := rig.Build(soft, dir, s.Out)
	if err != nil {
		return err
	}
	os.Remove(filepath.Join(dir, "journal.jsonl")) // of an earlier sandbox
	api := ""
	if portFree(defaultAPI) {
		api = defaultAPI
	}
	s.rig, err = rig.Start(hard, rig.Config{Binary: bin, DatabaseURL: env.DatabaseURL, RedisURL: env.RedisURL,
		MasterKey: s.kept.MasterKey, Dir: dir, Workers: 2, Schedulers: 1, Slots: 128, Log: quiet{os.Stderr}, API: api})
	if err != nil {
		return err
	}
	meta := rig.MetaOf(1, 1000, "TIER_100K")
	if s.kept.Tenant != nil {
		err = s.rig.SeedMeta(soft, meta)
	} else if s.kept.Tenant, err = s.rig.MakeTenant(soft, "Acme Trading", meta); err == nil {
		err = s.save()
	}
	if err != nil {
		return err
	}
	return s.seats(soft)
}

// quiet leaves out what the processes say of a Redis without a file: the demo
// gave it none on purpose.
type quiet struct{ io.Writer }

// Write passes a line on.
func (q quiet) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("append-only file")) {
		return len(line), nil
	}
	return q.Writer.Write(line)
}

// address tells where to look and how to get in.
func (s *show) address() {
	t := s.kept.Tenant
	fmt.Fprintf(s.Out, "\n%-10s %s\n", "API", s.rig.URL)
	fmt.Fprintf(s.Out, "%-10s export BAREED=%s KEY=%s\n", "try", s.rig.URL, t.Key)
	fmt.Fprintf(s.Out, "%-10s then follow %s/docs/quickstart; every operation: %s/docs\n", "", s.rig.URL, s.rig.URL)
	s.kept.signIns(s.Out)
	fmt.Fprintf(s.Out, "%-10s %s/ops/sign-in as %s / %s\n", "queues", s.rig.URL, t.Operator.Email, t.Operator.Password)
	fmt.Fprintf(s.Out, "%-10s %s/sandbox/journal/summary\n", "sandbox", s.rig.Sandbox)
}

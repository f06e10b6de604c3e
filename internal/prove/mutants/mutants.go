//go:build unix

// Package mutants plants known bugs in copies of the product's files and expects
// the proof to find each. Nothing of them is in the product: a patched file takes
// the place of the true one in one build only.
//
// cmd/dev calls it. A patch names the text it replaces, and fails loudly when the
// product no longer has it.
package mutants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bareed/internal/devenv"
	"bareed/internal/prove"
)

// Patch replaces a text that the file has exactly once.
type Patch struct{ File, Old, New string }

// Mutant is one planted bug and the proof that must find it.
type Mutant struct {
	Name    string
	Patches []Patch
	Plan    Plan
	By      string // what a breach must say: what the bug breaks, not a by-effect of it
}

// Plan is a proof of any build of the product.
type Plan struct {
	Name string
	Run  func(soft, hard context.Context, binary string, log io.Writer) (prove.Result, error)
}

// Options of Run.
type Options struct {
	Out, Log io.Writer
	Dir      string   // for binaries
	Sound    string   // the product as it is
	Names    []string // of planted bugs, and of plans for the product as it is; empty for all
}

// trial is a Run in progress.
type trial struct {
	Options
	soft, hard context.Context
	root       string
	wrong      int
	sound      map[string]bool // plans in which the product was proved
}

// Run builds and proves one mutant after the other, and says of each whether it
// was caught. Before a proof is believed it must find nothing in the product as
// it is; when names are given, only for the plans among them.
func Run(soft, hard context.Context, o Options) error {
	root, err := devenv.Checkout()
	if err != nil {
		return err
	}
	all := All()
	for _, name := range o.Names {
		if !slices.ContainsFunc(all, func(m Mutant) bool { return m.Name == name || m.Plan.Name == name }) {
			return fmt.Errorf("there is no planted bug and no plan %s", name)
		}
	}
	t := &trial{Options: o, soft: soft, hard: hard, root: root, sound: map[string]bool{}}
	for _, m := range all {
		if t.named(m.Plan.Name) && !t.sound[m.Plan.Name] {
			t.sound[m.Plan.Name] = true
			t.good(m.Plan)
		}
		if t.named(m.Name) {
			if err := t.caught(m); err != nil {
				return err
			}
		}
		if soft.Err() != nil {
			return soft.Err()
		}
	}
	if t.wrong > 0 {
		return errors.New("the proof cannot be trusted: a planted bug survived or there was a false alarm")
	}
	return nil
}

func (t *trial) named(name string) bool { return len(t.Names) == 0 || slices.Contains(t.Names, name) }

// good proves the product as it is: one breach is a false alarm, or a bug that
// nobody planted.
func (t *trial) good(p Plan) {
	began := time.Now()
	r, err := p.Run(t.soft, t.hard, t.Sound, t.Log)
	switch took := time.Since(began).Round(time.Second); {
	case t.soft.Err() != nil:
	case err != nil:
		t.wrong++
		fmt.Fprintf(t.Out, "NOT PROVED: the plan %s did not run: %v\n", p.Name, err)
	case !r.Good():
		t.wrong++
		fmt.Fprintf(t.Out, "FALSE ALARM of the plan %s (seed %d, %s): %s; history %s\n", p.Name, r.Seed, took, strings.Join(r.Breaches, "; "), r.History)
	default:
		fmt.Fprintf(t.Out, "good in the plan %s, %s\n", p.Name, took)
	}
}

// tries is how often a mutant is proved: luck is part of some.
const tries = 3

// caught proves a mutant until it is found. A proof that did not run found nothing.
func (t *trial) caught(m Mutant) error {
	binary, err := Build(t.soft, t.root, t.Dir, m)
	if err != nil {
		return fmt.Errorf("build %s: %w", m.Name, err)
	}
	defer os.Remove(binary)
	for try := range tries {
		began := time.Now()
		r, err := m.Plan.Run(t.soft, t.hard, binary, t.Log)
		if t.soft.Err() != nil {
			return t.soft.Err()
		}
		if err != nil {
			fmt.Fprintf(t.Log, "prove %s: %v\n", m.Name, err)
			continue
		}
		if slices.ContainsFunc(r.Breaches, func(b string) bool { return strings.Contains(b, m.By) }) {
			if r.History != "" {
				os.RemoveAll(filepath.Dir(r.History))
			}
			fmt.Fprintf(t.Out, "caught %s, try %d, %s: %s\n", m.Name, try+1, time.Since(began).Round(time.Second), strings.Join(r.Breaches, "; "))
			return nil
		}
		fmt.Fprintf(t.Log, "not caught %s, try %d: %q; history %s\n", m.Name, try+1, r.Breaches, r.History)
	}
	t.wrong++
	fmt.Fprintf(t.Out, "SURVIVED %s\n", m.Name)
	return nil
}

// Build builds the product with the mutant's patches laid over its files.
func Build(ctx context.Context, root, dir string, m Mutant) (string, error) {
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for i, p := range m.Patches {
		path := filepath.Join(root, p.File)
		from := path
		if again, ok := overlay.Replace[path]; ok {
			from = again
		}
		text, err := Apply(from, p)
		if err != nil {
			return "", err
		}
		to := filepath.Join(dir, fmt.Sprintf("%s-%d%s", m.Name, i, filepath.Ext(p.File)))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("write a patched file: %w", err)
		}
		overlay.Replace[path] = to
	}
	b, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, m.Name+".json")
	if err := os.WriteFile(list, b, 0o600); err != nil {
		return "", fmt.Errorf("write the overlay: %w", err)
	}
	bin := filepath.Join(dir, m.Name)
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", list, "-o", bin, "bareed/cmd/bareed")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return bin, nil
}

// Apply returns the file with the patch.
func Apply(path string, p Patch) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(b), p.Old); n != 1 {
		return "", fmt.Errorf("%s has the text to be replaced %d times, not once:\n%s", p.File, n, p.Old)
	}
	return strings.Replace(string(b), p.Old, p.New, 1), nil
}

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

	"bareed/internal/devenv"
	"bareed/internal/prove"
)

// Patch replaces a text that the file has exactly once.
type Patch struct{ File, Old, New string }

// Mutant is one planted bug and the proof that must find it.
type Mutant struct {
	Name    string
	Patches []Patch
	Proof   prove.Options
	Twice   bool // must be caught by somebody messaged twice, not by a by-effect
}

// Options of Run.
type Options struct {
	Out, Log io.Writer
	Dir      string   // for binaries
	Sound    string   // the product as it is
	Names    []string // empty for all
}

// Run builds and proves one mutant after the other, and says of each whether it
// was caught. Before a proof is believed it must find nothing in the product as
// it is; that is left out when single mutants are named.
func Run(soft, hard context.Context, o Options) error {
	root, err := devenv.Checkout()
	if err != nil {
		return err
	}
	survived, wrong := 0, 0
	sound := map[string]bool{}
	for _, m := range All() {
		if len(o.Names) > 0 && !slices.Contains(o.Names, m.Name) {
			continue
		}
		if plan := m.Proof.Name; len(o.Names) == 0 && !sound[plan] {
			sound[plan] = true
			r, err := attempt(soft, hard, m.Proof, o.Sound, o.Log)
			if err != nil {
				return fmt.Errorf("prove the product by the plan %s: %w", plan, err)
			}
			if !r.Good() {
				wrong++
				fmt.Fprintf(o.Out, "FALSE ALARM of the plan %s (seed %d): %s; history %s\n", plan, r.Seed, strings.Join(r.Breaches, "; "), r.History)
			}
		}
		binary, err := Build(soft, root, o.Dir, m)
		if err != nil {
			return fmt.Errorf("build %s: %w", m.Name, err)
		}
		caught, why := false, ""
		for range 3 { // luck is part of some
			r, err := attempt(soft, hard, m.Proof, binary, o.Log)
			if soft.Err() != nil {
				return soft.Err()
			}
			if err != nil {
				return fmt.Errorf("prove %s: %w", m.Name, err)
			}
			if r.History != "" {
				os.RemoveAll(filepath.Dir(r.History))
			}
			if caught = !r.Good() && (r.Twice > 0 || !m.Twice); caught {
				why = strings.Join(r.Breaches, "; ")
				break
			}
		}
		os.Remove(binary)
		if caught {
			fmt.Fprintf(o.Out, "caught %s: %s\n", m.Name, why)
		} else {
			survived++
			fmt.Fprintf(o.Out, "SURVIVED %s\n", m.Name)
		}
	}
	if survived+wrong > 0 {
		return errors.New("the proof cannot be trusted: a planted bug survived or there was a false alarm")
	}
	return nil
}

func attempt(soft, hard context.Context, o prove.Options, binary string, log io.Writer) (prove.Result, error) {
	o.Binary, o.Out, o.Quiet = binary, log, true
	return prove.Run(soft, hard, o)
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

//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"bareed/internal/prove"
	"bareed/internal/prove/mutants"
	"bareed/internal/rig"
)

// proveShort is the proof of continuous integration, about a minute.
func proveShort(ctx, hard context.Context, args []string) error {
	f, o, page := proveFlags("prove", prove.Options{})
	if err := f.Parse(args); err != nil {
		return helped(err)
	}
	return proveAll(ctx, hard, "prove", *page, []proof{drawn(*o)})
}

// helped takes the request for help for no error.
func helped(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	return err
}

// proveFlags are the flags of a drawn proof and, behind them, the variables SEED,
// N and KILLS.
func proveFlags(name string, o prove.Options) (f *flag.FlagSet, options *prove.Options, page *string) {
	f = flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(os.Stderr)
	f.Uint64Var(&o.Seed, "seed", uint64(number("SEED")), "the plan's seed; without it one is drawn")
	f.IntVar(&o.People, "n", or(number("N"), o.People), "recipients")
	f.IntVar(&o.Kills, "kills", or(number("KILLS"), o.Kills), "kills of processes")
	f.DurationVar(&o.Length, "length", o.Length, "how long the plan lasts")
	f.IntVar(&o.Rate, "rate", o.Rate, "messages a second that Meta takes from the number")
	f.StringVar(&o.Policy, "policy", o.Policy, "of unknown outcomes: hold or evidence")
	f.StringVar(&o.Binary, "binary", "", "the product's binary; without it, it is built")
	return f, &o, f.String("proof", "PROOF.md", "the page to write; empty for none")
}

// proof is one stage of a command; the second result is for programs.
type proof struct {
	name string
	run  func(soft, hard context.Context) (prove.Report, any, error)
}

// drawn is a proof by a plan.
func drawn(o prove.Options) proof {
	o.Out = os.Stderr
	return proof{o.Name, func(soft, hard context.Context) (prove.Report, any, error) {
		r, err := prove.Run(soft, hard, o)
		if err == nil && r.History != "" {
			fmt.Fprintf(os.Stderr, "%-10s %s\n", "history", r.History)
		}
		return r.Report(), r, err
	}}
}

// proveAll carries proofs out one after the other, also behind one that was
// breached, writes the page and ends with a line of JSON.
func proveAll(ctx, hard context.Context, command, page string, list []proof) error {
	var reports []prove.Report
	var results []any
	good := true
	for _, p := range list {
		r, result, err := p.run(ctx, hard)
		if err != nil {
			return err
		}
		reports, results, good = append(reports, r), append(results, result), good && r.Good()
		fmt.Fprint(os.Stderr, prove.Table([]prove.Report{r}), "\n")
	}
	if page != "" {
		if err := os.WriteFile(page, []byte(prove.Page(ctx, command, reports)), 0o644); err != nil {
			return fmt.Errorf("write the proof: %w", err)
		}
	}
	b, err := json.Marshal(map[string]any{"good": good, "proofs": results})
	if err != nil {
		return err
	}
	fmt.Println(string(b))
	if !good {
		return errors.New("a promise was broken")
	}
	return nil
}

func number(variable string) int {
	n, err := strconv.Atoi(os.Getenv(variable))
	if err != nil {
		return 0
	}
	return n
}

func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// proveMutants plants bugs in copies of the product and expects each to be found.
func proveMutants(ctx, hard context.Context, args []string) error {
	dir, err := os.MkdirTemp("", "bareed-mutants-")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer os.RemoveAll(dir)
	sound, err := rig.Build(ctx, dir, os.Stderr)
	if err != nil {
		return err
	}
	if err := os.Rename(sound, filepath.Join(dir, "sound")); err != nil {
		return err
	}
	return mutants.Run(ctx, hard, mutants.Options{Out: os.Stdout, Log: os.Stderr, Dir: dir, Sound: filepath.Join(dir, "sound"), Names: args})
}

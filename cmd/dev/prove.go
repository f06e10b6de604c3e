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
	"time"

	"bareed/internal/prove"
	"bareed/internal/prove/mutants"
	"bareed/internal/rig"
)

// proveShort is the proof of continuous integration, about a minute.
func proveShort(ctx, hard context.Context, args []string) error {
	return proveWith(ctx, hard, args, prove.Options{}, 1)
}

// proveLong is the nightly one: three seeds unless one is given.
func proveLong(ctx, hard context.Context, args []string) error {
	return proveWith(ctx, hard, args, prove.Options{People: 100_000, Kills: 200, Flushes: 5, Crashes: 3, Length: 240 * time.Second, Rate: 1000}, 3)
}

// proveWith reads flags and, behind them, the variables SEED, N and KILLS.
func proveWith(ctx, hard context.Context, args []string, o prove.Options, seeds int) error {
	f := flag.NewFlagSet("prove", flag.ContinueOnError)
	f.SetOutput(os.Stderr)
	f.Uint64Var(&o.Seed, "seed", uint64(number("SEED")), "the plan's seed; without it one is drawn")
	f.IntVar(&o.People, "n", or(number("N"), o.People), "recipients")
	f.IntVar(&o.Kills, "kills", or(number("KILLS"), o.Kills), "kills of processes")
	f.DurationVar(&o.Length, "length", o.Length, "how long the plan lasts")
	f.IntVar(&o.Rate, "rate", o.Rate, "messages a second that Meta takes from the number")
	f.StringVar(&o.Binary, "binary", "", "the product's binary; without it, it is built")
	page := f.String("proof", "PROOF.md", "the page to write; empty for none")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if o.Seed != 0 {
		seeds = 1
	}
	o.Out = os.Stderr
	results, err := prove.Seeds(ctx, hard, o, seeds)
	if err != nil {
		return err
	}
	if *page != "" {
		if err := os.WriteFile(*page, []byte(prove.Page(ctx, results)), 0o644); err != nil {
			return fmt.Errorf("write the proof: %w", err)
		}
	}
	fmt.Fprint(os.Stderr, prove.Table(results))
	b, err := json.Marshal(map[string]any{"good": prove.Good(results), "proofs": results})
	if err != nil {
		return err
	}
	fmt.Println(string(b))
	if !prove.Good(results) {
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

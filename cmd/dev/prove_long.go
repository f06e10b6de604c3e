//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"time"

	"bareed/internal/prove"
	"bareed/internal/prove/demands"
	"bareed/internal/prove/firings"
	"bareed/internal/prove/restored"
	"bareed/internal/rig"
)

// proveLong is the nightly one: the drawn plan at length by three seeds, the last
// under the policy evidence, and a plan for each demand that needs its own.
func proveLong(ctx, hard context.Context, args []string) error {
	f, o, page := proveFlags("prove-long", prove.Options{People: 100_000, Kills: 200, Flushes: 5, Crashes: 3, Length: 240 * time.Second, Rate: 1000, Refuse: 20})
	only := f.String("only", "", "a regular expression: carry out the proofs of such names alone")
	if err := f.Parse(args); err != nil {
		return helped(err)
	}
	chosen, err := regexp.Compile("(?i)" + *only)
	if err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	if o.Binary == "" { // once for all
		dir, err := os.MkdirTemp("", "bareed-prove-")
		if err != nil {
			return fmt.Errorf("make a directory: %w", err)
		}
		defer os.RemoveAll(dir)
		if o.Binary, err = rig.Build(ctx, dir, os.Stderr); err != nil {
			return err
		}
	}
	var list []proof
	for _, p := range longProofs(*o) {
		if chosen.MatchString(p.name) {
			list = append(list, p)
		}
	}
	return proveAll(ctx, hard, "prove-long", *page, list)
}

func longProofs(o prove.Options) (list []proof) {
	policies := []string{o.Policy, o.Policy, "evidence"}
	if o.Seed != 0 {
		policies = policies[:1]
	}
	for i, policy := range policies {
		o.Policy = policy
		p := drawn(o)
		p.name = fmt.Sprintf("seed %d", i+1)
		list = append(list, p)
	}
	for _, d := range demands.All() {
		d.Binary = o.Binary
		list = append(list, drawn(d))
	}
	return append(list, proof{"schedules", func(soft, hard context.Context) (prove.Report, any, error) {
		r, err := firings.Run(soft, hard, firings.Options{Out: os.Stderr, Binary: o.Binary, Seed: o.Seed})
		return r, r, err
	}}, proof{"restored copy", func(soft, hard context.Context) (prove.Report, any, error) {
		r, err := restored.Run(soft, hard, restored.Options{Out: os.Stderr, Binary: o.Binary})
		return r, r, err
	}})
}

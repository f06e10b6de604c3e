//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"bareed/internal/bench"
)

// measure compares the product with the ceiling of this machine.
func measure(ctx, _ context.Context, args []string) error {
	c := bench.Config{Out: os.Stdout, Log: os.Stderr}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(os.Stderr)
	f.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: go run ./cmd/dev bench [flags] [claims] [limiter] [sends] [rate] [fair] [plans]")
		f.PrintDefaults()
	}
	plans := f.Bool("plans", false, "the plans of the hot statements at a million messages, and nothing else")
	quiet := f.Bool("quiet", false, "print the result alone")
	f.BoolVar(&c.JSON, "json", false, "print JSON instead of a table")
	f.StringVar(&c.Binary, "binary", "", "the product's binary; without it, it is built")
	f.IntVar(&c.Rounds, "rounds", 0, "rounds of the single steps (3)")
	f.IntVar(&c.People, "messages", 0, "messages of an end-to-end run (5000)")
	f.IntVar(&c.Rows, "rows", 0, "messages of the large run of plans (1000000)")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	c.Parts = f.Args()
	if *plans {
		c.Parts = append(c.Parts, bench.Plans)
	}
	if *quiet {
		c.Log = io.Discard
	}
	return bench.Run(ctx, c)
}

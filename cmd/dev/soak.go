//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"time"

	"bareed/internal/soak"
)

// soakIt sends for minutes under light faults and fails when anything grows.
func soakIt(ctx, hard context.Context, args []string) error {
	o := soak.Options{Out: os.Stderr}
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	f.DurationVar(&o.Length, "length", 20*time.Minute, "how long it sends")
	f.IntVar(&o.Rate, "rate", 80, "messages a second")
	f.StringVar(&o.Binary, "binary", "", "the product's binary; without it, it is built")
	if err := f.Parse(args); err != nil {
		return helped(err)
	}
	r, err := soak.Run(ctx, hard, o)
	if err != nil {
		return err
	}
	r.Print(os.Stdout)
	if !r.Good() {
		return errors.New("something grows")
	}
	return nil
}

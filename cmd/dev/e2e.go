//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"

	"bareed/internal/e2e"
)

// tryPages drives a browser through the product; its last line on standard
// output is one JSON object.
func tryPages(ctx, hard context.Context, args []string) error {
	args, install := mayInstall(args)
	o := e2e.Options{Out: os.Stdout, Install: install}
	f := flag.NewFlagSet("e2e", flag.ContinueOnError)
	f.SetOutput(os.Stderr)
	f.StringVar(&o.Shots, "shots", "", "a folder for pictures of every page")
	pages := f.String("page", "", "look only at pages whose path matches this expression, without journeys")
	journeys := f.String("journey", "", "only the journeys whose name matches this expression, without pages")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	for _, x := range []struct {
		text string
		to   **regexp.Regexp
	}{{*pages, &o.Pages}, {*journeys, &o.Journeys}} {
		if x.text == "" {
			continue
		}
		re, err := regexp.Compile(x.text)
		if err != nil {
			return fmt.Errorf("e2e: %w", err)
		}
		*x.to = re
	}
	return e2e.Run(ctx, hard, o)
}

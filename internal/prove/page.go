//go:build unix

package prove

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Seeds proves with one seed after the other, the first of the options' or drawn.
// It ends at the first that was breached.
func Seeds(soft, hard context.Context, o Options, seeds int) ([]Result, error) {
	var all []Result
	for range seeds {
		r, err := Run(soft, hard, o)
		if err != nil {
			return all, err
		}
		all = append(all, r)
		for _, b := range r.Breaches {
			fmt.Fprintf(o.Out, "%-10s %s\n", "BREACH", b)
		}
		if !r.Good() {
			fmt.Fprintf(o.Out, "%-10s %s\n", "history", r.History)
			break
		}
	}
	return all, nil
}

// Good tells whether nothing was breached in any.
func Good(all []Result) bool {
	return len(all) > 0 && !slices.ContainsFunc(all, func(r Result) bool { return !r.Good() })
}

// demand is one line of the table: what is asked, what was found.
type demand struct{ name, asked, found string }

func (r Result) demands() []demand {
	f := func(format string, args ...any) string { return fmt.Sprintf(format, args...) }
	return []demand{
		{"F1/F2 messaged twice", "0", f("%d of %d", r.Twice, r.Recipients)},
		{"F2 lost silently", "0", f("%d", r.Lost)},
		{"F2 reported wrongly", "0", f("%d of %d messages", r.Wrong, total(r.States))},
		{"F2 unconfirmed", f("≤ %d, none of them sent", r.possible), f("%d, %d of them sent", r.Unconfirmed, r.UnconfirmedSent)},
		{"F3 silence after Redis was emptied", "≤ 2000 ms", f("%.0f ms, of %d while messages left", r.SilenceFlushMS, r.Emptied)},
		{"F5 left unknown by SIGTERM", "0", f("%d, longest end %.0f ms", r.RollUnknown, r.RollMS)},
		{"F6 buttons of the dashboard", "0 twice, 0 lost", f("%d pressed", r.Faults["buttons"])},
		{"F7 POSTs after a pause or stop", f("≤ %d, last ≤ 250 ms", workers*slots), f("%d, last %.0f ms, of %d", r.AfterStop, r.AfterStopMS, r.Stops)},
		{"F8 POSTs after an opt-out", "last ≤ 250 ms", f("%d, last %.0f ms, of %d", r.AfterOptOut, r.AfterOptOutMS, r.OptOuts)},
		{"F9 going on after PostgreSQL's crash", "≤ 10000 ms", f("%.0f ms", r.ResumeCrashMS)},
		{"F12 accounting identity", "always", f("%d of %d samples off", r.Imbalanced, r.Samples)},
		{"P5 acknowledged receipts lost", "0", f("%d", r.ReceiptsLost)},
		{"requests in any second", f("≤ %d and a fifth", r.rate), f("%d", r.MaxPerSecond)},
	}
}

func total(states map[string]int) (n int) {
	for _, k := range states {
		n += k
	}
	return n
}

// Table is the figures beside the demands, for a terminal.
func Table(all []Result) string {
	var b strings.Builder
	for _, r := range all {
		fmt.Fprintf(&b, "\nseed %d, %.0f s\n", r.Seed, r.Seconds)
		for _, d := range r.demands() {
			fmt.Fprintf(&b, "  %-38s %-26s %s\n", d.name, d.asked, d.found)
		}
		for _, x := range r.Breaches {
			fmt.Fprintf(&b, "  BREACH %s\n", x)
		}
	}
	return b.String()
}

// Page is PROOF.md.
func Page(ctx context.Context, all []Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Proof\n\nWritten by `go run ./cmd/dev prove`; how to read it: `docs/PROVE.md`.\n\n")
	fmt.Fprintf(&b, "Commit %s, %s.\n", commit(ctx), time.Now().UTC().Format("2 January 2006, 15:04 UTC"))
	for _, r := range all {
		verdict := "every demand held"
		if !r.Good() {
			verdict = "**BROKEN**"
		}
		fmt.Fprintf(&b, "\n## Seed %d: %s\n\n%d people, %d requests to Meta, %d accepted, %.0f seconds.\n\n", r.Seed, verdict, r.Recipients,
			r.Requests, r.Accepted, r.Seconds)
		fmt.Fprintf(&b, "| demand | asked | found |\n|---|---|---|\n")
		for _, d := range r.demands() {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", d.name, d.asked, d.found)
		}
		for _, x := range r.Breaches {
			fmt.Fprintf(&b, "\n- BREACH: %s", x)
		}
		fmt.Fprintf(&b, "\nDone to it: %s.\n\nProcesses started again: %d. How Meta's answers ended: %s. How the messages ended: %s. The rig itself was late by up to %.0f ms where a bound was measured.\n",
			list(r.Faults), r.Restarts, list(r.Meta), list(r.States), r.AllowedLateMS)
	}
	return b.String()
}

func list[N int | int64](counts map[string]N) string {
	var words []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, fmt.Sprintf("%s %d", k, counts[k]))
	}
	return strings.Join(words, ", ")
}

// commit names what was proved, with a plus when the checkout was changed.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty=+", "--abbrev=12").Output()
	if err != nil {
		return "unknown"
	}
	return "`" + strings.TrimSpace(string(out)) + "`"
}

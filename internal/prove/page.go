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

// Report is what one proof comes to, for people.
type Report struct {
	Title    string   `json:"title"`
	Summary  string   `json:"summary"`
	Seconds  float64  `json:"seconds"`
	Demands  []Demand `json:"demands"`
	Done     string   `json:"done"` // what was done to the product, and how it ended
	Breaches []string `json:"breaches"`
}

// Demand is one line of the table: what is asked, what was found.
type Demand struct {
	Name  string `json:"demand"`
	Asked string `json:"asked"`
	Found string `json:"found"`
}

// Good tells whether nothing was breached.
func (r Report) Good() bool { return len(r.Breaches) == 0 }

// Report says it for people. Demands that the plan did not touch are left out.
func (r Result) Report() Report {
	title := fmt.Sprintf("Seed %d", r.Seed)
	if r.Policy != "" {
		title += ", policy " + r.Policy
	}
	if r.Name != "" {
		title = strings.ToUpper(r.Name[:1]) + r.Name[1:]
	}
	return Report{Title: title, Seconds: r.Seconds, Demands: slices.Concat(r.always(), r.gates(), r.outages()), Breaches: r.Breaches,
		Summary: fmt.Sprintf("%d people, %d requests to Meta, %d accepted, %.0f seconds.", r.Recipients, r.Requests, r.Accepted, r.Seconds),
		Done: fmt.Sprintf("Done to it: %s.\n\nProcesses started again: %d. How Meta's answers ended: %s. How the messages ended: %s. The rig itself was late by up to %.0f ms where a bound was measured.",
			list(r.Faults), r.Restarts, list(r.Meta), list(r.States), r.AllowedLateMS)}
}

func line(name, asked, found string, args ...any) Demand {
	return Demand{name, asked, fmt.Sprintf(found, args...)}
}

// always are the demands on every proof.
func (r Result) always() []Demand {
	unconfirmed := fmt.Sprintf("≤ %d, none of them sent", r.possible)
	if r.Policy == "evidence" {
		unconfirmed = "0, but of a stopped campaign"
	}
	return []Demand{
		line("F1/F2 messaged twice", "0", "%d of %d", r.Twice, r.Recipients),
		line("F2 lost silently", "0", "%d", r.Lost),
		line("F2 reported wrongly", "0", "%d of %d messages", r.Wrong, total(r.States)),
		line("F1/F2 unconfirmed", unconfirmed, "%d, %d of them sent, %d of a stopped campaign", r.Unconfirmed, r.UnconfirmedSent, r.OfStopped),
		line("F12 accounting identity", "always", "%d of %d samples off", r.Imbalanced, r.Samples),
		line("P5 acknowledged receipts lost", "0", "%d", r.ReceiptsLost),
		line("requests in any second", fmt.Sprintf("≤ %d and a fifth", r.rate), "%d", r.MaxPerSecond),
	}
}

// gates are the demands on what people and rules stop.
func (r Result) gates() (list []Demand) {
	if n := r.Faults["buttons"]; n > 0 {
		list = append(list, line("F6 buttons of the dashboard", "0 twice, 0 lost", "%d pressed", n))
	}
	if r.Stops > 0 {
		list = append(list, line("F7 POSTs after a pause or stop", fmt.Sprintf("≤ %d, last ≤ 250 ms", workers*slots), "%d, last %.0f ms, of %d",
			r.AfterStop, r.AfterStopMS, r.Stops))
	}
	if r.OptOuts > 0 {
		list = append(list, line("F8 POSTs after an opt-out", "last ≤ 250 ms", "%d, last %.0f ms, of %d", r.AfterOptOut, r.AfterOptOutMS, r.OptOuts))
	}
	return list
}

// outages are the demands on what breaks and comes back.
func (r Result) outages() (list []Demand) {
	if r.Emptied > 0 {
		list = append(list, line("F3 silence after Redis was emptied", "≤ 2000 ms", "%.0f ms, of %d while messages left", r.SilenceFlushMS, r.Emptied))
	}
	if r.OrphanUnknownMS > 0 {
		list = append(list, line("F4 silence after a worker's death", "≤ 1000 ms", "%.0f ms", r.OrphanSilenceMS),
			line("F4 its claims are unknown", "≤ 50 s", "%.1f s", r.OrphanUnknownMS/1000),
			line("F4 receipts settle them", "≤ 5 s", "%.1f s", r.OrphanSettledMS/1000))
	}
	if r.RollMS > 0 {
		list = append(list, line("F5 left unknown by SIGTERM", "0", "%d of %d, longest end %.0f ms", r.RollUnknown, r.Faults["roll"], r.RollMS))
	}
	if r.ResumeCrashMS > 0 {
		list = append(list, line("F9 going on after PostgreSQL's crash", "≤ 10000 ms", "%.0f ms", r.ResumeCrashMS))
	}
	return list
}

func total(states map[string]int) (n int) {
	for _, k := range states {
		n += k
	}
	return n
}

// Table is the figures beside the demands, for a terminal.
func Table(all []Report) string {
	var b strings.Builder
	for _, r := range all {
		fmt.Fprintf(&b, "\n%s, %.0f s\n", r.Title, r.Seconds)
		for _, d := range r.Demands {
			fmt.Fprintf(&b, "  %-38s %-26s %s\n", d.Name, d.Asked, d.Found)
		}
		for _, x := range r.Breaches {
			fmt.Fprintf(&b, "  BREACH %s\n", x)
		}
	}
	return b.String()
}

// Page is PROOF.md; command is what wrote it.
func Page(ctx context.Context, command string, all []Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Proof\n\nWritten by `go run ./cmd/dev %s`; how to read it: `docs/PROVE.md`.\n\n", command)
	fmt.Fprintf(&b, "Commit %s, %s.\n", commit(ctx), time.Now().UTC().Format("2 January 2006, 15:04 UTC"))
	for _, r := range all {
		verdict := "every demand held"
		if !r.Good() {
			verdict = "**BROKEN**"
		}
		fmt.Fprintf(&b, "\n## %s: %s\n\n%s\n\n", r.Title, verdict, r.Summary)
		fmt.Fprintf(&b, "| demand | asked | found |\n|---|---|---|\n")
		for _, d := range r.Demands {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", d.Name, d.Asked, d.Found)
		}
		for _, x := range r.Breaches {
			fmt.Fprintf(&b, "\n- BREACH: %s", x)
		}
		fmt.Fprintf(&b, "\n%s\n", r.Done)
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

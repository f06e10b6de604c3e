package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteTable writes the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n%s\n", r.Machine, r.Servers)
	r.figures(&b)
	r.cpu(&b)
	r.rates(&b)
	r.plans(&b)
	fmt.Fprintf(&b, "\n%.0f s in all\n", r.Seconds)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) figures(b *strings.Builder) {
	group := ""
	for _, f := range r.Figures {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(b, "\n%s %s %s %s\n", pad(strings.ToUpper(group), 44), left("ours/s", 9), left("ceiling/s", 10), left("ratio", 6))
		}
		fmt.Fprintf(b, "%s %s %s %6.2f %s %s%s\n", pad(f.Name, 44), left(Whole(f.Ours), 9), left(Whole(f.Ceiling), 10), f.Ratio,
			bar(f.Ratio), f.Against, note(f))
	}
}

func note(f Figure) string {
	text := ""
	if f.Note != "" {
		text = "; " + f.Note
	}
	if f.Demand > 0 {
		text += fmt.Sprintf("  %s (at least %s/s)", verdict(f.met()), Whole(f.Demand))
	}
	return text
}

func (r *Report) cpu(b *strings.Builder) {
	if len(r.CPU) == 0 {
		return
	}
	names := []string{"api", "worker", "scheduler", "redis", "postgres", "sandbox"}
	fmt.Fprintf(b, "\n%s", pad("PROCESSOR, ms for 1,000 messages", 44))
	for _, n := range append(slices.Clone(names), "sum") {
		fmt.Fprintf(b, " %9s", n)
	}
	b.WriteByte('\n')
	for _, c := range r.CPU {
		b.WriteString(pad(c.Run, 44))
		for _, n := range names {
			if v, ok := c.Processes[n]; ok {
				fmt.Fprintf(b, " %9.0f", v)
			} else {
				fmt.Fprintf(b, " %9s", "-")
			}
		}
		fmt.Fprintf(b, " %9.0f\n", c.sum())
	}
}

func (r *Report) rates(b *strings.Builder) {
	if len(r.Rates) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s %s %s %s %s %s %s\n", pad("RATE FIDELITY, 2 workers", 26), left("limit/s", 9), left("sent/s", 9),
		left("percent", 8), left("most in 1 s", 12), left("130429", 7), left("claimed again", 14))
	for _, f := range r.Rates {
		fmt.Fprintf(b, "%s %9.0f %9.1f %7.1f%% %12d %7d %13.1f%%  %s\n", pad(fmt.Sprintf("%d/s for %.0f s", f.PerSecond, f.Seconds), 26),
			f.Effective, f.Sent, f.Percent, f.Most, f.Throttled, f.Again, verdict(f.met()))
	}
	fmt.Fprintf(b, "demand: at least %d %% of the limit (Meta's rate less 10 %% for replies), never above Meta's rate in any second, no 130429\n", leastPercent)
}

func (r *Report) plans(b *strings.Builder) {
	if len(r.Plans) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s", pad("PLANS, ms (pages touched)", 44))
	for _, m := range r.Plans[0].Moments {
		fmt.Fprintf(b, " %18s", m.Moment)
	}
	b.WriteByte('\n')
	for _, s := range r.Plans {
		b.WriteString(pad(s.Name, 44))
		for _, m := range s.Moments {
			fmt.Fprintf(b, " %18s", fmt.Sprintf("%.1f (%d)", m.MS, m.Pages))
		}
		fmt.Fprintf(b, "  %s\n", verdict(len(s.Faults) == 0))
		for _, f := range s.Faults {
			fmt.Fprintf(b, "    %s\n", f)
		}
	}
}

func verdict(met bool) string {
	if met {
		return "PASS"
	}
	return "FAIL"
}

// bar shows a ratio on a scale of 1, cut there.
func bar(ratio float64) string {
	n := min(max(int(ratio*20+0.5), 0), 20)
	return strings.Repeat("█", n) + strings.Repeat("·", 20-n)
}

// Whole writes a number with thousands apart: 1,234.
func Whole(v float64) string {
	text := fmt.Sprintf("%.0f", v)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func pad(text string, n int) string {
	return text + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(text)))
}

func left(text string, n int) string {
	return strings.Repeat(" ", max(0, n-utf8.RuneCountInString(text))) + text
}

//go:build unix

package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"bareed/client"
	"bareed/sandbox"
)

// bar draws what is done of what was planned: on a terminal one line over the
// last, elsewhere a line for every tenth.
func (s *show) bar(r client.Report) {
	const width = 40
	if r.Total == 0 {
		return
	}
	done := r.Total - r.Ready - r.Sending
	filled, delivered := int(done*width/r.Total), int(r.Delivered*width/r.Total)
	line := strings.Repeat("█", delivered) + strings.Repeat("▓", max(0, filled-delivered)) + strings.Repeat("░", width-max(filled, delivered))
	text := fmt.Sprintf("%-10s %s %d of %d, %d delivered, %d read", "sending", line, done, r.Total, r.Delivered, r.Read)
	tenth := (done + r.Delivered) * 10 / r.Total
	switch {
	case s.Terminal && text != s.drawn:
		fmt.Fprint(s.Out, "\r"+text+" ")
	case !s.Terminal && tenth > s.tenth:
		fmt.Fprintln(s.Out, text)
	}
	s.drawn, s.tenth = text, max(tenth, s.tenth)
}

// writeStop has three people write STOP while the campaign runs: two of them
// people of the audience in earnest, by text and by the Arabic word.
func (s *show) writeStop(ctx context.Context, campaign string) error {
	words := []string{"STOP", "إيقاف"}
	for p, err := range s.api().ListRecipients(ctx, campaign, client.RecipientFilter{State: "ready", PageSize: len(words)}) {
		if err != nil {
			return err
		}
		err = s.rig.Control(ctx, "/sandbox/inbound", map[string]any{"phone_number_id": s.kept.Tenant.Meta.Number,
			"from": p.Address, "text": words[0]}, nil)
		if err != nil {
			return err
		}
		if words = words[1:]; len(words) == 0 {
			break
		}
	}
	return nil
}

// sum adds a breakdown up.
func sum(m map[string]int64) (n int64) {
	for _, v := range m {
		n += v
	}
	return n
}

func reasons(m map[string]int64) string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = fmt.Sprintf("%d %s", m[k], k)
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// statuses is how many messages of this run Meta reported as kind.
func (o *outcome) statuses(kind string) int64 {
	return o.after.Statuses[kind] - o.before.Statuses[kind]
}

// settled: every receipt that Meta sent has been applied.
func (o *outcome) settled() bool {
	return o.after.Webhooks.Pending == 0 && len(o.differences()) == 0
}

// differences compares our report with what the sandbox's journal counted, and
// names what does not agree.
func (o *outcome) differences() []string {
	r := o.report
	var list []string
	same := func(what string, ours, theirs int64) {
		if ours != theirs {
			list = append(list, fmt.Sprintf("%s: we say %d, the journal %d", what, ours, theirs))
		}
	}
	failed := sum(r.Failed)
	same("accepted", r.Accepted+o.statuses("failed"), o.after.ByRun[o.run])
	same("delivered", r.Delivered, o.statuses("delivered"))
	same("read", r.Read, o.statuses("read"))
	same("failed", failed, o.statuses("failed"))
	same("accepted more than once", 0, duplicates(o.after)-duplicates(o.before))
	same("the accounting identity", r.Total,
		sum(r.Suppressed)+r.Ready+r.Sending+r.Held+r.Accepted+failed+r.Unknown+r.Unconfirmed)
	same("at rest", 0, r.Ready+r.Sending+r.Held)
	return list
}

func duplicates(s sandbox.Summary) int64 { return s.DuplicateOrdinals + s.DuplicateRecipients }

// tell prints the report and the accounting identity.
func (s *show) tell(o *outcome) {
	r := o.report
	failed := sum(r.Failed)
	fmt.Fprintln(s.Out)
	for _, line := range []struct {
		what string
		n    int64
		note string
	}{
		{"recipients", r.Total, ""},
		{"suppressed", sum(r.Suppressed), reasons(r.Suppressed)},
		{"accepted", r.Accepted, "by Meta, of which"},
		{"delivered", r.Delivered, ""},
		{"read", r.Read, ""},
		{"failed", failed, reasons(r.Failed)},
		{"unknown", r.Unknown, "answers lost and no receipt yet"},
		{"unconf.", r.Unconfirmed, ""},
	} {
		fmt.Fprintf(s.Out, "%-10s %7d  %s\n", line.what, line.n, line.note)
	}
	fmt.Fprintf(s.Out, "\n%d recipients = %d suppressed + %d accepted + %d failed + %d unknown + %d unconfirmed\n",
		r.Total, sum(r.Suppressed), r.Accepted, failed, r.Unknown, r.Unconfirmed)
	fmt.Fprintf(s.Out, "The sandbox's journal: %d accepted, %d answers lost on purpose and found again by their receipts, %d accepted twice; %.1f s from launch to the last receipt.\n",
		o.after.ByRun[o.run], o.after.ByFate[sandbox.KindCut]-o.before.ByFate[sandbox.KindCut], duplicates(o.after)-duplicates(o.before), o.seconds)
}

// last prints the line for programs; an error when a figure is not as the
// journal counted it.
func (s *show) last(o *outcome) error {
	r := o.report
	line, err := json.Marshal(struct {
		Recipients  int64            `json:"recipients"`
		Suppressed  map[string]int64 `json:"suppressed"`
		Accepted    int64            `json:"accepted"`
		Delivered   int64            `json:"delivered"`
		Read        int64            `json:"read"`
		Failed      int64            `json:"failed"`
		Unknown     int64            `json:"unknown"`
		Unconfirmed int64            `json:"unconfirmed"`
		Accepted2   int64            `json:"sandbox_accepted"`
		Duplicates  int64            `json:"sandbox_duplicates"`
		Seconds     float64          `json:"seconds"`
	}{r.Total, r.Suppressed, r.Accepted, r.Delivered, r.Read, sum(r.Failed), r.Unknown, r.Unconfirmed,
		o.after.ByRun[o.run], duplicates(o.after) - duplicates(o.before), float64(int(o.seconds*10)) / 10})
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	fmt.Fprintf(s.Out, "%s\n", line)
	if wrong := o.differences(); len(wrong) > 0 {
		return fmt.Errorf("the figures do not agree: %s", strings.Join(wrong, "; "))
	}
	return nil
}

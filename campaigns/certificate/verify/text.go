package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Text says in plain sentences what was checked and what came of it.
func (r *Result) Text() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	h, t := r.Head, r.Totals
	if h.Campaign != "" {
		say("Campaign %q (%s), run %s, of workspace %s.", h.CampaignName, h.Campaign, h.Run, h.Workspace)
		say("The run was %s when the certificate was issued at %s; the policy for messages without an answer was %s.", h.RunState, h.IssuedAt.Format("2006-01-02 15:04:05 UTC"), h.Policy)
	}
	if !r.Good() {
		say("\nThe certificate does NOT hold:")
		for _, f := range r.Faults {
			say("- %s", f)
		}
		if r.Cut > 0 {
			say("- and %d more.", r.Cut)
		}
		return b.String()
	}
	say("\nThe certificate holds:")
	say("- Nothing in it was changed since it was sealed. The seal, computed anew: %s", r.Seal)
	say("- Everybody is accounted for: %d = %d suppressed + %d ready + %d sending + %d held + %d accepted + %d failed + %d unknown + %d unconfirmed.",
		t.Total, Sum(t.Suppressed), t.Ready, t.Sending, t.Held, t.Accepted, Sum(t.Failed), t.Unknown, t.Unconfirmed)
	for _, reason := range slices.Sorted(maps.Keys(t.Suppressed)) {
		say("    suppressed, %s: %d", reason, t.Suppressed[reason])
	}
	for _, reason := range slices.Sorted(maps.Keys(t.Failed)) {
		say("    failed, %s: %d", reason, t.Failed[reason])
	}
	say("- Nobody has more than one accepted request: %d people have one, %d have none.", t.AcceptedRequests, t.Total-t.AcceptedRequests)
	say("- No request was repeated after silence without a proof or a decision: %d were sent again by evidence, %d by a person.", t.ResentByEvidence, t.ResentByPerson)
	say("- Everybody who was attempted had a recorded consent, which is named.")
	say("- %d blocks of the audit ledger have the hashes of their rows, and the campaign's audit entries are in them.", r.Blocks)
	if !h.Final {
		say("The run was not over: what was under way may have come out since.")
	}
	say("Whether this is the certificate the installation issued, its audit tells: the entry certificate.issued holds the seal.")
	return b.String()
}

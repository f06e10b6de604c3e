package consents_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/consents"
)

// Who cannot be reached is suppressed whatever was agreed to, until they write.
// An opt-out, before or meanwhile, outlives that; an agreement since does not lift
// it, and is there when it is lifted.
func TestUnreachableUntilTheyWrite(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	hashes := func() (all [][]byte) {
		for i := range 5 {
			all = append(all, r.vault.RecipientHash(phone(t, i).RecipientKey()))
		}
		return append(all, all[0]) // one twice
	}()
	for i := range 4 {
		r.optIn(t, i, 1, "web_form")
	}
	r.optOut(t, 1, 5, "keyword")
	r.in(t, func(tx pgx.Tx) error {
		return consents.SuppressUnreachable(t.Context(), tx, r.vault, r.tenant.Workspace, hashes, consents.Undeliverable)
	})
	for i := range 4 {
		r.wants(t, i, i != 1, true, "as it stands")
	}
	r.optOut(t, 2, 10, "keyword")
	r.optOut(t, 3, 10, "keyword")
	r.optIn(t, 3, 20, "web_form")
	r.optOut(t, 4, 10, "keyword") // nobody knows this person yet
	r.wants(t, 3, true, true, "an agreement lifts no such suppression")
	for range 2 { // a message that is told twice
		r.in(t, func(tx pgx.Tx) error { return consents.Reachable(t.Context(), tx, r.tenant.Workspace, hashes) })
		r.wants(t, 0, true, false, "they wrote")
		r.wants(t, 1, false, true, "the opt-out before stays")
		r.wants(t, 2, false, true, "the opt-out meanwhile stays")
		r.wants(t, 3, true, false, "agreed again since")
		r.wants(t, 4, false, true, "the opt-out of a stranger stays")
	}
	r.optIn(t, 2, 30, "web_form")
	r.wants(t, 2, true, false, "agreed after all")
}

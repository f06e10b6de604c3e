package consents_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestAgreementLiftsNoBlock: an agreement lifts the person's own earlier refusal
// and nothing that was put on the number for another reason.
func TestAgreementLiftsNoBlock(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for person, reason := range map[int]string{1: "opted_out", 2: "blocked"} {
		r.optOut(t, person, 10, "keyword")
		r.in(t, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `update suppression set reason = $2 where recipient_hash = $1`,
				r.vault.RecipientHash(phone(t, person).RecipientKey()), reason)
			return err
		})
		r.optIn(t, person, 20, "web_form")
	}
	r.wants(t, 1, true, false, "an agreement after the refusal")
	r.wants(t, 2, true, true, "an agreement after a block")
}

package api_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/internal/fixture"
)

// Meta says that a number has a new rating, not which: it is read at once, also
// when nothing is sent and the next poll is a quarter of an hour away.
func TestNewRatingIsReadSoon(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := newMailbox(t, r, "980000000000")
	fixture.In(t, r.pool, m.Tenant.Workspace, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `update waba set polled_at = bareed_now()`)
		return err
	})
	m.post(t, m.file(t, "phone_number_quality_update_legacy_unflagged.json")).ok(t, 200)
	fixture.In(t, r.pool, m.Tenant.Workspace, func(tx pgx.Tx) error {
		var due bool
		if err := tx.QueryRow(t.Context(), `select polled_at is null from waba`).Scan(&due); err != nil {
			return err
		}
		if !due {
			t.Error("the account is not due for a poll")
		}
		return nil
	})
}

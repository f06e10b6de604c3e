package consents_test

import (
	"testing"
	"time"

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

// A contact says whether it can be reached, by every identity, until when it is to
// be left alone, and nothing when nothing stands against it.
func TestReachOfAContact(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	read := func(i int) (reach consents.Reach) {
		t.Helper()
		contact := r.person(t, i)
		r.in(t, func(tx pgx.Tx) (err error) {
			reach, err = consents.ReachOf(t.Context(), tx, r.vault, r.tenant.Workspace, contact)
			return err
		})
		return reach
	}
	if got := read(0); got != (consents.Reach{}) {
		t.Errorf("nobody said anything: %+v", got)
	}
	hashes := [][]byte{r.vault.RecipientHash(phone(t, 0).RecipientKey())}
	now := time.Now()
	r.optOut(t, 1, 1, "keyword")
	r.in(t, func(tx pgx.Tx) error {
		if err := consents.LeaveAlone(t.Context(), tx, r.tenant.Workspace, hashes, []time.Time{now}); err != nil {
			return err
		}
		if err := consents.LeaveAlone(t.Context(), tx, r.tenant.Workspace, hashes, []time.Time{now.Add(-time.Hour)}); err != nil {
			return err
		}
		return consents.SuppressUnreachable(t.Context(), tx, r.vault, r.tenant.Workspace, hashes, consents.BlockedAtMeta)
	})
	got := read(0)
	if got.Unreachable != consents.BlockedAtMeta || got.Since == nil || got.LeaveAlone == nil || got.LeaveAlone.Sub(now.Add(24*time.Hour)).Abs() > time.Millisecond {
		t.Errorf("blocked and to be left alone: %+v", got)
	}
	if got := read(1); got != (consents.Reach{}) {
		t.Errorf("an opt-out is no question of reach: %+v", got)
	}
	r.in(t, func(tx pgx.Tx) error { return consents.Reachable(t.Context(), tx, r.tenant.Workspace, hashes) })
	if got := read(0); got.Unreachable != "" {
		t.Errorf("they wrote: %+v", got)
	}
}

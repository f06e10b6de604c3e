package consents_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/consents"
	"bareed/contacts"
	"bareed/contacts/identity"
	"bareed/internal/id"
)

func (r *rig) joined(t testing.TB, portfolio id.Portfolio, pairs ...identity.Pair) {
	t.Helper()
	r.in(t, r.join(t.Context(), portfolio, pairs...))
}

func (r *rig) join(ctx context.Context, portfolio id.Portfolio, pairs ...identity.Pair) func(tx pgx.Tx) error {
	return func(tx pgx.Tx) error {
		l, err := identity.Learn(ctx, tx, r.tenant.Workspace, portfolio, pairs)
		if err != nil {
			return err
		}
		return consents.Joined(ctx, tx, r.vault, r.tenant.Workspace, l)
	}
}

func (r *rig) optOutByID(t testing.TB, bsuid string, at int) {
	t.Helper()
	r.in(t, r.refuse(t.Context(), bsuid, at))
}

func (r *rig) refuse(ctx context.Context, bsuid string, at int) func(tx pgx.Tx) error {
	return func(tx pgx.Tx) error {
		return consents.OptOut(ctx, tx, r.vault, r.tenant.Workspace, consents.OptOutRequest{
			RecipientKeys: []string{contacts.RecipientKeyOfBSUID(bsuid)}, Method: consents.MethodKeyword, OccurredAt: r.at(at), Actor: "system:webhook"})
	}
}

func pair(t testing.TB, i int, bsuid string) identity.Pair {
	return identity.Pair{WaID: phone(t, i).E164[1:], BSUID: bsuid}
}

// TestJoinedContacts: two contacts are said to be one person.
func TestJoinedContacts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	portfolio := id.New[id.Portfolio]()
	r.optIn(t, 1, 10, "web_form")
	r.joined(t, portfolio, pair(t, 1, "SA.1"))
	r.optIn(t, 2, 30, "web_form")
	r.optOutByID(t, "SA.1", 20)
	r.wants(t, 1, false, true, "the one who refused")
	r.wants(t, 2, true, false, "the other, before they are said to be one")
	r.joined(t, portfolio, pair(t, 2, "SA.1"))
	r.wants(t, 2, false, true, "the other, although it opted in later")
	r.joined(t, portfolio, pair(t, 2, "SA.1"))
	r.optIn(t, 2, 31, consents.MethodKeyword)
	r.wants(t, 2, true, false, "START afterwards")
	r.joined(t, portfolio, pair(t, 2, "SA.1"))
	r.wants(t, 2, true, false, "START stands when it is said again")
	r.wants(t, 1, false, true, "START by one is not one by the other")
	r.optOutByID(t, "SA.1", 40)
	r.wants(t, 2, false, true, "a later STOP of the first reaches the second")
	r.optIn(t, 1, 50, consents.MethodKeyword)
	r.optOut(t, 2, 60, consents.MethodKeyword)
	r.wants(t, 1, false, true, "and the other way round")
}

// TestJoinedNeverPermits: an opt-in by one id is none by another contact.
func TestJoinedNeverPermits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	portfolio := id.New[id.Portfolio]()
	r.optIn(t, 1, 10, "web_form")
	r.joined(t, portfolio, pair(t, 1, "SA.1"))
	r.person(t, 2)
	r.joined(t, portfolio, pair(t, 2, "SA.1"))
	r.wants(t, 1, true, false, "the one who agreed")
	r.wants(t, 2, false, false, "the other")
}

// TestJoinedStrangers: neither id is a contact's, in both directions.
func TestJoinedStrangers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	portfolio := id.New[id.Portfolio]()
	r.optOutByID(t, "SA.1", 20)
	for range 2 {
		r.joined(t, portfolio, pair(t, 1, "SA.1"))
		r.wants(t, 1, false, true, "a stranger's STOP by id")
	}
	if !r.imported(t, 1, 10) || !r.imported(t, 1, -1) {
		t.Error("the import did not say that the opt-out stands")
	}
	r.wants(t, 1, false, true, "imported afterwards")
	r.optIn(t, 1, 30, consents.MethodKeyword)
	r.wants(t, 1, true, false, "START")
	r.joined(t, portfolio, pair(t, 1, "SA.1"))
	r.wants(t, 1, true, false, "an older STOP by id does not outdo START")
	r.optOut(t, 2, 20, consents.MethodKeyword)
	r.joined(t, portfolio, pair(t, 2, "SA.2"))
	r.in(t, func(tx pgx.Tx) error {
		var open bool
		err := tx.QueryRow(t.Context(), `select exists (select from suppression where recipient_hash = $1 and lifted_at is null)`,
			r.vault.RecipientHash("b:SA.2")).Scan(&open)
		if err == nil && !open {
			t.Error("the id of a stranger who refused by phone is not suppressed")
		}
		return err
	})
}

// TestStopMeetsTheLesson: STOP by an id and the first word on whose id it is
// come at the same time. Whichever holds the lock, the phone ends suppressed.
func TestStopMeetsTheLesson(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	portfolio := id.New[id.Portfolio]()
	for i, stopFirst := range []bool{true, false} {
		r.optIn(t, i, 10, "web_form")
		bsuid := fmt.Sprintf("SA.%d", i)
		first, second := r.refuse(t.Context(), bsuid, 20), r.join(t.Context(), portfolio, pair(t, i, bsuid))
		if !stopFirst {
			first, second = second, first
		}
		ended := make(chan error, 1)
		r.in(t, func(tx pgx.Tx) error {
			if err := first(tx); err != nil {
				return err
			}
			go func() { ended <- r.pool.InWorkspace(t.Context(), r.tenant.Workspace, second) }()
			return waits(t.Context(), tx)
		})
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		r.wants(t, i, false, true, fmt.Sprintf("STOP first: %v", stopFirst))
	}
}

// waits returns when another transaction waits for an advisory lock.
func waits(ctx context.Context, tx pgx.Tx) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for waiting := false; !waiting; {
		err := tx.QueryRow(ctx, `select exists (
			select from pg_locks l join pg_database d on d.oid = l.database
			where l.locktype = 'advisory' and not l.granted and d.datname = current_database())`).Scan(&waiting)
		if err != nil {
			return fmt.Errorf("wait for the other transaction: %w", err)
		}
	}
	return nil
}

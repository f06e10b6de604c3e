package scheduler

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/billing"
	"bareed/billing/charges"
	"bareed/billing/cost"
	"bareed/internal/fixture"
	"bareed/internal/pg/pgtest"
)

// The job fixes the estimate of a run that nobody launched by hand, counts what
// was delivered, and leaves it alone until something can have changed.
func TestChargesAreCounted(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 6, 0)
	f.b.AddCard(t, time.Now().AddDate(0, 0, -2), fixture.FakeCard)
	f.b.Do(t, `update message set state = 'delivered', delivered_at = bareed_now(),
		pricing = '{"billable": true, "pricing_model": "PMP", "type": "regular", "category": "marketing"}'
		where run_id = $1 and ordinal <= 4`, f.run)
	if err := f.charges(t.Context()); err != nil {
		t.Fatal(err)
	}
	read := func() (k cost.Cost) {
		f.b.In(t, func(tx pgx.Tx) error {
			list, err := charges.OfRun(t.Context(), tx, f.b.Workspace, f.run)
			if err != nil {
				return err
			}
			sum := int64(0)
			for _, l := range list {
				sum += l.N
			}
			if sum != 6 {
				t.Errorf("%d of 6 messages are counted", sum)
			}
			var campaign [16]byte
			if err := tx.QueryRow(t.Context(), `select campaign_id from run where id = $1`, f.run).Scan(&campaign); err != nil {
				return err
			}
			k, err = cost.OfRun(t.Context(), tx, f.b.Workspace, campaign, f.run)
			return err
		})
		return k
	}
	k := read()
	if k.Actual == nil || *k.Actual != (billing.Money{Micros: 4 * 900_000, Currency: "XTS"}) || k.Open != 2 {
		t.Errorf("%+v", k)
	}
	if k.Estimated == nil || k.Estimated.Micros < 4*900_000 {
		t.Errorf("estimated %v", k.Estimated)
	}
	f.b.Do(t, `update message set state = 'failed', reason = 'x' where run_id = $1 and ordinal > 4`, f.run)
	if err := f.charges(t.Context()); err != nil {
		t.Fatal(err)
	}
	if k := read(); k.Open != 2 {
		t.Errorf("counted again at once: %+v", k)
	}
	pgtest.MoveClock(t, f.b.Pool, 11*time.Second)
	if err := f.charges(t.Context()); err != nil {
		t.Fatal(err)
	}
	if k := read(); k.Open != 0 || k.Delivered != 4 {
		t.Errorf("not counted again: %+v", k)
	}
}

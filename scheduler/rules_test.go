package scheduler

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/waves"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
	"bareed/messages/halts"
)

// The leader measures a first hour when it is over, once, also of a run that ended
// within it.
func TestFirstHoursAreMeasured(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	l := b.Launch(t, "Short")
	b.In(t, func(tx pgx.Tx) error { return waves.Begin(t.Context(), tx, b.Workspace, l.RunID, s.Limits) })
	b.Do(t, `update message set state = 'delivered', delivered_at = bareed_now() where run_id = $1`, l.RunID)
	b.Do(t, `update run set state = 'completed' where id = $1`, l.RunID)
	look := func() (delivered *int64) {
		t.Helper()
		if err := s.firstHours(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.In(t, func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), `select delivered from run_hour where run_id = $1`, l.RunID).Scan(&delivered)
		})
		return delivered
	}
	if got := look(); got != nil {
		t.Fatalf("measured at once: %d", *got)
	}
	if _, err := pgtest.Owner(t, b.Pool).Exec(t.Context(), `update clock_offset set shift = shift + interval '1 hour 10 seconds'`); err != nil {
		t.Fatal(err)
	}
	if got := look(); got == nil || *got != 0 {
		t.Errorf("without a picture: %v", got)
	}
	b.Do(t, `update run_hour set measured_at = bareed_now() - interval '1 minute', delivered = 7 where run_id = $1`, l.RunID)
	if got := look(); got == nil || *got != 7 {
		t.Errorf("measured twice: %v", got)
	}
}

// A workspace that shares the portfolio is stopped by the leader within its tick.
func TestAPortfolioIsHaltedEverywhere(t *testing.T) {
	t.Parallel()
	s, b := planner(t)
	sister := fixture.NewBroadcast(t, b.Pool)
	owner := pgtest.Owner(t, b.Pool)
	for _, table := range []string{"waba", "number"} {
		if _, err := owner.Exec(t.Context(), `update `+table+` set portfolio_id = $1 where workspace_id = $2`, b.Portfolio, sister.Workspace); err != nil {
			t.Fatal(err)
		}
	}
	var ended []messages.Ended
	for _, name := range []string{"Spring", "Summer"} {
		b.Template = b.AddTemplate(t, "MARKETING", "APPROVED", "Hello {{1}}, "+name+".")
		ended = append(ended, messages.Ended{Message: id.Message{Run: b.Launch(t, name).RunID, Ordinal: 1}, Code: 132015})
	}
	b.In(t, func(tx pgx.Tx) error { return halts.Dropped(t.Context(), tx, b.Workspace, ended) })
	began := time.Now()
	if err := s.halts(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, w := range []*fixture.Broadcast{b, sister} {
		w.In(t, func(tx pgx.Tx) error {
			open, err := messages.OpenStops(t.Context(), tx, w.Workspace, b.Portfolio)
			if len(open) != 1 || open[0].Reason != halts.Reason {
				t.Errorf("after %s: %+v", time.Since(began), open)
			}
			return err
		})
	}
}

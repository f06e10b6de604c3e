package halts_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
	"bareed/messages/halts"
)

// launch is a campaign with a template of its own.
func launch(t *testing.T, b *fixture.Broadcast, name string) id.Run {
	t.Helper()
	b.Template = b.AddTemplate(t, "MARKETING", "APPROVED", "Hello {{1}}, "+name+".")
	return b.Launch(t, name).RunID
}

// drop tells that Meta dropped messages of these runs.
func drop(t *testing.T, b *fixture.Broadcast, code int, runs ...id.Run) {
	t.Helper()
	var ended []messages.Ended
	for _, r := range runs {
		for ordinal := range int32(3) {
			ended = append(ended, messages.Ended{Message: id.Message{Run: r, Ordinal: ordinal + 1}, Code: code})
		}
	}
	b.In(t, func(tx pgx.Tx) error { return halts.Dropped(t.Context(), tx, b.Workspace, ended) })
}

// open are the portfolio's open stops in a workspace.
func open(t *testing.T, b *fixture.Broadcast, portfolio id.Portfolio) (list []messages.Stop) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) (err error) {
		list, err = messages.OpenStops(t.Context(), tx, b.Workspace, portfolio)
		return err
	})
	return list
}

func letGo(t *testing.T, b *fixture.Broadcast, portfolio id.Portfolio) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) error {
		_, err := messages.ClearStops(t.Context(), tx, b.Workspace, messages.Clearing{ScopeID: portfolio, Reason: halts.Reason, By: b.Actor.String()})
		return err
	})
}

func later(t *testing.T, owner *pgx.Conn, d time.Duration) {
	t.Helper()
	if _, err := owner.Exec(t.Context(), `update clock_offset set shift = shift + $1`, d); err != nil {
		t.Fatal(err)
	}
}

// One template's drop is its own; those of two within a day stop the portfolio,
// once, with what was measured. What a person cleared does not count again.
func TestSeveralTemplatesStopThePortfolio(t *testing.T) {
	t.Parallel()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.AddPeople(t, b.Audience, 3)
	owner := pgtest.Owner(t, b.Pool)
	spring, summer := launch(t, b, "Spring"), launch(t, b, "Summer")
	drop(t, b, 131026, spring, summer)
	drop(t, b, 132015, spring)
	drop(t, b, 132015, spring)
	if s := open(t, b, b.Portfolio); len(s) != 0 {
		t.Fatalf("one template: %+v", s)
	}
	later(t, owner, 25*time.Hour)
	drop(t, b, 132015, summer)
	if s := open(t, b, b.Portfolio); len(s) != 0 {
		t.Fatalf("another a day later: %+v", s)
	}
	drop(t, b, 132015, spring)
	drop(t, b, 132015, spring, summer)
	s := open(t, b, b.Portfolio)
	if len(s) != 1 || s[0].Scope != messages.ScopePortfolio || s[0].Reason != halts.Reason || s[0].Threshold != "≥ 2 / 24 h" ||
		s[0].Measured != "2" || !s[0].ByRule || s[0].Code == nil || *s[0].Code != 132015 || s[0].Until != nil {
		t.Fatalf("two within a day: %+v", s)
	}
	letGo(t, b, b.Portfolio)
	drop(t, b, 132015, summer)
	if s := open(t, b, b.Portfolio); len(s) != 0 {
		t.Errorf("one after a person let it go: %+v", s)
	}
	drop(t, b, 132015, spring)
	if s := open(t, b, b.Portfolio); len(s) != 1 {
		t.Errorf("two after a person let it go: %+v", s)
	}
}

// Workspaces that share the portfolio are found, and stopped for what another was
// told; strangers are not. A workspace whose person clears the stop stays free.
func TestWhoSharesThePortfolioIsStoppedToo(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b, sister, stranger := fixture.NewBroadcast(t, pool), fixture.NewBroadcast(t, pool), fixture.NewBroadcast(t, pool)
	owner := pgtest.Owner(t, pool)
	for _, table := range []string{"waba", "number"} {
		if _, err := owner.Exec(t.Context(), `update `+table+` set portfolio_id = $1 where workspace_id = $2`, b.Portfolio, sister.Workspace); err != nil {
			t.Fatal(err)
		}
	}
	sister.Portfolio = b.Portfolio
	b.AddPeople(t, b.Audience, 3)
	sister.AddPeople(t, sister.Audience, 3)
	spring, summer := launch(t, b, "Spring"), launch(t, sister, "Summer")
	look := func(want ...id.Workspace) {
		t.Helper()
		list, err := halts.ListSharing(t.Context(), pool.Engine())
		if err != nil || len(list) != len(want) {
			t.Fatalf("to be looked at: %v, %v, want %d", list, err, len(want))
		}
		for _, w := range list {
			if w.Portfolio != b.Portfolio || w.Workspace == stranger.Workspace {
				t.Errorf("to be looked at: %+v", w)
			}
			err := pool.InWorkspace(t.Context(), w.Workspace, func(tx pgx.Tx) error { return halts.Look(t.Context(), tx, w.Workspace, w.Portfolio) })
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	drop(t, b, 132015, spring)
	look()
	drop(t, sister, 132015, summer) // the second template, of the other workspace
	if len(open(t, sister, b.Portfolio)) != 1 || len(open(t, b, b.Portfolio)) != 0 {
		t.Fatal("the one that was told is stopped at once")
	}
	look(b.Workspace)
	if len(open(t, b, b.Portfolio)) != 1 || len(open(t, stranger, stranger.Portfolio)) != 0 {
		t.Fatal("the one that shares is stopped, a stranger is not")
	}
	look()
	letGo(t, b, b.Portfolio)
	look()
	if len(open(t, b, b.Portfolio)) != 0 || len(open(t, sister, b.Portfolio)) != 1 {
		t.Error("each clears its own")
	}
	stranger.In(t, func(tx pgx.Tx) error {
		var n int64
		err := tx.QueryRow(t.Context(), `select portfolio_drops($1, '-infinity')`, b.Portfolio).Scan(&n)
		if n != 0 {
			t.Errorf("a stranger learns of %d", n)
		}
		return err
	})
}

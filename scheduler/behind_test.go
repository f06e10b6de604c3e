package scheduler

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
	"bareed/messages/behind"
)

func (f *feeding) mark(t *testing.T) behind.Mark {
	t.Helper()
	m, err := behind.Read(t.Context(), f.Pool.Engine())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// forget puts the database back by some marks, to when nothing was fed.
func (f *feeding) forget(t *testing.T, marks int64) {
	t.Helper()
	if _, err := f.Pool.Engine().Exec(t.Context(), `update high_water set n = n - $1`, marks); err != nil {
		t.Fatal(err)
	}
	f.b.Do(t, `update run set fed = 0, refeed_to = 0 where workspace_id = $1 and id = $2`, f.b.Workspace, f.run)
}

func (f *feeding) held(t *testing.T) int64 {
	t.Helper()
	n, err := behind.Held(t.Context(), f.Pool.Engine())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (f *feeding) count(t *testing.T, condition string) (n int) {
	t.Helper()
	f.b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select count(*) from message where workspace_id = $1 and run_id = $2 and `+condition,
			f.b.Workspace, f.run).Scan(&n)
	})
	return n
}

// A database that forgot what was handed over is noticed with the next tick:
// every workspace is held with the reason, what may have left is unknown, and
// after an operator's release only the others are handed over.
func TestADatabaseThatForgotIsHeld(t *testing.T) {
	t.Parallel()
	const people = 60
	f := newFeeding(t, people, 0)
	f.b.Do(t, `update run set unknown_policy = 'evidence' where workspace_id = $1 and id = $2`, f.b.Workspace, f.run)
	var out []id.Message
	for len(out) < people/3 {
		out = append(out, f.ticks(t, 1)...)
	}
	before := f.mark(t)
	f.forget(t, 2)
	if more := f.ticks(t, 5); len(more) != 0 || f.held(t) != 1 {
		t.Fatalf("%d handed over, %d workspaces held", len(more), f.held(t))
	}
	if unknown, ready := f.count(t, `state = 'unknown' and attempt = 1 and claim_token is not null`), f.waiting(t); unknown != len(out) || ready != people-len(out) {
		t.Errorf("%d unknown and %d ready, want %d and %d", unknown, ready, len(out), people-len(out))
	}
	if now := f.mark(t); now.N <= before.N || now.Installation != before.Installation {
		t.Errorf("the mark is %v, it was %v", now, before)
	}
	var fed, tried int
	var policy, reason, measured string
	f.b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select r.fed, r.unknown_policy, s.reason, s.measured,
				(select count(*) from message_attempt a where a.run_id = r.id and a.outcome = 'expired')
			from run r join stop s on s.workspace_id = r.workspace_id and s.scope_id = r.workspace_id where r.id = $1`, f.run).
			Scan(&fed, &policy, &reason, &measured, &tried)
	})
	if fed != len(out) || policy != "hold" || reason != behind.Reason || measured == "" || tried != len(out) {
		t.Errorf("fed to %d under %s, %d attempts noted, held as %s: %s", fed, policy, tried, reason, measured)
	}
	if err := f.countBehind(t.Context()); err != nil || f.Behind() != 1 {
		t.Errorf("it says that %d are held, %v", f.Behind(), err)
	}
	f.b.In(t, func(tx pgx.Tx) error {
		_, err := messages.ClearStops(t.Context(), tx, f.b.Workspace, messages.Clearing{ScopeID: f.b.Workspace, Reason: behind.Reason})
		return err
	})
	var rest []id.Message
	for range 30 {
		got := f.ticks(t, 1)
		f.accept(t, got)
		rest = append(rest, got...)
	}
	for _, m := range rest {
		if slices.Contains(out, m) {
			t.Fatalf("%v is handed over again", m)
		}
	}
	if len(rest) != people-len(out) || f.held(t) != 0 {
		t.Errorf("%d of %d others handed over, %d held", len(rest), people-len(out), f.held(t))
	}
}

// What must not raise it: an emptied Redis, an older copy of it, another
// installation's, a clock that jumps, a leader that died between its commit and
// Redis, and another leader beside this one.
func TestWhatIsNoLossHoldsNothing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, f *feeding, m behind.Mark) string{
		"nothing":    func(_ *testing.T, _ *feeding, m behind.Mark) string { return m.String() },
		"emptied":    func(*testing.T, *feeding, behind.Mark) string { return "" },
		"older copy": func(_ *testing.T, _ *feeding, m behind.Mark) string { m.N--; return m.String() },
		"unreadable": func(*testing.T, *feeding, behind.Mark) string { return "x y z" },
		"of another": func(*testing.T, *feeding, behind.Mark) string {
			return behind.Mark{Installation: uuid.New(), N: 1 << 40}.String()
		},
		"clock ahead": func(t *testing.T, f *feeding, m behind.Mark) string {
			f.now = f.now.Add(24 * time.Hour)
			return m.String()
		},
		"clock back": func(t *testing.T, f *feeding, m behind.Mark) string {
			pgtest.MoveClock(t, f.Pool, -24*time.Hour)
			f.now = f.now.Add(-24 * time.Hour)
			return m.String()
		},
		"died before Redis": func(t *testing.T, f *feeding, m behind.Mark) string {
			if _, err := behind.Raise(t.Context(), f.Pool.Engine(), behind.Mark{}); err != nil {
				t.Fatal(err)
			}
			return m.String()
		},
		"another leader": func(t *testing.T, f *feeding, _ behind.Mark) string {
			other := New(f.Config)
			if err := other.guard(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			return f.mark(t).String()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFeeding(t, 20, 0)
			f.ticks(t, 3)
			m := f.mark(t)
			if m.N < 2 {
				t.Fatalf("after three ticks: %v", m)
			}
			if err := f.Queue.Marks().SetLedger(t.Context(), change(t, f, m)); err != nil {
				t.Fatal(err)
			}
			f.ticks(t, 10)
			said, err := f.Queue.Marks().Ledger(t.Context())
			if now := f.mark(t); err != nil || f.held(t) != 0 || behind.Parse(said) != behind.Parse(now.String()) || now.N <= m.N {
				t.Errorf("%d held; Redis says %q, the database %v, %v", f.held(t), said, now, err)
			}
		})
	}
}

// A worker that knows more than the database is refused every claim, before any
// leader has looked.
func TestNoClaimFromADatabaseThatForgot(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 20, 0)
	out := f.ticks(t, 3)
	m := f.mark(t)
	for i, tt := range []struct {
		name    string
		known   messages.Known
		granted int
	}{
		{"it has come further", messages.Known{Installation: m.Installation, N: m.N + 1}, 0},
		{"as far", m.Known(), 1},
		{"not as far", messages.Known{Installation: m.Installation, N: m.N - 1}, 1},
		{"another installation", messages.Known{Installation: uuid.New(), N: m.N + 1}, 1},
		{"nothing is known", messages.Known{}, 1},
	} {
		got, err := messages.ClaimAll(t.Context(), f.Pool, f.b.Workspace, "test", []messages.Want{{Message: out[i], Token: uuid.New(), Known: tt.known}})
		if err != nil || len(got) != tt.granted {
			t.Errorf("%s: %d claims, %v", tt.name, len(got), err)
		}
	}
}

// People were messaged by a plan that is gone: who they were is not known, and a
// new plan gives their places to others. Their run stays held after the release.
func TestALostPlanStaysHeld(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 20, 0)
	f.ticks(t, 3)
	if err := f.Queue.Marks().SetFed(t.Context(), f.run, 500); err != nil {
		t.Fatal(err)
	}
	f.forget(t, 1)
	f.ticks(t, 1)
	f.b.In(t, func(tx pgx.Tx) error {
		_, err := messages.ClearStops(t.Context(), tx, f.b.Workspace, messages.Clearing{ScopeID: f.b.Workspace})
		if err != nil {
			return err
		}
		list, err := messages.OpenStops(t.Context(), tx, f.b.Workspace, f.run)
		if err == nil && (len(list) != 1 || list[0].Reason != behind.PlanLost || list[0].Measured != "500 > 20") {
			err = fmt.Errorf("the run's stops: %+v", list)
		}
		return err
	})
	if more := f.ticks(t, 3); len(more) != 0 {
		t.Errorf("%d handed over", len(more))
	}
}

// What is put off until much later was not handed over, and goes its way.
func TestWhatWasPutOffIsNotDoubted(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 20, 0)
	f.b.Do(t, `update message set feed_after = bareed_now() + interval '6 hours' where workspace_id = $1 and run_id = $2 and ordinal <= 5`,
		f.b.Workspace, f.run)
	for f.backlog(t).Fed < 20 {
		f.ticks(t, 1)
	}
	f.forget(t, 1)
	f.ticks(t, 1)
	if unknown, later := f.count(t, `state = 'unknown'`), f.count(t, `state = 'ready' and ordinal <= 5`); unknown != 15 || later != 5 {
		t.Errorf("%d unknown, %d for later", unknown, later)
	}
}

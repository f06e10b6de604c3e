package scheduler

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

// another launches a campaign to n people of their own, with a priority and a share.
func (f *feeding) another(t *testing.T, n int, priority, share string) id.Run {
	t.Helper()
	f.b.Audience = f.b.AddAudience(t, fmt.Sprint("Audience ", priority, share, n))
	f.b.AddPeople(t, f.b.Audience, n)
	l := f.b.Launch(t, fmt.Sprint("Campaign ", priority, share, n))
	f.stand(t, l.CampaignID, priority, share)
	return l.RunID
}

func (f *feeding) stand(t *testing.T, campaign id.Campaign, priority, share string) {
	t.Helper()
	f.b.Do(t, `update campaign set priority = $2, share = nullif($3, '') where id = $1`, campaign, priority, share)
}

// sendAll feeds until a few looks in a row find nothing, accepts what comes, and
// counts it by run.
func (f *feeding) sendAll(t *testing.T) map[id.Run]int {
	t.Helper()
	by, idle := map[id.Run]int{}, 0
	for idle < 12 {
		got := f.ticks(t, 1)
		f.accept(t, got)
		for _, m := range got {
			by[m.Run]++
		}
		if idle++; len(got) > 0 {
			idle = 0
		}
	}
	return by
}

func (f *feeding) engine(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := f.b.Pool.Engine().Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (f *feeding) taken(t *testing.T) (n int) {
	t.Helper()
	if err := f.b.Pool.Engine().QueryRow(t.Context(), `select places from portfolio where id = $1`, f.b.Portfolio).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestPeopleInAWindowNeedNoPlace: they are handed over without one, also from
// far behind those who wait, and each once.
func TestPeopleInAWindowNeedNoPlace(t *testing.T) {
	t.Parallel()
	const people, limit = 1200, 10
	f := newFeeding(t, people, limit)
	windowed := []int32{3, 4, 40, 600, 601, 1200}
	f.b.Do(t, `insert into service_window (workspace_id, number_id, recipient_hash, open_until)
		select m.workspace_id, $3, m.recipient_hash, bareed_now() + interval '3 hours'
		from message m where m.workspace_id = $1 and m.ordinal = any ($2)`, f.b.Workspace, windowed, f.b.Number)
	var sent []int32
	for range 60 {
		got := f.ticks(t, 1)
		f.accept(t, got)
		for _, m := range got {
			sent = append(sent, m.Ordinal)
		}
	}
	for _, o := range windowed {
		if n := len(slices.DeleteFunc(slices.Clone(sent), func(x int32) bool { return x != o })); n != 1 {
			t.Errorf("person %d in a window was handed over %d times", o, n)
		}
	}
	if want := limit + len(windowed); len(sent) != want || f.taken(t) != limit {
		t.Errorf("%d handed over and %d places taken, want %d and %d", len(sent), f.taken(t), want, limit)
	}
	pgtest.MoveClock(t, f.b.Pool, 26*time.Hour)
	if err := f.places(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.sendAll(t)[f.run]; got != limit {
		t.Errorf("%d handed over after a day, want %d", got, limit)
	}
}

// TestALostTaskOfAPersonAheadComesAgain: what was taken out of the turn is
// offered again when its task is lost.
func TestALostTaskOfAPersonAheadComesAgain(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 300, 5)
	f.b.Do(t, `insert into service_window (workspace_id, number_id, recipient_hash, open_until)
		select m.workspace_id, $2, m.recipient_hash, bareed_now() + interval '3 hours'
		from message m where m.workspace_id = $1 and m.ordinal = 250`, f.b.Workspace, f.b.Number)
	ahead := func() (n int) {
		for _, m := range f.ticks(t, 8) {
			if m.Ordinal == 250 {
				n++
			} else {
				f.accept(t, []id.Message{m})
			}
		}
		return n
	}
	if n := ahead(); n != 1 {
		t.Fatalf("handed over %d times", n)
	}
	if mark, err := f.Queue.Marks().Fed(t.Context(), f.run); err != nil || mark < 250 {
		t.Errorf("the mark of what was handed over is %d (%v)", mark, err)
	}
	if n := ahead(); n != 0 {
		t.Errorf("handed over %d times more", n)
	}
	pgtest.MoveClock(t, f.b.Pool, 61*time.Second)
	if n := ahead(); n != 1 {
		t.Errorf("handed over %d times after a minute", n)
	}
}

// TestWhoGoesFirst: what a campaign of a higher priority has still to reach is
// left to it, and a campaign that is held wants nothing.
func TestWhoGoesFirst(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 2, 100)
	low, high := f.another(t, 80, "low", ""), f.another(t, 80, "high", "")
	got := f.sendAll(t)
	if got[high] != 80 || got[low] != 18 || got[f.run] != 2 {
		t.Fatalf("high %d, normal %d, low %d; want 80, 2 and 18", got[high], got[f.run], got[low])
	}
	pgtest.MoveClock(t, f.b.Pool, 26*time.Hour)
	if err := f.places(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := f.another(t, 90, "high", "")
	f.b.Do(t, `insert into stop (workspace_id, id, scope, scope_id, reason, by_rule, opened_by)
		values ($1, $2, 'run', $3, 'paused', false, 'test')`, f.b.Workspace, id.New[id.Stop](), second)
	if got := f.sendAll(t); got[low] != 62 || got[second] != 0 {
		t.Errorf("beside a held one: low %d, held %d; want 62 and 0", got[low], got[second])
	}
}

// TestOrdersAlwaysFindTheirPlaces: of 10,000 people a day 3,000 are kept for
// orders; a campaign that would take everything stops before them.
func TestOrdersAlwaysFindTheirPlaces(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 60, 10_000)
	f.engine(t, `insert into portfolio_share (portfolio_id, name, size) values ($1, 'orders', 3000)`, f.b.Portfolio)
	f.engine(t, `insert into place (portfolio_id, recipient_hash, run_id, ordinal)
		select $1, decode(md5(i::text), 'hex'), $2, i from generate_series(1, 6980) as i`, f.b.Portfolio, f.run)
	f.engine(t, `update portfolio set places = 6980 where id = $1`, f.b.Portfolio)
	if got := f.sendAll(t); got[f.run] != 20 {
		t.Fatalf("the news took %d of the 20 open places", got[f.run])
	}
	orders := f.another(t, 50, "low", "orders")
	if got := f.sendAll(t); got[orders] != 50 || got[f.run] != 0 {
		t.Errorf("orders reached %d of 50, the news %d more", got[orders], got[f.run])
	}
	var used, days int
	err := f.b.Pool.Engine().QueryRow(t.Context(), `select s.used, (select sum(u.places) from place_use u where u.portfolio_id = s.portfolio_id)
		from portfolio_share s`).Scan(&used, &days)
	if err != nil || used != 50 || days != 70 {
		t.Errorf("%d places of the share used, %d in the calendar (%v); want 50 and 70", used, days, err)
	}
}

// TestALimitAfterNone: a portfolio that had no limit has counted nobody. When
// Meta sets one, everybody who was reached in the last day is counted first.
func TestALimitAfterNone(t *testing.T) {
	t.Parallel()
	f := newFeeding(t, 40, 0)
	f.accept(t, f.ticks(t, 1))
	f.b.Do(t, `update message set state = 'delivered', claimed_at = bareed_now(), delivered_at = bareed_now() where workspace_id = $1 and state = 'accepted'`, f.b.Workspace)
	reached := 40 - f.waiting(t)
	if n := f.taken(t); reached == 0 || n != 0 {
		t.Fatalf("%d reached, %d places without a limit", reached, n)
	}
	f.b.In(t, func(tx pgx.Tx) error {
		var was string
		return tx.QueryRow(t.Context(), `select portfolio_learn($1, $2, false)`, f.b.Portfolio, reached+3).Scan(&was)
	})
	if got := f.ticks(t, 3); len(got) != 0 {
		t.Fatalf("%d handed over before anybody was counted", len(got))
	}
	for range 2 { // the second time does nothing
		if err := f.places(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.taken(t); n != reached {
		t.Errorf("%d places after counting, want %d", n, reached)
	}
	if got := f.sendAll(t)[f.run]; got != 3 {
		t.Errorf("%d handed over, want the 3 that are left", got)
	}
}

// TestNobodyBeyondTheBudgetTakesAPlace: in a run by everybody's own zone people are
// due in any order. Who is due and lies beyond what a budget pays for is not handed
// over and takes no place from those before it.
func TestNobodyBeyondTheBudgetTakesAPlace(t *testing.T) {
	t.Parallel()
	const limit = 2
	f := newFeeding(t, 6, limit)
	f.b.Do(t, `update run set recipient_time = true, budget_to = $2 where workspace_id = $1`, f.b.Workspace, limit)
	f.b.Do(t, `update message set not_before = bareed_now() - ordinal * interval '1 minute', feed_after = bareed_now() - ordinal * interval '1 minute'
		where workspace_id = $1`, f.b.Workspace) // the last were due first
	got := f.ticks(t, 10)
	slices.SortFunc(got, func(a, b id.Message) int { return int(a.Ordinal - b.Ordinal) })
	if len(got) != limit || got[0].Ordinal != 1 || got[1].Ordinal != 2 {
		t.Errorf("%v were handed over, want the first two", got)
	}
	f.b.Do(t, `update run set budget_to = 6 where workspace_id = $1`, f.b.Workspace)
	f.engine(t, `update portfolio set messaging_limit = 10 where id = $1`, f.b.Portfolio)
	if more := f.ticks(t, 10); len(more) != 4 {
		t.Errorf("%v were handed over when more was paid for, want the other four", more)
	}
}

package overview_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/overview"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
)

func TestStuck(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) *time.Time { at := now.Add(-d); return &at }
	stuck := overview.Open{State: "running", Waiting: 1, StartsAt: now.Add(-time.Hour), Moved: ago(6 * time.Minute)}
	for _, tt := range []struct {
		name   string
		change func(*overview.Open)
		want   bool
	}{
		{"it may send, people wait, nothing moves", func(*overview.Open) {}, true},
		{"it moved lately", func(o *overview.Open) { o.Moved = ago(5 * time.Minute) }, false},
		{"no picture yet", func(o *overview.Open) { o.Moved = nil }, false},
		{"it began lately", func(o *overview.Open) { o.StartsAt = now.Add(-5 * time.Minute) }, false},
		{"nobody waits", func(o *overview.Open) { o.Waiting = 0 }, false},
		{"planning", func(o *overview.Open) { o.State = "planning" }, false},
		{"held", func(o *overview.Open) { o.Stops = []string{"paused"} }, false},
		{"the limit is used up", func(o *overview.Open) { o.Full = true }, false},
	} {
		o := stuck
		tt.change(&o)
		if got := o.Stuck(now, 5*time.Minute); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func open(t *testing.T, pool *pg.Pool, run id.Run) (found overview.Open) {
	t.Helper()
	list, err := overview.ListOpen(t.Context(), pool.Engine(), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list {
		if o.Run == run {
			return o
		}
	}
	t.Fatalf("the run is not among %+v", list)
	return found
}

// TestMovedAt: the picture says when the waiting last became fewer, not when it
// was drawn; a run of which that is long ago is stuck, unless something holds it.
func TestMovedAt(t *testing.T) {
	t.Parallel()
	const quiet = 5 * time.Minute
	pool := pgtest.New(t)
	b := fixture.NewBroadcast(t, pool)
	b.AddPeople(t, b.Audience, 5)
	run := b.Launch(t, "Eid").RunID
	draw := func() overview.Open {
		t.Helper()
		b.In(t, func(tx pgx.Tx) error { return campaigns.Snapshot(t.Context(), tx, b.Workspace, run) })
		return open(t, pool, run)
	}
	if o := open(t, pool, run); o.Moved != nil || o.At != nil || o.Waiting != 5 || o.State != "running" || o.Stuck(time.Now().Add(time.Hour), quiet) {
		t.Errorf("without a picture: %+v", o)
	}
	first := draw()
	pgtest.MoveClock(t, pool, quiet+time.Minute)
	still := draw()
	if first.Moved == nil || still.Moved == nil || !still.Moved.Equal(*first.Moved) || !still.At.After(*first.At) {
		t.Errorf("nothing moved: %v then %v", first.Moved, still.Moved)
	}
	if first.Stuck(*first.At, quiet) || !still.Stuck(*still.At, quiet) {
		t.Errorf("stuck %v at once and %v after %v", first.Stuck(*first.At, quiet), still.Stuck(*still.At, quiet), quiet)
	}
	b.Do(t, `update message set state = 'accepted', accepted_at = bareed_now() where run_id = $1 and ordinal <= 2`, run)
	moved := draw()
	if !moved.Moved.Equal(*moved.At) || moved.Waiting != 3 || moved.Accepted != 2 || moved.Stuck(*moved.At, quiet) {
		t.Errorf("two were accepted: %+v", moved)
	}
	pgtest.MoveClock(t, pool, 2*(quiet+time.Minute))
	stop := func(scope string, on any, until *time.Time) {
		t.Helper()
		b.Do(t, `insert into stop (workspace_id, id, scope, scope_id, reason, by_rule, opened_by, until) values ($1, $2, $3, $4, 'test', true, 'test', $5)`,
			b.Workspace, id.New[id.Stop](), scope, on, until)
	}
	over := moved.At.Add(time.Minute)
	stop("workspace", b.Workspace, &over)
	if o := draw(); !o.Stuck(*o.At, quiet) || len(o.Stops) != 0 {
		t.Errorf("a stop that ran out: %+v", o)
	}
	stop("number", b.Number, nil)
	if o := draw(); o.Stuck(*o.At, quiet) || len(o.Stops) != 1 {
		t.Errorf("held: %+v", o)
	}
	b.Do(t, `update stop set cleared_at = bareed_now()`)
	for places, full := range map[int]bool{899: false, 900: true} { // of 1,000, a tenth is left to others
		if _, err := pool.Engine().Exec(t.Context(), `update portfolio set places = $2 where id = $1`, b.Portfolio, places); err != nil {
			t.Fatal(err)
		}
		if o := draw(); o.Full != full || o.Stuck(*o.At, quiet) == full {
			t.Errorf("%d places of 1,000: %+v", places, o)
		}
	}
	b.Do(t, `update run set state = 'completed' where id = $1`, run)
	list, err := overview.ListOpen(t.Context(), pool.Engine(), 10)
	if err != nil || len(list) != 0 {
		t.Errorf("over: %+v, %v", list, err)
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b, other := fixture.NewBroadcast(t, pool), fixture.NewBroadcast(t, pool)
	b.AddPeople(t, b.Audience, 5)
	other.AddPeople(t, other.Audience, 2)
	run := b.Launch(t, "Eid").RunID
	other.Launch(t, "Theirs")
	b.Do(t, `update message set state = 'delivered', accepted_at = bareed_now() where run_id = $1 and ordinal <= 2`, run)
	b.Do(t, `update message set state = 'failed', reason = 'meta_131026' where run_id = $1 and ordinal = 3`, run)
	b.Do(t, `update message set state = 'suppressed', reason = 'opted_out' where run_id = $1 and ordinal = 4`, run)
	b.In(t, func(tx pgx.Tx) error { return campaigns.Snapshot(t.Context(), tx, b.Workspace, run) })
	// Half past ten in the evening in London is the next day in Riyadh.
	b.Do(t, `update run set started_at = '2026-05-01 22:30:00+00', starts_at = '2026-05-01 22:30:00+00' where id = $1`, run)
	riyadh, err := time.LoadLocation("Asia/Riyadh")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 5, 3, 12, 0, 0, 0, time.UTC)
	for zone, at := range map[*time.Location]int{time.UTC: 0, riyadh: 1} {
		b.In(t, func(tx pgx.Tx) error {
			days, err := overview.Days(t.Context(), tx, b.Workspace, now, zone, 3)
			if err != nil {
				return err
			}
			for i, d := range days {
				want := overview.Day{Day: time.Date(2026, 5, 1+i, 0, 0, 0, 0, zone)}
				if i == at {
					want.Accepted, want.Delivered, want.Failed, want.Suppressed = 2, 2, 1, 1
				}
				if d != want {
					t.Errorf("%s, day %d: %+v, want %+v", zone, i, d, want)
				}
			}
			return nil
		})
	}
}

func TestUnderwayAndHeld(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b, other := fixture.NewBroadcast(t, pool), fixture.NewBroadcast(t, pool)
	b.AddPeople(t, b.Audience, 5)
	underway := func(x *fixture.Broadcast) (u overview.Underway) {
		t.Helper()
		x.In(t, func(tx pgx.Tx) (err error) {
			u, err = overview.GetUnderway(t.Context(), tx, x.Workspace)
			return err
		})
		return u
	}
	if u := underway(b); u != (overview.Underway{}) {
		t.Errorf("before any launch: %+v", u)
	}
	l := b.Launch(t, "Eid")
	b.Do(t, `update message set state = 'failed', reason = 'meta_131026' where run_id = $1 and ordinal = 3`, l.RunID)
	b.In(t, func(tx pgx.Tx) error { return campaigns.Snapshot(t.Context(), tx, b.Workspace, l.RunID) })
	if u := underway(b); u != (overview.Underway{Campaigns: 1, People: 5, Done: 1, Ever: true}) {
		t.Errorf("under way: %+v", u)
	}
	if u := underway(other); u != (overview.Underway{}) {
		t.Errorf("another's: %+v", u)
	}
	for scope, on := range map[string]any{"campaign": l.CampaignID, "run": l.RunID, "number": b.Number, "template": b.Template, "waba": b.WABA} {
		b.Do(t, `insert into stop (workspace_id, id, scope, scope_id, reason, by_rule, opened_by) values ($1, $2, $3, $4, 'test', true, 'test')`,
			b.Workspace, id.New[id.Stop](), scope, on)
	}
	held := func(x *fixture.Broadcast) map[string]overview.Held {
		t.Helper()
		by := map[string]overview.Held{}
		x.In(t, func(tx pgx.Tx) error {
			list, err := overview.ListHeld(t.Context(), tx, x.Workspace, 10)
			for _, h := range list {
				by[h.Scope] = h
			}
			return err
		})
		return by
	}
	got := held(b)
	if len(got) != 5 || got["run"].Name != "Eid" || got["run"].Campaign != l.CampaignID || got["campaign"].Name != "Eid" ||
		got["number"].Name != "+966500000000" || !got["number"].Campaign.IsZero() || got["template"].Name == "" {
		t.Errorf("held: %+v", got)
	}
	b.Do(t, `update campaign set state = 'stopped' where id = $1`, l.CampaignID)
	b.Do(t, `update number set disconnected_at = bareed_now()`)
	b.Do(t, `update stop set cleared_at = bareed_now() where scope = 'waba'`)
	if got := held(b); len(got) != 1 || got["template"].Reason != "test" {
		t.Errorf("what is left: %+v", got)
	}
	if got := held(other); len(got) != 0 {
		t.Errorf("another's: %+v", got)
	}
}

func TestIntake(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b := fixture.NewBroadcast(t, pool)
	look := func() overview.Intake {
		t.Helper()
		i, err := overview.GetIntake(t.Context(), pool.Engine())
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	if i := look(); i.Waiting != 0 || i.Oldest != nil {
		t.Errorf("nothing: %+v", i)
	}
	at := time.Now().Truncate(time.Microsecond)
	for i := range 3 {
		b.Do(t, `insert into event (workspace_id, id, app_id, received_at, fields, body) values ($1, $2, $3, $4, '{}', '\x00')`,
			b.Workspace, id.New[[16]byte](), b.App, at.Add(time.Duration(i)*time.Second))
	}
	b.Do(t, `update event set state = 'applied' where received_at = $1`, at)
	if i := look(); i.Waiting != 2 || i.Oldest == nil || !i.Oldest.Equal(at.Add(time.Second)) {
		t.Errorf("two of three: %+v", i)
	}
}

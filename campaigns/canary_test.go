package campaigns_test

import (
	"context"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/internal/fixture"
	"bareed/internal/id"
)

// first lists the contacts of a run in the order of sending.
func first(t *testing.T, b *fixture.Broadcast, run id.Run, n int) []id.Contact {
	t.Helper()
	return must(t, b, func(ctx context.Context, tx pgx.Tx) ([]id.Contact, error) {
		rows, err := tx.Query(ctx, `select contact_id from message where run_id = $1 order by ordinal limit $2`, run, n)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowTo[id.Contact])
	})
}

// Those who read lately are sent to first, then those who agreed lately, and
// everybody has one message all the same.
func TestTheMostEngagedAreTheCanary(t *testing.T) {
	t.Parallel()
	const people = 700
	b := newBroadcast(t, people)
	before := b.Launch(t, "Before").RunID
	b.Do(t, `update run set started_at = bareed_now() where id = $1`, before)
	all := first(t, b, before, people)
	readers, fresh := all[100:103], all[200:202]
	for i, c := range readers { // the last of them read last
		b.Do(t, `update message set state = 'read', attempt = 1, read_at = bareed_now() + $3 * interval '1 minute' where run_id = $1 and contact_id = $2`, before, c, i)
	}
	for i, c := range fresh {
		b.Do(t, `update permission set since = bareed_now() + $2 * interval '1 hour' where contact_id = $1`, c, i+1)
	}

	run := b.Launch(t, "Now").RunID
	slices.Reverse(readers)
	slices.Reverse(fresh)
	want := slices.Concat(readers, fresh)
	if got := first(t, b, run, len(want)); !slices.Equal(got, want) {
		t.Errorf("first are %v, want %v", got, want)
	}
	whole(t, b, run, people)

	b.Do(t, `insert into breaker_setting (workspace_id, subject_id, settings, updated_by) values ($1, $1, '{"canary_order": "random"}', 'test')`, b.Workspace)
	one, two := b.Launch(t, "By chance").RunID, b.Launch(t, "By chance again").RunID
	if slices.Equal(first(t, b, one, 20), first(t, b, two, 20)) || slices.Equal(first(t, b, one, 5), want) {
		t.Error("chance gives the same people twice")
	}
	whole(t, b, one, people)
}

// whole checks that everybody has one message and no ordinal is left out.
func whole(t *testing.T, b *fixture.Broadcast, run id.Run, people int) {
	t.Helper()
	if n := number(t, b, `select count(distinct contact_id) from message where run_id = $1`, run); n != people {
		t.Errorf("%d of %d people", n, people)
	}
	if n := number(t, b, `select max(ordinal) from message where run_id = $1`, run); n != people {
		t.Errorf("ordinals up to %d, want %d", n, people)
	}
	if n := number(t, b, `select planned from run where id = $1`, run); n != people {
		t.Errorf("planned %d, want %d", n, people)
	}
}

// A planner that is killed behind the canary goes on with the rest.
func TestPlanGoesOnBehindTheCanary(t *testing.T) {
	t.Parallel()
	const people = 650
	b := newBroadcast(t, people)
	c := create(t, b, "Spring")
	k := b.Check(t, c.ID)
	l, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible})
	if err != nil {
		t.Fatal(err)
	}
	if p := planChunk(t, b, l.RunID); p.Done || p.Planned != 500 {
		t.Fatalf("the canary: %+v", p)
	}
	if p := planChunk(t, b, l.RunID); !p.Done || p.Planned != people {
		t.Fatalf("the rest: %+v", p)
	}
	whole(t, b, l.RunID, people)
}

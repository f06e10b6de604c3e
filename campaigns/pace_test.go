package campaigns_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/plan"
	"bareed/internal/fixture"
	"bareed/internal/id"
)

func TestPace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		people int64
		within int
		want   int
	}{{0, 60, 1}, {1, 60, 1}, {60, 60, 1}, {61, 60, 2}, {50_000, 240, 209}, {1_000_000, 10, 100_000}} {
		if got := plan.Pace(c.people, c.within); got != c.want {
			t.Errorf("%d people in %d minutes: %d a minute, want %d", c.people, c.within, got, c.want)
		}
	}
}

// withinMinutes makes a campaign that is to be over within a time.
func withinMinutes(t *testing.T, b *fixture.Broadcast, name string, minutes int) campaigns.Campaign {
	t.Helper()
	d := definition(b, name)
	d.FinishWithin = &minutes
	return must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Create(ctx, tx, b.Actor, d)
	})
}

// A run that is to be over within a time gets its pace when everybody is planned,
// by those who may be sent to.
func TestFinishWithin(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 45)
	refused := b.AddPeople(t, b.Audience, 5)
	b.Do(t, `update permission set granted = false where workspace_id = $1 and contact_id = any ($2)`, b.Workspace, refused)
	c := withinMinutes(t, b, "Within", 10)
	if c.FinishWithin != 10 || c.PerMinute != 0 {
		t.Fatalf("made %+v", c)
	}
	l, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: b.Check(t, c.ID).Eligible})
	if err != nil {
		t.Fatal(err)
	}
	pace := func(run id.Run) int {
		return number(t, b, `select coalesce(per_minute, 0) from run where id = $1`, run)
	}
	if n := pace(l.RunID); n != 0 {
		t.Errorf("%d a minute before the plan", n)
	}
	planAll(t, b, l.RunID)
	if n := pace(l.RunID); n != 5 {
		t.Errorf("%d a minute, want 5: 45 people in ten minutes", n)
	}
}

// The two ways of saying how fast take each other's place.
func TestPaceIsEdited(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	c := withinMinutes(t, b, "Edited", 60)
	edit := func(ch campaigns.Change) (campaigns.Campaign, error) {
		return in(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
			return campaigns.Edit(ctx, tx, b.Actor, c.ID, c.Version, ch)
		})
	}
	sixty, none := new(int), (*int)(nil)
	*sixty = 60
	_, err := edit(campaigns.Change{PerMinute: &sixty})
	if e := wantCode(t, err, "rate.both"); len(e.Fields) != 1 || e.Fields[0].Pointer != "/finish_within_minutes" {
		t.Errorf("fields %+v", e.Fields)
	}
	c, err = edit(campaigns.Change{PerMinute: &sixty, FinishWithin: &none})
	if err != nil || c.PerMinute != 60 || c.FinishWithin != 0 {
		t.Errorf("a pace instead: %+v, %v", c, err)
	}
}

// Who asks for more than the number may is told so by the check.
func TestFinishTooSoon(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 620)
	b.Do(t, `update number set per_second = 1 where workspace_id = $1`, b.Workspace)
	for _, c := range []struct {
		minutes int
		needed  any // nil: it can be done
	}{{10, 11}, {11, nil}} {
		made := withinMinutes(t, b, fmt.Sprint("Soon ", c.minutes), c.minutes)
		var needed any
		for _, w := range b.Check(t, made.ID).Warnings {
			if w.Code == "campaign.warn_finish" {
				needed = w.Params["needed"]
			}
		}
		if fmt.Sprint(needed) != fmt.Sprint(c.needed) {
			t.Errorf("within %d minutes: needed %v, want %v", c.minutes, needed, c.needed)
		}
	}
}

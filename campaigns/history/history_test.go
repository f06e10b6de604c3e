package history_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/history"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

func TestOf(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b, other := fixture.NewBroadcast(t, pool), fixture.NewBroadcast(t, pool)
	people := b.AddPeople(t, b.Audience, 2)
	b.Launch(t, "First")
	b.Launch(t, "Second")
	b.In(t, func(tx pgx.Tx) error {
		list, err := history.Of(t.Context(), tx, b.Workspace, people[0], 10)
		if err != nil {
			return err
		}
		if len(list) != 2 || list[0].Name != "Second" || list[1].Name != "First" || list[0].State == "" {
			t.Errorf("in %d campaigns: %+v", len(list), list)
		}
		none, err := history.Of(t.Context(), tx, b.Workspace, id.New[id.Contact](), 10)
		if len(none) != 0 {
			t.Errorf("a stranger was in %+v", none)
		}
		return err
	})
	other.In(t, func(tx pgx.Tx) error {
		list, err := history.Of(t.Context(), tx, other.Workspace, people[0], 10)
		if len(list) != 0 {
			t.Errorf("another workspace sees %+v", list)
		}
		return err
	})
}

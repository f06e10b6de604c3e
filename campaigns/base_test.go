package campaigns_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/plan"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

// greeting fills the fixture's template.
func greeting() plan.Variables {
	return plan.Variables{Body: []plan.Value{{Attribute: "first_name"}}}
}

func definition(b *fixture.Broadcast, name string) campaigns.Definition {
	return campaigns.Definition{Name: name, NumberID: b.Number, TemplateID: b.Template,
		AudienceIDs: []id.Audience{b.Audience}, Variables: greeting()}
}

// in gives fn's result from a transaction of the workspace.
func in[T any](t testing.TB, b *fixture.Broadcast, fn func(ctx context.Context, tx pgx.Tx) (T, error)) (T, error) {
	t.Helper()
	var out T
	err := b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) (err error) {
		out, err = fn(t.Context(), tx)
		return err
	})
	return out, err
}

// must is in, for what has to work.
func must[T any](t testing.TB, b *fixture.Broadcast, fn func(ctx context.Context, tx pgx.Tx) (T, error)) T {
	t.Helper()
	out, err := in(t, b, fn)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func create(t testing.TB, b *fixture.Broadcast, name string) campaigns.Campaign {
	t.Helper()
	return must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Create(ctx, tx, b.Actor, definition(b, name))
	})
}

func get(t testing.TB, b *fixture.Broadcast, c id.Campaign) campaigns.Campaign {
	t.Helper()
	return must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Get(ctx, tx, b.Workspace, c)
	})
}

func launch(t testing.TB, b *fixture.Broadcast, c id.Campaign, q campaigns.LaunchRequest) (campaigns.Launched, error) {
	t.Helper()
	return in(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Launched, error) {
		return campaigns.Launch(ctx, tx, b.Actor, c, q)
	})
}

// launched makes a campaign to everybody and launches it at once.
func launched(t testing.TB, b *fixture.Broadcast, name string) (id.Campaign, id.Run) {
	t.Helper()
	c := create(t, b, name)
	l, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: b.Check(t, c.ID).Eligible})
	if err != nil {
		t.Fatal(err)
	}
	return c.ID, l.RunID
}

// planAll plans a run to its end as the worker does.
func planAll(t testing.TB, b *fixture.Broadcast, run id.Run) {
	t.Helper()
	if !must(t, b, func(ctx context.Context, tx pgx.Tx) (bool, error) { return plan.Lease(ctx, tx, b.Workspace, run) }) {
		t.Fatal("the plan is taken")
	}
	for done := false; !done; {
		done = planChunk(t, b, run).Done
		due(t, b, run)
	}
}

func planChunk(t testing.TB, b *fixture.Broadcast, run id.Run) plan.Progress {
	t.Helper()
	box, err := b.Vault.Box(t.Context(), b.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	return must(t, b, func(ctx context.Context, tx pgx.Tx) (plan.Progress, error) {
		return plan.Next(ctx, tx, b.Vault, box, b.Workspace, run)
	})
}

func due(t testing.TB, b *fixture.Broadcast, run id.Run) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) error { return campaigns.Due(t.Context(), tx, b.Workspace, run) })
}

func finish(t testing.TB, b *fixture.Broadcast, run id.Run) bool {
	t.Helper()
	return must(t, b, func(ctx context.Context, tx pgx.Tx) (bool, error) {
		return campaigns.Finish(ctx, tx, b.Workspace, run)
	})
}

func runState(t testing.TB, b *fixture.Broadcast, run id.Run) campaigns.RunState {
	t.Helper()
	return campaigns.RunState(text(t, b, `select state from run where workspace_id = $1 and id = $2`, b.Workspace, run))
}

func text(t testing.TB, b *fixture.Broadcast, sql string, args ...any) string {
	t.Helper()
	return must(t, b, func(ctx context.Context, tx pgx.Tx) (s string, err error) {
		err = tx.QueryRow(ctx, sql, args...).Scan(&s)
		return s, err
	})
}

func number(t testing.TB, b *fixture.Broadcast, sql string, args ...any) int {
	t.Helper()
	return must(t, b, func(ctx context.Context, tx pgx.Tx) (n int, err error) {
		err = tx.QueryRow(ctx, sql, args...).Scan(&n)
		return n, err
	})
}

func wantCode(t testing.TB, err error, code string) *errs.Error {
	t.Helper()
	e, ok := errs.As(err)
	if !ok || e.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	return e
}

func newBroadcast(t testing.TB, people int) *fixture.Broadcast {
	t.Helper()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	if people > 0 {
		b.AddPeople(t, b.Audience, people)
	}
	return b
}

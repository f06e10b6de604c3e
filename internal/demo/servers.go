//go:build unix

package demo

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/devenv"
	"bareed/migrations"
)

// servers brings PostgreSQL and Redis up. What an earlier demo kept is of no
// use when this checkout's schema has changed since: the demo's own servers
// begin anew then, and somebody else's are left as they are.
func servers(ctx context.Context, o Options) (*devenv.Env, error) {
	up := devenv.Options{Mode: devenv.Demo, Out: o.Out, Install: o.Install}
	env, err := devenv.Up(ctx, up)
	if err != nil {
		return nil, err
	}
	err = ofThisSchema(ctx, env.DatabaseURL)
	if err == nil {
		return env, nil
	}
	env.Close()
	var changed *migrations.ChangedError
	switch {
	case !errors.As(err, &changed):
		return nil, err
	case env.DatabaseGiven:
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	fmt.Fprintf(o.Out, "%-10s of an earlier demo has another schema (%s); the demo begins anew\n", "data", changed.File)
	if err := devenv.Reset(ctx, o.Out, devenv.Demo); err != nil {
		return nil, err
	}
	return devenv.Up(ctx, up)
}

// ofThisSchema returns a *migrations.ChangedError when the program could not
// work on what lies there. An empty database and an older one are migrated.
func ofThisSchema(ctx context.Context, url string) error {
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("look at what an earlier demo left: %w", err)
	}
	defer db.Close(context.WithoutCancel(ctx))
	var changed *migrations.ChangedError
	if err := migrations.Check(ctx, db); errors.As(err, &changed) {
		return err
	}
	return nil
}

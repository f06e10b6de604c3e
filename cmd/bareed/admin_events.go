package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/numbers"
)

// adminEvents has webhook events that were given up applied again.
func adminEvents(ctx context.Context, p *process, args []string) (any, error) {
	if len(args) == 0 || args[0] != "retry" {
		return nil, fmt.Errorf("%w: admin events retry [-workspace ws_…]", errUsage)
	}
	var ws id.Workspace
	if err := flags("events retry", args[1:], func(f *flag.FlagSet) { f.TextVar(&ws, "workspace", id.Workspace{}, "") }); err != nil {
		return nil, err
	}
	var retried int64
	n, err := everyWorkspace(ctx, p, ws, func(tx pgx.Tx, ws id.Workspace) error {
		more, err := numbers.RetryEvents(ctx, tx, ws)
		retried += more
		return err
	})
	return map[string]any{"workspaces": n, "retried": retried}, err
}

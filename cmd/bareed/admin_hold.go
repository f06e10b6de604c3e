package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/messages/behind"
	"bareed/numbers"
)

// restored is the reason of the stops that keep an installation still after a
// restore, until somebody has looked.
const restored = "restored"

const sqlWorkspaces = `
select workspace_id
from workspace
order by workspace_id`

// everyWorkspace runs fn for each, or for the one that was named.
func everyWorkspace(ctx context.Context, p *process, only id.Workspace, fn func(tx pgx.Tx, ws id.Workspace) error) (int, error) {
	all := []id.Workspace{only}
	if only.IsZero() {
		rows, err := p.pool.Engine().Query(ctx, sqlWorkspaces)
		if err != nil {
			return 0, fmt.Errorf("list the workspaces: %w", err)
		}
		if all, err = pgx.CollectRows(rows, pgx.RowTo[id.Workspace]); err != nil {
			return 0, fmt.Errorf("list the workspaces: %w", err)
		}
	}
	for _, ws := range all {
		if err := p.pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error { return fn(tx, ws) }); err != nil {
			return 0, fmt.Errorf("workspace %s: %w", ws, err)
		}
	}
	return len(all), nil
}

// adminHold stops every workspace: nothing leaves until adminRelease.
func adminHold(ctx context.Context, p *process, args []string) (any, error) {
	reason, ws, err := holdFlags("hold", args)
	if err != nil {
		return nil, err
	}
	opened := 0
	n, err := everyWorkspace(ctx, p, ws, func(tx pgx.Tx, ws id.Workspace) error {
		fresh, err := messages.OpenStop(ctx, tx, ws, messages.Opening{Scope: messages.ScopeWorkspace, ScopeID: ws,
			Reason: reason, Measured: "an operator's hold", By: "system:admin"})
		if fresh {
			opened++
		}
		return err
	})
	return map[string]any{"workspaces": n, "held": opened, "reason": reason}, err
}

// adminRelease clears what adminHold opened for a reason; without one, also what
// the leader opened when it found the database behind.
func adminRelease(ctx context.Context, p *process, args []string) (any, error) {
	reason, ws, err := holdFlags("release", args)
	if err != nil {
		return nil, err
	}
	reasons := []string{reason}
	if reason == restored {
		reasons = append(reasons, behind.Reason)
	}
	cleared := 0
	n, err := everyWorkspace(ctx, p, ws, func(tx pgx.Tx, ws id.Workspace) error {
		for _, r := range reasons {
			c, err := messages.ClearStops(ctx, tx, ws, messages.Clearing{ScopeID: ws, Reason: r, By: "system:admin"})
			cleared += c
			if err != nil {
				return err
			}
		}
		return nil
	})
	return map[string]any{"workspaces": n, "released": cleared, "reason": strings.Join(reasons, ", ")}, err
}

func holdFlags(name string, args []string) (reason string, ws id.Workspace, err error) {
	err = flags(name, args, func(f *flag.FlagSet) {
		f.StringVar(&reason, "reason", restored, "")
		f.TextVar(&ws, "workspace", id.Workspace{}, "")
	})
	if err == nil && reason == "" {
		err = errors.Join(errUsage, errors.New("a reason is needed"))
	}
	return reason, ws, err
}

// adminRewrap seals everything that an older master key sealed with the newest:
// keys, secrets of Meta apps, stray events. When it says 0, the old one can go.
func adminRewrap(ctx context.Context, p *process, args []string) (any, error) {
	if err := flags("rewrap", args, func(*flag.FlagSet) {}); err != nil {
		return nil, err
	}
	keys, err := p.vault.Rewrap(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := numbers.Rewrap(ctx, p.pool, p.vault.System())
	return map[string]any{"rewrapped": keys + rows}, err
}

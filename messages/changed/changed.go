// Package changed owns the stops that what Meta changed calls for: of a number, a
// template, a WABA or a portfolio. Those that an error code opens are messages'.
//
// The worker calls it for what a poll found and the webhook door for what Meta
// tells. It must not know campaigns or HTTP.
package changed

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/numbers"
)

// Stop opens the stops that what Meta changed calls for. It belongs in
// the transaction that applied the changes and so has locked what they are of.
func Stop(ctx context.Context, tx pgx.Tx, ws id.Workspace, changes []numbers.Change) error {
	for _, c := range changes {
		o, stops := StopFor(c)
		if !stops {
			continue
		}
		held, err := sameDrop(ctx, tx, ws, c, o)
		if err != nil {
			return err
		}
		if held {
			continue
		}
		if _, err := messages.OpenStop(ctx, tx, ws, o); err != nil {
			return err
		}
	}
	return nil
}

// FLAGGED is Meta's old word for a rating that fell: the webhook says it at once,
// and the poll learns the rating itself seconds later. That is one cause and so
// one stop, whichever comes first: a flag adds nothing to the stop of a rating,
// and a rating puts itself in the place of the flag, which says less.
const (
	sqlRated = `
select exists (
    select from stop
    where workspace_id = $1
      and scope_id = $2
      and reason in ('quality_yellow', 'quality_red')
      and cleared_at is null
      and (until is null or until > bareed_now()))`

	sqlRateFlag = `
update stop s
set reason = $4, threshold = $5, measured = $6
where s.workspace_id = $1
  and s.scope_id = $2
  and s.reason = $3
  and s.cleared_at is null
  and (s.until is null or s.until > bareed_now())
  and not exists (
      select from stop q
      where q.workspace_id = $1
        and q.scope_id = $2
        and q.reason = $4
        and q.cleared_at is null)`
)

// sameDrop tells whether an open stop already holds for the same drop of
// quality. One that a rating took over is told to the campaigns by its new name.
func sameDrop(ctx context.Context, tx pgx.Tx, ws id.Workspace, c numbers.Change, o messages.Opening) (bool, error) {
	flag := string(o.Scope) + "_flagged"
	switch {
	case o.Reason == flag:
		var rated bool
		if err := tx.QueryRow(ctx, sqlRated, ws, o.ScopeID).Scan(&rated); err != nil {
			return false, fmt.Errorf("look for the stop of a rating: %w", err)
		}
		return rated, nil
	case c.What == numbers.Quality:
		tag, err := tx.Exec(ctx, sqlRateFlag, ws, o.ScopeID, flag, o.Reason, o.Threshold, o.Measured)
		if err != nil {
			return false, fmt.Errorf("rate a flag: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return false, nil
		}
		return true, messages.TellCampaigns(ctx, tx, ws, o.ScopeID, "campaign.holding", map[string]any{
			"scope": o.Scope, "reason": o.Reason, "threshold": o.Threshold, "measured": o.Measured, "until": o.Until, "instead_of": flag,
		})
	}
	return false, nil
}

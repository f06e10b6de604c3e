package messages

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// SecondAcceptance is the line among a message's attempts that must never be
// written: Meta named two message ids for one message of ours, so it accepted
// two requests. It is what remains of the risk of sending again after silence,
// and of what Meta may do by itself; the certificate counts it as two.
const SecondAcceptance = "second_acceptance"

// sqlNoteSecond writes the line once: every later status of either message
// differs from the id that is kept.
const sqlNoteSecond = `
insert into message_attempt (workspace_id, run_id, ordinal, attempt, claim_token, outcome)
select $1, m.run_id, m.ordinal, m.attempt, m.claim_token, 'second_acceptance'
from unnest($2::uuid[], $3::int[]) as x(run_id, ordinal)
cross join lateral (
    select m.run_id, m.ordinal, m.attempt, m.claim_token
    from message m
    where m.run_id = x.run_id
      and m.ordinal = x.ordinal
      and m.workspace_id = $1
      and m.claim_token is not null) m
where not exists (
    select from message_attempt a
    where a.run_id = m.run_id
      and a.ordinal = m.ordinal
      and a.outcome = 'second_acceptance')
returning run_id, ordinal`

// noteSecond keeps that Meta accepted these messages twice, and returns those of
// which that is new.
func noteSecond(ctx context.Context, tx pgx.Tx, ws id.Workspace, list []id.Message) ([]id.Message, error) {
	if len(list) == 0 {
		return nil, nil
	}
	slices.SortFunc(list, func(a, b id.Message) int {
		if c := slices.Compare(a.Run[:], b.Run[:]); c != 0 {
			return c
		}
		return int(a.Ordinal - b.Ordinal)
	})
	runs, ordinals := split(slices.Compact(list))
	return pg.All(ctx, tx, "note a second acceptance", pgx.RowToStructByPos[id.Message], sqlNoteSecond, ws, runs, ordinals)
}

package messages

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// Why a message is held, beside Meta's assessment of the first ones, which has no
// reason of its own.
const (
	PausedByMeta  = "paused"      // Meta took it and had paused the template meanwhile
	DroppedByMeta = "meta_132015" // Meta dropped it after bad feedback; a person may have it sent anew
)

// codePaused is Meta's word for it (132015, Template is Paused).
const codePaused = 132015

// drops tells a status that says Meta dropped what it had held. Only of a held
// message it means that: any other has failed (sqlApply).
func drops(t Told) bool {
	return State(t.Kind) == Failed && len(t.Errors) > 0 && t.Errors[0].Code == codePaused
}

func newHeard(of subject, drop bool) *heard {
	return &heard{subject: of, state: Accepted, at: map[State]time.Time{}, drop: drop}
}

const sqlNoteDropped = `
insert into message_attempt (workspace_id, run_id, ordinal, attempt, claim_token, outcome, meta_code)
select $1, m.run_id, m.ordinal, m.attempt, m.claim_token, 'dropped_by_meta', 132015
from unnest($2::uuid[], $3::int[]) as x(run_id, ordinal)
cross join lateral (
    select m.run_id, m.ordinal, m.attempt, m.claim_token
    from message m
    where m.run_id = x.run_id
      and m.ordinal = x.ordinal
      and m.workspace_id = $1
      and m.claim_token is not null) m`

// noteDropped keeps that Meta dropped requests it had accepted: what may be sent
// anew is not a second acceptance of them.
func noteDropped(ctx context.Context, tx pgx.Tx, ws id.Workspace, moved []movedRow) error {
	var list []id.Message
	for _, m := range moved {
		if m.Dropped {
			list = append(list, m.subject().message)
		}
	}
	if len(list) == 0 {
		return nil
	}
	runs, ordinals := split(list)
	if _, err := tx.Exec(ctx, sqlNoteDropped, ws, runs, ordinals); err != nil {
		return fmt.Errorf("note what Meta dropped: %w", err)
	}
	return nil
}

package consequences

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/consents"
	"bareed/internal/id"
)

// strikesMost is how many messages of which Meta says 131026, each within 30 days
// of the one before, suppress. One may be a phone that was new or off too long.
const strikesMost = 2

// sqlStrike counts a message once, however often it is told.
const sqlStrike = `
insert into strike (workspace_id, recipient_hash, run_id, ordinal, at)
values ($1, $2, $3, $4, $5)
on conflict (workspace_id, recipient_hash) do update
set n = case when strike.at > excluded.at - interval '30 days' then least(strike.n + 1, 32767) else 1 end,
    run_id = excluded.run_id,
    ordinal = excluded.ordinal,
    at = greatest(strike.at, excluded.at)
where (strike.run_id, strike.ordinal) <> (excluded.run_id, excluded.ordinal)
returning n`

const sqlNoStrikes = `
delete from strike
where workspace_id = $1
  and recipient_hash = any ($2)`

// strike counts who could not be reached, and suppresses whom a second message
// did not reach either, until they write. In one round trip.
func (d Desk) strike(ctx context.Context, tx pgx.Tx, ws id.Workspace, list []Failure) error {
	var out [][]byte
	b := &pgx.Batch{}
	for _, f := range list {
		b.Queue(sqlStrike, ws, f.Hash, f.Message.Run, f.Message.Ordinal, f.At).Query(func(rows pgx.Rows) error {
			n, err := pgx.CollectRows(rows, pgx.RowTo[int16])
			if len(n) == 1 && n[0] >= strikesMost {
				out = append(out, f.Hash)
			}
			return err
		})
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("count strikes: %w", err)
	}
	return consents.SuppressUnreachable(ctx, tx, d.Vault, ws, out, consents.Undeliverable)
}

// Package history tells which campaigns one person was in.
//
// web calls it for the page of a contact. It reads campaigns, runs and messages
// and changes none.
package history

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Part is one person's place in one run of a campaign. State and Reason are
// those of the message.
type Part struct {
	Campaign id.Campaign
	Name     string
	State    string
	Reason   string
	Run      id.Run
	At       time.Time // the message's last change
}

// The newest runs are found by the index of (contact, run), partition by partition.
const sqlOf = `
	select c.id, c.name, m.state, coalesce(m.reason, ''), m.run_id, m.updated_at
	from (
		select run_id, state, reason, updated_at
		from message
		where workspace_id = $1
		  and contact_id = $2
		order by run_id desc
		limit $3
	) m
	join run r on r.workspace_id = $1 and r.id = m.run_id
	join campaign c on c.workspace_id = $1 and c.id = r.campaign_id
	order by m.run_id desc`

// Of returns the last campaigns a contact was in, newest first; test sends and
// single messages are left out.
func Of(ctx context.Context, tx pgx.Tx, ws id.Workspace, contact id.Contact, limit int) ([]Part, error) {
	return pg.All(ctx, tx, "read the campaigns of a contact", pgx.RowToStructByPos[Part], sqlOf, ws, contact, limit)
}

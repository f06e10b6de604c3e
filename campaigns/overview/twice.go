package overview

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Twice is a campaign of which Meta accepted two requests for one message, which
// must not happen.
type Twice struct {
	Campaign id.Campaign // zero for messages outside of campaigns
	Name     string
	Messages int
	Since    time.Time // when the first was noticed
}

const sqlTwice = `
select r.campaign_id, coalesce(c.name, ''), count(distinct (a.run_id, a.ordinal))::int, min(a.at)
from message_attempt a
join run r on r.workspace_id = a.workspace_id and r.id = a.run_id
left join campaign c on c.workspace_id = r.workspace_id and c.id = r.campaign_id
where a.workspace_id = $1
  and a.outcome = 'second_acceptance'
  and a.at >= $2
group by r.campaign_id, c.name
order by 4`

// ListTwice lists them since a time.
func ListTwice(ctx context.Context, db pg.DB, ws id.Workspace, since time.Time) ([]Twice, error) {
	return pg.All(ctx, db, "list what was accepted twice", pgx.RowToStructByPos[Twice], sqlTwice, ws, since)
}

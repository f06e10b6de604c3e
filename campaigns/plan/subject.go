package plan

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

const sqlSubject = `
select number_id, template_id
from run
where workspace_id = $1
  and id = $2
  and state = 'planning'
  and planned = 0`

// Subject is the number and template of a run of which nobody is planned yet; ok is
// false for any other.
func Subject(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run) (number id.Number, template id.Template, ok bool, err error) {
	err = db.QueryRow(ctx, sqlSubject, ws, run).Scan(&number, &template)
	if errors.Is(err, pgx.ErrNoRows) {
		return number, template, false, nil
	}
	if err != nil {
		return number, template, false, fmt.Errorf("read the run's number: %w", err)
	}
	return number, template, true, nil
}

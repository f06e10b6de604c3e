package templates

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// sqlYoung: Meta begins to prepare a template anew when it is approved and when its
// content changes, so these count like being seen for the first time.
const sqlYoung = `
select coalesce(t.first_seen_at > bareed_now() - interval '10 minutes', false)
    or exists (
        select from meta_change c
        where c.workspace_id = $1
          and c.subject = $3
          and c.what in ('status', 'components')
          and c.at > bareed_now() - interval '10 minutes')
from template t
where t.workspace_id = $1
  and t.id = $2`

// Young tells whether Meta may still be preparing a template for the Marketing
// Messages API, which takes up to ten minutes (Meta, error 134101): it is new here,
// or was approved or changed as lately.
func Young(ctx context.Context, tx pgx.Tx, ws id.Workspace, template id.Template) (young bool, err error) {
	if err := tx.QueryRow(ctx, sqlYoung, ws, template, template.String()).Scan(&young); err != nil {
		return false, fmt.Errorf("read how old the template is: %w", err)
	}
	return young, nil
}

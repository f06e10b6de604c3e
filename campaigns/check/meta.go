package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/guard"
	"bareed/campaigns/preflight"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/numbers"
	"bareed/templates"
)

// ofMeta warns of what Meta changed in the template since the check, of what it
// announced, and of what it blocks or limits.
func (k *Check) ofMeta(n numbers.Number, t templates.Template, now time.Time) []Warning {
	var list []Warning
	add := func(code string, p errs.Params) { list = append(list, Warning{code, p}) }
	if k.Template != nil && len(k.Template.Differences) > 0 {
		add("campaign.warn_template_changed", errs.Params{"difference": guard.Told(k.Template.Differences)})
	}
	switch {
	case t.NextCategory == "" || t.NextCategory == t.Category:
	case t.NextCategoryAt != nil:
		add("campaign.warn_next_category", errs.Params{"category": t.NextCategory, "at": t.NextCategoryAt.UTC().Format("2006-01-02 15:04 UTC")})
	default:
		add("campaign.warn_next_category_soon", errs.Params{"category": t.NextCategory})
	}
	found, known := preflight.Findings(n, t, now)
	for _, f := range found {
		code, p := f.Warning()
		add(code, p)
	}
	if !known && k.State == "completed" {
		add("campaign.warn_health_unknown", nil)
	}
	return list
}

const sqlSubject = `
select c.number_id, c.template_id
from plan_check k
join campaign c on c.workspace_id = k.workspace_id and c.id = k.campaign_id
where k.workspace_id = $1
  and k.id = $2
  and k.state in ('waiting', 'running')
  and k.template is null`

// Subject is the number and template of a check that has not decided about anybody
// yet; ok is false for any other.
func Subject(ctx context.Context, db pg.DB, ws id.Workspace, check id.Check) (number id.Number, template id.Template, ok bool, err error) {
	err = db.QueryRow(ctx, sqlSubject, ws, check).Scan(&number, &template)
	if errors.Is(err, pgx.ErrNoRows) {
		return number, template, false, nil
	}
	if err != nil {
		return number, template, false, fmt.Errorf("read the check's number: %w", err)
	}
	return number, template, true, nil
}

// Package halts owns the stop on a whole business portfolio that no single code or
// change of Meta's calls for: messages that Meta had accepted are dropped (132015)
// of several templates within a day. One template's drop is that template's; those
// of several are Meta's word about the business, which then may send no template
// until a person has settled it.
//
// The worker calls Dropped in the transaction that applied the statuses; the
// scheduler looks for workspaces that share the portfolio, and calls Look for each.
// It must not know campaigns or HTTP.
package halts

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
	"bareed/whatsapp"
)

// Reason is the stop's.
const Reason = "templates_dropped"

// Several is from how many templates within 24 hours on the portfolio is stopped.
const Several = 2

// by is who opens it.
const by = "system:status"

// sqlNote keeps the templates of the runs; runs are few, whatever was dropped.
const sqlNote = `
insert into template_drop (workspace_id, template_id, portfolio_id, meta_template_id)
select distinct on (t.id) t.workspace_id, t.id, r.portfolio_id, t.meta_template_id
from run r
join template t on t.workspace_id = r.workspace_id and t.id = r.template_id
where r.workspace_id = $1
  and r.id = any ($2)
order by t.id
on conflict (workspace_id, template_id) do update
set dropped_at = bareed_now(), portfolio_id = excluded.portfolio_id
returning portfolio_id`

// Dropped notes of which templates Meta dropped messages, and stops the portfolio
// when there are several. It belongs in the transaction that applied the statuses
// and costs nothing when none of them says so.
func Dropped(ctx context.Context, tx pgx.Tx, ws id.Workspace, ended []messages.Ended) error {
	var runs []id.Run
	seen := map[id.Run]bool{}
	for _, e := range ended {
		if e.Code == whatsapp.CodeTemplatePaused && !seen[e.Message.Run] {
			seen[e.Message.Run] = true
			runs = append(runs, e.Message.Run)
		}
	}
	if len(runs) == 0 {
		return nil
	}
	portfolios, err := pg.All(ctx, tx, "note whose messages Meta dropped", pgx.RowTo[id.Portfolio], sqlNote, ws, runs)
	if err != nil {
		return err
	}
	looked := map[id.Portfolio]bool{}
	for _, p := range portfolios {
		if looked[p] {
			continue
		}
		looked[p] = true
		if err := Look(ctx, tx, ws, p); err != nil {
			return err
		}
	}
	return nil
}

// sqlDrops counts what came after a person last cleared the stop, and no more than
// a day back.
const sqlDrops = `
select portfolio_drops($2, greatest(bareed_now() - interval '24 hours', (
    select max(s.cleared_at)
    from stop s
    where s.workspace_id = $1
      and s.scope_id = $2
      and s.reason = $3)))`

// Look stops a portfolio in one workspace if Meta dropped messages of several
// templates of it, in whatever workspace. What a person cleared does not count
// again.
func Look(ctx context.Context, tx pgx.Tx, ws id.Workspace, portfolio id.Portfolio) error {
	var n int64
	if err := tx.QueryRow(ctx, sqlDrops, ws, portfolio, Reason).Scan(&n); err != nil {
		return fmt.Errorf("count the templates whose messages Meta dropped: %w", err)
	}
	if n < Several {
		return nil
	}
	code := whatsapp.CodeTemplatePaused
	_, err := messages.OpenStop(ctx, tx, ws, messages.Opening{Scope: messages.ScopePortfolio, ScopeID: portfolio, Reason: Reason, ByRule: true,
		Threshold: "≥ " + strconv.Itoa(Several) + " / 24 h", Measured: strconv.FormatInt(n, 10), Code: &code, By: by})
	return err
}

// Sharing is a workspace of a portfolio that has to be looked at.
type Sharing struct {
	Workspace id.Workspace
	Portfolio id.Portfolio
}

// sqlSharing: the drops of a day are few, and found by their time. A workspace
// whose stop is open, or was cleared after the last drop, need not be looked at.
const sqlSharing = `
with dropped as (
    select d.portfolio_id, max(d.dropped_at) as last
    from template_drop d
    where d.dropped_at > bareed_now() - interval '24 hours'
    group by d.portfolio_id
    having count(distinct d.meta_template_id) >= $1
)
select distinct w.workspace_id, w.portfolio_id
from dropped d
join waba w on w.portfolio_id = d.portfolio_id
where not exists (
    select from stop s
    where s.workspace_id = w.workspace_id
      and s.scope_id = w.portfolio_id
      and s.reason = $2
      and (s.cleared_at is null or s.cleared_at >= d.last))
order by 1, 2`

// ListSharing lists, as engine, the workspaces of portfolios of which Meta dropped
// messages of several templates within a day, and that may not be stopped yet: the
// statuses came to another workspace.
func ListSharing(ctx context.Context, engine pg.DB) ([]Sharing, error) {
	return pg.All(ctx, engine, "find who shares a portfolio that Meta judged", pgx.RowToStructByPos[Sharing], sqlSharing, Several, Reason)
}

package access

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/internal/id"
)

func (d *Desk) audit() {
	front.Add(d.Front, "GET /v1/audit", d.listAudit)
}

func (d *Desk) listAudit(ctx context.Context, a accounts.Actor, in *listInput) (*front.List[accounts.AuditEntry], error) {
	p, err := d.Page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	before, err := front.AfterID[id.Audit](p)
	if err != nil {
		return nil, err
	}
	var entries []accounts.AuditEntry
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		entries, err = accounts.ListAudit(ctx, tx, a.Workspace, before, p.Limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	return front.Listed(ctx, d.Front, a, p, entries, func(e accounts.AuditEntry) string { return e.ID.String() }), nil
}

package api

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/id"
)

func (s *Server) audit() {
	add(s, "GET /v1/audit", s.listAudit)
}

func (s *Server) listAudit(ctx context.Context, a accounts.Actor, in *listInput) (*list[accounts.AuditEntry], error) {
	p, err := s.page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	before, err := afterID[id.Audit](p)
	if err != nil {
		return nil, err
	}
	var entries []accounts.AuditEntry
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		entries, err = accounts.ListAudit(ctx, tx, a.Workspace, before, p.Limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, a, p, entries, func(e accounts.AuditEntry) string { return e.ID.String() }), nil
}

package api

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/id"
)

func (s *Server) keys() {
	add(s, "GET /v1/api-keys", s.listKeys)
	add(s, "POST /v1/api-keys", s.createKey)
	add(s, "DELETE /v1/api-keys/{key}", s.revokeKey)
}

type listInput struct {
	Paging
}

func (s *Server) listKeys(ctx context.Context, a accounts.Actor, in *listInput) (*list[accounts.Key], error) {
	p, err := s.page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	before, err := afterID[id.Key](p)
	if err != nil {
		return nil, err
	}
	var keys []accounts.Key
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		keys, err = accounts.ListKeys(ctx, tx, a.Workspace, before, p.Limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, a, p, keys, func(k accounts.Key) string { return k.ID.String() }), nil
}

type createKeyInput struct {
	Body accounts.KeyRequest
}

// newKey shows the secret, this once.
type newKey struct {
	accounts.Key
	Secret string `json:"secret" doc:"The key itself. It is not stored and cannot be shown again."`
}

func (s *Server) createKey(ctx context.Context, a accounts.Actor, in *createKeyInput) (*created[newKey], error) {
	out := &created[newKey]{}
	err := s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body.Key, out.Body.Secret, err = accounts.NewKey(ctx, tx, a, in.Body)
		return err
	})
	out.Location = "/v1/api-keys/" + out.Body.ID.String()
	return out, err
}

type keyInput struct {
	Key id.Key `path:"key"`
}

func (s *Server) revokeKey(ctx context.Context, a accounts.Actor, in *keyInput) (*empty, error) {
	return nil, s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		return accounts.RevokeKey(ctx, tx, a, in.Key)
	})
}

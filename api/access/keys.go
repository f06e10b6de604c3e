package access

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/internal/id"
)

func (d *Desk) keys() {
	front.Add(d.Front, "GET /v1/api-keys", d.listKeys)
	front.Add(d.Front, "POST /v1/api-keys", d.createKey)
	front.Add(d.Front, "DELETE /v1/api-keys/{key}", d.revokeKey)
}

type listInput struct {
	front.Paging
}

func (d *Desk) listKeys(ctx context.Context, a accounts.Actor, in *listInput) (*front.List[accounts.Key], error) {
	p, err := d.Page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	before, err := front.AfterID[id.Key](p)
	if err != nil {
		return nil, err
	}
	var keys []accounts.Key
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		keys, err = accounts.ListKeys(ctx, tx, a.Workspace, before, p.Limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	return front.Listed(ctx, d.Front, a, p, keys, func(k accounts.Key) string { return k.ID.String() }), nil
}

type createKeyInput struct {
	Body accounts.KeyRequest
}

// newKey shows the secret, this once.
type newKey struct {
	accounts.Key
	Secret string `json:"secret" doc:"The key itself. It is not stored and cannot be shown again."`
}

func (d *Desk) createKey(ctx context.Context, a accounts.Actor, in *createKeyInput) (*front.Created[newKey], error) {
	out := &front.Created[newKey]{}
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body.Key, out.Body.Secret, err = accounts.NewKey(ctx, tx, a, in.Body)
		return err
	})
	out.Location = "/v1/api-keys/" + out.Body.ID.String()
	return out, err
}

type keyInput struct {
	Key id.Key `path:"key"`
}

func (d *Desk) revokeKey(ctx context.Context, a accounts.Actor, in *keyInput) (*front.Empty, error) {
	return nil, d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		return accounts.RevokeKey(ctx, tx, a, in.Key)
	})
}

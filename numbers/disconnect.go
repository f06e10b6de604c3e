package numbers

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/seal"
	"bareed/whatsapp"
)

// sqlInUse finds a live run, or a campaign that will start one.
const sqlInUse = `
select campaign_id, id
from run
where workspace_id = $1
  and number_id = $2
  and state in ('planning', 'running', 'finishing')
union all
select id, null
from campaign
where workspace_id = $1
  and number_id = $2
  and state in ('scheduled', 'starting', 'running', 'finishing')
limit 1`

// user names what still needs the number; "" for nothing.
func user(ctx context.Context, tx pgx.Tx, ws id.Workspace, number id.Number) (string, error) {
	var campaign id.Campaign
	var run id.Run
	err := tx.QueryRow(ctx, sqlInUse, ws, number).Scan(&campaign, &run)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look for live runs of the number: %w", err)
	case campaign.IsZero():
		return run.String(), nil
	default:
		return campaign.String(), nil
	}
}

const sqlDisconnect = `
update number
set disconnected_at = bareed_now()
where workspace_id = $1
  and id = $2
  and disconnected_at is null
returning waba_id`

// sqlForgetToken: a WABA none of whose numbers is connected needs no token.
const sqlForgetToken = `
update waba w
set token = $3, token_hint = '', token_set_at = bareed_now()
where w.workspace_id = $1
  and w.id = $2
  and not exists (
    select from number n
    where n.workspace_id = w.workspace_id
      and n.waba_id = w.id
      and n.disconnected_at is null)`

// Disconnect ends the use of a number: nothing can be launched with it, its
// history stays, and late webhooks for it still count. resource.in_use while a
// live run or a scheduled campaign needs it.
func Disconnect(ctx context.Context, tx pgx.Tx, box *seal.Box, a accounts.Actor, number id.Number) error {
	var waba id.WABA
	err := tx.QueryRow(ctx, sqlDisconnect, a.Workspace, number).Scan(&waba)
	if errors.Is(err, pgx.ErrNoRows) {
		return errs.New("not_found")
	}
	if err != nil {
		return fmt.Errorf("disconnect the number: %w", err)
	}
	busy, err := user(ctx, tx, a.Workspace, number)
	if err != nil {
		return err
	}
	if busy != "" {
		return errs.New("resource.in_use", "name", number, "user", busy)
	}
	empty, err := box.Seal(nil, tokenPlace(waba))
	if err != nil {
		return fmt.Errorf("seal nothing in place of the token: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlForgetToken, a.Workspace, waba, empty); err != nil {
		return fmt.Errorf("forget the token: %w", err)
	}
	return accounts.Audit(ctx, tx, a, accounts.Deed{Action: "number.disconnected", Subject: number.String()})
}

const sqlSetToken = `
update waba
set token = $3, token_hint = $4, token_set_at = bareed_now(), sync_problem = ''
where workspace_id = $1
  and id = $2`

// SetToken replaces the token of the number's WABA, for all its numbers. The
// caller has asked Meta about it first; stops that the old token opened stay
// until a person resumes.
func SetToken(ctx context.Context, tx pgx.Tx, box *seal.Box, a accounts.Actor, n Number, token whatsapp.Token) error {
	sealed, err := box.Seal([]byte(token.Raw()), tokenPlace(n.WABA))
	if err != nil {
		return fmt.Errorf("seal the token: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlSetToken, a.Workspace, n.WABA, sealed, hint(token.Raw())); err != nil {
		return fmt.Errorf("set the token: %w", err)
	}
	return accounts.Audit(ctx, tx, a, accounts.Deed{
		Action: "number.token_rotated", Subject: n.ID.String(), Detail: map[string]any{"waba": n.WABA},
	})
}

const sqlAppSecret = `
select secret
from meta_app
where id = $1`

// Connection rebuilds what the number was connected with, a new token in place
// of the old one, so that it can be probed before it is kept.
func (n Number) Connection(ctx context.Context, tx pgx.Tx, system *seal.Box, token whatsapp.Token) (Connection, error) {
	var sealed []byte
	if err := tx.QueryRow(ctx, sqlAppSecret, n.App).Scan(&sealed); err != nil {
		return Connection{}, fmt.Errorf("read the app secret: %w", err)
	}
	plain, err := system.Open(sealed, appPlace("secret", n.App))
	if err != nil {
		return Connection{}, fmt.Errorf("open the app secret: %w", err)
	}
	return Connection{
		AppID: n.MetaAppID, AppSecret: string(plain), WABAID: n.MetaWABAID, PhoneNumberID: n.PhoneNumberID, Token: token,
	}, nil
}

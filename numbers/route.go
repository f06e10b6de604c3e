package numbers

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/seal"
)

// App is a Meta app as the webhook door needs it: the secrets that may have
// signed a body, newest first, and the token of the handshake.
type App struct {
	ID          id.App
	Secrets     []string
	VerifyToken string
}

const sqlAppByMeta = `
select id, secret, old_secret, verify_token
from meta_app
where meta_app_id = $1`

// FindApp reads the app of Meta's id, as engine; ok is false when there is none.
func FindApp(ctx context.Context, engine pg.DB, system *seal.Box, metaAppID string) (app App, ok bool, err error) {
	var secret, old, verify []byte
	err = engine.QueryRow(ctx, sqlAppByMeta, metaAppID).Scan(&app.ID, &secret, &old, &verify)
	if errors.Is(err, pgx.ErrNoRows) {
		return App{}, false, nil
	}
	if err != nil {
		return App{}, false, fmt.Errorf("read the app: %w", err)
	}
	for _, sealed := range [][]byte{secret, old} {
		if sealed == nil {
			continue
		}
		plain, err := system.Open(sealed, appPlace("secret", app.ID))
		if err != nil {
			return App{}, false, fmt.Errorf("open the app secret: %w", err)
		}
		app.Secrets = append(app.Secrets, string(plain))
	}
	plain, err := system.Open(verify, appPlace("verify_token", app.ID))
	if err != nil {
		return App{}, false, fmt.Errorf("open the verify token: %w", err)
	}
	app.VerifyToken = string(plain)
	return app, true, nil
}

// Route is where a webhook's change belongs. Number is set when it is about one.
type Route struct {
	Workspace id.Workspace
	WABA      id.WABA
	Portfolio id.Portfolio
	Number    id.Number
}

// sqlRouteNumber: a connected number before a disconnected one, because late
// statuses and opt-outs of a disconnected number still count. Only numbers of
// the app that signed: another app's signature proves nothing about ours.
const sqlRouteNumber = `
select distinct on (phone_number_id) phone_number_id, workspace_id, waba_id, portfolio_id, id
from number
where phone_number_id = any ($1)
  and app_id = $2
order by phone_number_id, disconnected_at desc nulls first`

// RouteNumbers finds the workspace of each of Meta's phone number ids, as engine.
func RouteNumbers(ctx context.Context, engine pg.DB, app id.App, phoneNumberIDs []string) (map[string]Route, error) {
	found := make(map[string]Route, len(phoneNumberIDs))
	if len(phoneNumberIDs) == 0 {
		return found, nil
	}
	rows, err := engine.Query(ctx, sqlRouteNumber, phoneNumberIDs, app)
	if err != nil {
		return nil, fmt.Errorf("find the numbers of a webhook: %w", err)
	}
	var key string
	var r Route
	_, err = pgx.ForEachRow(rows, []any{&key, &r.Workspace, &r.WABA, &r.Portfolio, &r.Number}, func() error {
		found[key] = r
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find the numbers of a webhook: %w", err)
	}
	return found, nil
}

// sqlRouteAccount: one of Meta's ids is a WABA's or a portfolio's; a WABA can be
// in several workspaces, a portfolio in even more.
const sqlRouteAccount = `
select meta_waba_id, workspace_id, id, portfolio_id
from waba
where meta_waba_id = any ($1)
  and app_id = $2
union all
select p.meta_business_id, w.workspace_id, w.id, w.portfolio_id
from portfolio p
join waba w on w.portfolio_id = p.id
where p.meta_business_id = any ($1)
  and w.app_id = $2
order by 2, 3`

// RouteAccounts finds every WABA that each of Meta's WABA or portfolio ids
// means, in all workspaces of the app, as engine.
func RouteAccounts(ctx context.Context, engine pg.DB, app id.App, metaIDs []string) (map[string][]Route, error) {
	found := make(map[string][]Route, len(metaIDs))
	if len(metaIDs) == 0 {
		return found, nil
	}
	rows, err := engine.Query(ctx, sqlRouteAccount, metaIDs, app)
	if err != nil {
		return nil, fmt.Errorf("find the accounts of a webhook: %w", err)
	}
	var key string
	var r Route
	_, err = pgx.ForEachRow(rows, []any{&key, &r.Workspace, &r.WABA, &r.Portfolio}, func() error {
		found[key] = append(found[key], r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find the accounts of a webhook: %w", err)
	}
	return found, nil
}

// Due is a WABA that is to be polled.
type Due struct {
	Workspace id.Workspace `db:"workspace_id"`
	WABA      id.WABA      `db:"id"`
}

// sqlDue: a WABA that is sending every ten seconds (two ticks of five, so eight
// are enough), because quality and status come by no webhook that can be relied
// on; the others every 15 minutes. One without a connected number has no token, and
// one whose budget of calls is used up waits (numbers/budget).
const sqlDue = `
select w.workspace_id, w.id
from waba w
where exists (
        select from number n
        where n.workspace_id = w.workspace_id
          and n.waba_id = w.id
          and n.disconnected_at is null)
  and not exists (
        select from meta_usage u
        where u.app_id = w.app_id
          and u.meta_waba_id in (w.meta_waba_id, '')
          and u.pause_until > bareed_now())
  and (w.polled_at is null
    or w.polled_at <= bareed_now() - interval '15 minutes'
    or (w.polled_at <= bareed_now() - interval '8 seconds'
        and exists (
            select from run r
            where r.workspace_id = w.workspace_id
              and r.waba_id = w.id
              and r.state in ('planning', 'running', 'finishing'))))
order by w.polled_at nulls first
limit $1`

// DuePolls lists the WABAs that are due for a poll, longest waiting first, as engine.
func DuePolls(ctx context.Context, engine pg.DB, limit int) ([]Due, error) {
	return pg.All(ctx, engine, "find the WABAs to poll", pgx.RowToStructByName[Due], sqlDue, limit)
}

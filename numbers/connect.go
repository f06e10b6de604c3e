package numbers

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/seal"
)

// Keys seal what a connection brings: the token with the workspace's key, the
// app's secrets with the installation's, because workspaces share an app.
type Keys struct {
	Workspace *seal.Box
	System    *seal.Box
}

// Made is a connection made: the number, and the webhook's verify token when it was made
// here, which is the only time it can be shown.
type Made struct {
	Number      Number
	VerifyToken string
}

// Check finds what Meta need not be asked about.
func (c Connection) Check() error {
	e := errs.New("invalid")
	for _, f := range []struct{ pointer, value string }{
		{"/app_id", c.AppID}, {"/waba_id", c.WABAID}, {"/phone_number_id", c.PhoneNumberID},
	} {
		if !metaID.MatchString(f.value) {
			e = e.At(f.pointer, "number.meta_id_invalid")
		}
	}
	for _, f := range []struct{ pointer, value string }{{"/app_secret", c.AppSecret}, {"/token", c.Token.Raw()}} {
		if len(f.value) > longestSecret || !secret.MatchString(f.value) {
			e = e.At(f.pointer, "number.secret_invalid")
		}
	}
	if len(c.VerifyToken) > 200 {
		e = e.At("/verify_token", "number.secret_invalid")
	}
	if len(e.Fields) > 0 {
		return e
	}
	return nil
}

var (
	metaID = regexp.MustCompile(`^[0-9]{1,32}$`)
	// secret: printable, without blanks, as tokens and app secrets are; a header
	// could not carry anything else. Its length is looked at apart: a state for each
	// of 1,000 letters would be compiled whenever a program starts.
	secret = regexp.MustCompile(`^[!-~]{8,}$`)
)

const longestSecret = 1000

// Connect keeps a connection that Meta has confirmed: portfolio, app, WABA and
// number, all in tx. A number that is connected anywhere already answers
// number.unavailable and never says where.
func Connect(ctx context.Context, tx pgx.Tx, k Keys, a accounts.Actor, c Connection, p Probed) (Made, error) {
	app, made, err := keepApp(ctx, tx, k.System, a.Workspace, c)
	if err != nil {
		return Made{}, err
	}
	portfolio, err := ensurePortfolio(ctx, tx, p.WABA.PortfolioID)
	if err != nil {
		return Made{}, err
	}
	waba, err := keepWABA(ctx, tx, k.Workspace, a.Workspace, app, portfolio, c, p)
	if err != nil {
		return Made{}, err
	}
	number, err := keepNumber(ctx, tx, a.Workspace, app, portfolio, waba, p)
	if err != nil {
		return Made{}, err
	}
	if err := learnFirst(ctx, tx, a.Workspace, portfolio, p); err != nil {
		return Made{}, err
	}
	deed := accounts.Deed{Action: "number.connected", Subject: number.String(), Detail: map[string]any{
		"waba": waba, "portfolio": portfolio, "app": app, "status": p.Number.Status, "quality": p.Number.Quality,
	}}
	if err := accounts.Audit(ctx, tx, a, deed); err != nil {
		return Made{}, err
	}
	n, err := Get(ctx, tx, a.Workspace, number)
	return Made{Number: n, VerifyToken: made}, err
}

// learnFirst takes the messaging limit from the probe, so that the first
// campaign need not wait for a poll.
func learnFirst(ctx context.Context, tx pgx.Tx, ws id.Workspace, portfolio id.Portfolio, p Probed) error {
	tier, ok := firstTier(p.Number.MessagingLimit, p.WABA.MessagingLimit)
	if !ok {
		return nil
	}
	changes, err := learnLimit(ctx, tx, portfolio, tier, false)
	if err != nil {
		return err
	}
	_, err = Record(ctx, tx, ws, FromPoll, changes)
	return err
}

func firstTier(names ...string) (Tier, bool) {
	for _, n := range names {
		if t, ok := ParseTier(n); ok {
			return t, true
		}
	}
	return Tier{}, false
}

const sqlApp = `
select id
from meta_app
where meta_app_id = $1
for update`

const sqlAddApp = `
insert into meta_app (id, organisation_id, meta_app_id, secret, verify_token)
select $2, w.organisation_id, $3, $4, $5
from workspace w
where w.workspace_id = $1`

const sqlTurnApp = `
update meta_app
set old_secret = case when $3 then secret else old_secret end,
    secret = case when $3 then $2 else secret end,
    verify_token = coalesce($4, verify_token)
where id = $1`

// keepApp makes or updates the organisation's row of a Meta app. A new secret
// moves the old one aside, where it still verifies webhooks; what stays is sealed
// anew when an older master key sealed it. made is the verify
// token when it was made here.
func keepApp(ctx context.Context, tx pgx.Tx, box *seal.Box, ws id.Workspace, c Connection) (app id.App, made string, err error) {
	err = tx.QueryRow(ctx, sqlApp, c.AppID).Scan(&app)
	if errors.Is(err, pgx.ErrNoRows) {
		return addApp(ctx, tx, box, ws, c)
	}
	if err != nil {
		return app, "", fmt.Errorf("read the app: %w", err)
	}
	if _, err := rewrapApp(ctx, tx, box, app); err != nil {
		return app, "", err
	}
	var sealed, verify []byte
	if err := tx.QueryRow(ctx, sqlAppSecret, app).Scan(&sealed); err != nil {
		return app, "", fmt.Errorf("read the app secret: %w", err)
	}
	before, err := box.Open(sealed, appPlace("secret", app))
	if err != nil {
		return app, "", fmt.Errorf("open the app secret: %w", err)
	}
	turned := string(before) != c.AppSecret
	if sealed, err = box.Seal([]byte(c.AppSecret), appPlace("secret", app)); err != nil {
		return app, "", fmt.Errorf("seal the app secret: %w", err)
	}
	if c.VerifyToken != "" {
		if verify, err = box.Seal([]byte(c.VerifyToken), appPlace("verify_token", app)); err != nil {
			return app, "", fmt.Errorf("seal the verify token: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, sqlTurnApp, app, sealed, turned, verify); err != nil {
		return app, "", fmt.Errorf("update the app: %w", err)
	}
	return app, "", nil
}

func addApp(ctx context.Context, tx pgx.Tx, box *seal.Box, ws id.Workspace, c Connection) (app id.App, made string, err error) {
	app = id.New[id.App]()
	verify := c.VerifyToken
	if verify == "" {
		verify = rand.Text()
		made = verify
	}
	sealed, err := box.Seal([]byte(c.AppSecret), appPlace("secret", app))
	if err != nil {
		return app, "", fmt.Errorf("seal the app secret: %w", err)
	}
	sealedVerify, err := box.Seal([]byte(verify), appPlace("verify_token", app))
	if err != nil {
		return app, "", fmt.Errorf("seal the verify token: %w", err)
	}
	_, err = tx.Exec(ctx, sqlAddApp, ws, app, c.AppID, sealed, sealedVerify)
	if pg.Violates(err, "meta_app_meta_app_id_key") {
		return app, "", errs.New("number.unavailable") // another organisation's app
	}
	if err != nil {
		return app, "", fmt.Errorf("add the app: %w", err)
	}
	return app, made, nil
}

// appPlace is the same for the old secret as for the secret: a rotation moves
// the sealed value between the columns without opening it.
func appPlace(column string, app id.App) string {
	return "meta_app." + column + "/" + uuid.UUID(app).String()
}

const sqlKeepWABA = `
insert into waba (workspace_id, id, meta_waba_id, portfolio_id, app_id, name, token, token_hint, review_status, currency)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (workspace_id, meta_waba_id) do update
set portfolio_id = excluded.portfolio_id,
    app_id = excluded.app_id,
    name = excluded.name,
    token = excluded.token,
    token_hint = excluded.token_hint,
    token_set_at = bareed_now(),
    review_status = excluded.review_status,
    currency = excluded.currency,
    sync_problem = ''`

const sqlWABAByMeta = `
select id
from waba
where workspace_id = $1
  and meta_waba_id = $2
for update`

func keepWABA(ctx context.Context, tx pgx.Tx, box *seal.Box, ws id.Workspace, app id.App, portfolio id.Portfolio, c Connection, p Probed) (id.WABA, error) {
	var waba id.WABA
	err := tx.QueryRow(ctx, sqlWABAByMeta, ws, c.WABAID).Scan(&waba)
	if errors.Is(err, pgx.ErrNoRows) {
		waba, err = id.New[id.WABA](), nil
	}
	if err != nil {
		return waba, fmt.Errorf("read the WABA: %w", err)
	}
	token, err := box.Seal([]byte(c.Token.Raw()), tokenPlace(waba))
	if err != nil {
		return waba, fmt.Errorf("seal the token: %w", err)
	}
	_, err = tx.Exec(ctx, sqlKeepWABA, ws, waba, c.WABAID, portfolio, app, p.WABA.Name, token, hint(c.Token.Raw()), p.WABA.ReviewStatus, p.WABA.Currency)
	if err != nil {
		return waba, fmt.Errorf("keep the WABA: %w", err)
	}
	return waba, nil
}

const sqlNumberByMeta = `
select id, disconnected_at is null
from number
where workspace_id = $1
  and phone_number_id = $2
order by disconnected_at is null desc, disconnected_at desc
limit 1
for update`

// sqlKeepNumber brings back a number that this workspace had before, so that
// its campaigns keep their number.
const sqlKeepNumber = `
insert into number (workspace_id, id, waba_id, portfolio_id, app_id, phone_number_id, display_phone,
    verified_name, quality, status, per_second, is_on_biz_app, health, synced_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, bareed_now())
on conflict (workspace_id, id) do update
set waba_id = excluded.waba_id,
    portfolio_id = excluded.portfolio_id,
    app_id = excluded.app_id,
    display_phone = excluded.display_phone,
    verified_name = excluded.verified_name,
    quality = excluded.quality,
    status = excluded.status,
    per_second = excluded.per_second,
    is_on_biz_app = excluded.is_on_biz_app,
    health = excluded.health,
    synced_at = excluded.synced_at,
    disconnected_at = null`

func keepNumber(ctx context.Context, tx pgx.Tx, ws id.Workspace, app id.App, portfolio id.Portfolio, waba id.WABA, p Probed) (id.Number, error) {
	var number id.Number
	var connected bool
	err := tx.QueryRow(ctx, sqlNumberByMeta, ws, p.Number.ID).Scan(&number, &connected)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		number = id.New[id.Number]()
	case err != nil:
		return number, fmt.Errorf("read the number: %w", err)
	case connected:
		return number, errs.New("number.already_connected", "number", number)
	}
	n, _ := diffNumber(Number{ID: number, PerSecond: standardPerSecond, Health: json.RawMessage("{}")}, p.Number)
	_, err = tx.Exec(ctx, sqlKeepNumber, ws, number, waba, portfolio, app, p.Number.ID, n.DisplayPhone, n.VerifiedName,
		orUnknown(n.Quality), orUnknown(n.Status), n.PerSecond, n.OnBizApp, n.Health)
	if pg.Violates(err, "number_phone_number_id") {
		return number, errs.New("number.unavailable")
	}
	if err != nil {
		return number, fmt.Errorf("keep the number: %w", err)
	}
	return number, nil
}

func orUnknown(s string) string {
	if s == "" {
		return "UNKNOWN"
	}
	return s
}

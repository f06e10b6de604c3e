// Package numbers owns what Meta knows of a business: its app, portfolio, WABA
// and sending numbers with their quality, status, limit and throughput, the
// sealed token, and the history of every change Meta told us.
//
// api connects and shows numbers and asks it where a webhook belongs, the worker
// applies polls, the scheduler asks what is due for one, messages and templates
// read. It must not know runs, messages or HTTP, and it opens no stops: callers
// turn the changes it returns into stops.
package numbers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/seal"
	"bareed/whatsapp"
)

// Connected is the only status in which a number may send.
const Connected = "CONNECTED"

// Messages a second that a number may send: Meta's default, its upgrade, and a
// number shared with the phone app.
const (
	standardPerSecond    = 80
	highPerSecond        = 1000
	coexistencePerSecond = 20
)

// Number is a sending number with what is known of its WABA. The token is not
// in it.
type Number struct {
	ID             id.Number       `db:"id"`
	WABA           id.WABA         `db:"waba_id"`
	Portfolio      id.Portfolio    `db:"portfolio_id"`
	App            id.App          `db:"app_id"`
	PhoneNumberID  string          `db:"phone_number_id"` // Meta's id of it
	DisplayPhone   string          `db:"display_phone"`
	VerifiedName   string          `db:"verified_name"`
	Quality        string          `db:"quality"` // GREEN, YELLOW, RED, UNKNOWN, NA
	Status         string          `db:"status"`  // only CONNECTED may send
	PerSecond      int             `db:"per_second"`
	OnBizApp       bool            `db:"is_on_biz_app"`
	Health         json.RawMessage `db:"health"` // HealthRow
	HealthAt       *time.Time      `db:"health_at"`
	EchoSeenAt     *time.Time      `db:"echo_seen_at"`
	SyncedAt       *time.Time      `db:"synced_at"`
	CreatedAt      time.Time       `db:"created_at"`
	DisconnectedAt *time.Time      `db:"disconnected_at"`
	MetaWABAID     string          `db:"meta_waba_id"`
	MetaAppID      string          `db:"meta_app_id"`
	TokenHint      string          `db:"token_hint"` // last four characters
	TokenSetAt     time.Time       `db:"token_set_at"`
	ReviewStatus   string          `db:"review_status"`
	SyncProblem    string          `db:"sync_problem"` // code of the last failed poll; "" when it worked
}

// CanSend tells whether Meta lets the number send at all.
func (n Number) CanSend() bool { return n.DisconnectedAt == nil && n.Status == Connected }

// Doubtful tells whether Meta rates the number medium or low: marketing then asks
// for a person's word, and bulk goes at half the rate.
func (n Number) Doubtful() bool { return n.Quality == "YELLOW" || n.Quality == "RED" }

// BulkPerSecond is how many messages a second campaigns may send.
func (n Number) BulkPerSecond() int {
	if n.Doubtful() {
		return max(1, n.PerSecond/2)
	}
	return n.PerSecond
}

const sqlGet = `
select n.id, n.waba_id, n.portfolio_id, n.app_id, n.phone_number_id, n.display_phone, n.verified_name,
    n.quality, n.status, n.per_second, n.is_on_biz_app, n.health, n.health_at, n.echo_seen_at, n.synced_at,
    n.created_at, n.disconnected_at, w.meta_waba_id, a.meta_app_id, w.token_hint, w.token_set_at,
    w.review_status, w.sync_problem
from number n
join waba w on w.workspace_id = n.workspace_id and w.id = n.waba_id
join meta_app a on a.id = n.app_id
where n.workspace_id = $1
  and ($2::uuid is null or n.id = $2)
  and ($2::uuid is not null or n.disconnected_at is null)
order by n.created_at, n.id`

// Get reads one number, connected or not; not_found when the workspace has none
// of that id.
func Get(ctx context.Context, db pg.DB, ws id.Workspace, number id.Number) (Number, error) {
	return pg.One(ctx, db, "read the number", pgx.RowToStructByName[Number], sqlGet, ws, number)
}

// List reads the workspace's connected numbers, oldest first.
func List(ctx context.Context, db pg.DB, ws id.Workspace) ([]Number, error) {
	return pg.All(ctx, db, "list numbers", pgx.RowToStructByName[Number], sqlGet, ws, nil)
}

func tokenPlace(w id.WABA) string { return "waba.token/" + uuid.UUID(w).String() }

const sqlToken = `
select token
from waba
where workspace_id = $1
  and id = $2`

// Token opens the access token of a WABA. number.not_connected when its numbers
// were disconnected, which forgets the token.
func Token(ctx context.Context, db pg.DB, box *seal.Box, ws id.Workspace, waba id.WABA) (whatsapp.Token, error) {
	var sealed []byte
	if err := db.QueryRow(ctx, sqlToken, ws, waba).Scan(&sealed); err != nil {
		if errors.Is(err, pgx.ErrNoRows) {
			return "", errs.New("not_found")
		}
		return "", fmt.Errorf("read the token: %w", err)
	}
	plain, err := box.Open(sealed, tokenPlace(waba))
	if err != nil {
		return "", fmt.Errorf("open the token: %w", err)
	}
	if len(plain) == 0 {
		return "", errs.New("number.not_connected")
	}
	return whatsapp.Token(plain), nil
}

// hint is what may be shown of a token: its last four characters, and none of a
// short one.
func hint(token string) string {
	if len(token) < 16 {
		return ""
	}
	return token[len(token)-4:]
}

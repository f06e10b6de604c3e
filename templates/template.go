// Package templates owns the mirror of Meta's message templates: their text,
// status, quality and category, what of them must be filled and how, and the
// hash by which a change of content is noticed.
//
// The worker writes the mirror from polls, api from webhooks; campaigns and
// messages read it and render with it. It must not know campaigns, runs or
// HTTP, and it opens no stops: callers turn the changes it returns into stops.
package templates

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/numbers"
)

// Approved is the only status in which a template may be sent.
const Approved = "APPROVED"

// Template is one language of a message template as Meta last described it.
type Template struct {
	ID              id.Template     `db:"id"`
	WABA            id.WABA         `db:"waba_id"`
	MetaID          string          `db:"meta_template_id"`
	Name            string          `db:"name"`
	Language        string          `db:"language"` // en_US, ar …: exactly the approved one
	Category        string          `db:"category"` // MARKETING, UTILITY, AUTHENTICATION
	Status          string          `db:"status"`   // only APPROVED may be sent
	Quality         string          `db:"quality"`  // GREEN, YELLOW, RED, UNKNOWN
	ParameterFormat string          `db:"parameter_format"`
	Components      json.RawMessage `db:"components"`      // Meta's JSON
	Hash            []byte          `db:"components_hash"` // empty: Meta changed the content and it is not read yet
	SyncedAt        time.Time       `db:"synced_at"`
	GoneAt          *time.Time      `db:"gone_at"`

	// What follows is of the moment and no part of what a campaign approves.
	NextCategory   string          `db:"next_category" json:"-"` // announced by Meta; "" for none
	NextCategoryAt *time.Time      `db:"next_category_at" json:"-"`
	Health         json.RawMessage `db:"health" json:"-"` // numbers.HealthRow
	HealthAt       *time.Time      `db:"health_at" json:"-"`
}

// CanSend answers template.not_sendable, naming the status, unless the template
// may be sent.
func (t Template) CanSend() error {
	if t.Status != Approved {
		return errs.New("template.not_sendable", "status", t.Status)
	}
	if parts := Unsupported(t); len(parts) > 0 {
		return errs.New("template.unsupported", "part", parts[0])
	}
	return nil
}

// Hash is the SHA-256 over the components in one spelling. Components that are
// not JSON have the hash of their bytes.
func Hash(components json.RawMessage) []byte {
	doc, err := canonical(components)
	if err != nil {
		doc = components
	}
	sum := sha256.Sum256(doc)
	return sum[:]
}

const sqlColumns = `
select id, waba_id, meta_template_id, name, language, category, status, quality, parameter_format,
    components, components_hash, synced_at, gone_at, next_category, next_category_at, health, health_at
from template
where workspace_id = $1`

const sqlGet = sqlColumns + `
  and id = $2`

// Get reads one template, also one that Meta no longer lists; not_found when
// the workspace has none of that id.
func Get(ctx context.Context, db pg.DB, ws id.Workspace, template id.Template) (Template, error) {
	t, ok, err := one(db.Query(ctx, sqlGet, ws, template))
	if err == nil && !ok {
		return Template{}, errs.New("not_found")
	}
	return t, err
}

func one(rows pgx.Rows, err error) (Template, bool, error) {
	if err != nil {
		return Template{}, false, fmt.Errorf("read the template: %w", err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Template])
	if errors.Is(err, pgx.ErrNoRows) {
		return Template{}, false, nil
	}
	if err != nil {
		return Template{}, false, fmt.Errorf("read the template: %w", err)
	}
	return t, true, nil
}

// Filter narrows a list; empty parts do not.
type Filter struct {
	WABA     id.WABA
	Number   id.Number // templates that this number can send
	Status   string
	Category string
	Language string
	Name     string // a part of the name
}

// sqlList pages by name, language and id, so that the languages of a template
// stand together.
const sqlList = sqlColumns + `
  and gone_at is null
  and ($2::uuid is null or waba_id = $2)
  and ($3::uuid is null or waba_id = (select n.waba_id from number n where n.workspace_id = $1 and n.id = $3))
  and ($4 = '' or status = upper($4))
  and ($5 = '' or category = upper($5))
  and ($6 = '' or language = $6)
  and ($7 = '' or strpos(name, lower($7)) > 0)
  and ($8::uuid is null or (name, language, id) > (select a.name, a.language, a.id from template a where a.workspace_id = $1 and a.id = $8))
order by name, language, id
limit $9`

// List reads at most limit templates that Meta lists, behind the one given.
func List(ctx context.Context, db pg.DB, ws id.Workspace, f Filter, after id.Template, limit int) ([]Template, error) {
	return pg.All(ctx, db, "list templates", pgx.RowToStructByName[Template], sqlList, ws, f.WABA, f.Number, f.Status, f.Category, f.Language, f.Name, after, limit)
}

// sqlStale looks at the listed template that was read longest ago: a webhook
// about new content puts it back to the beginning of time.
const sqlStale = `
select coalesce(min(synced_at) < bareed_now() - interval '1 minute', true)
from template
where workspace_id = $1
  and waba_id = $2
  and gone_at is null`

// Stale tells whether the mirror of a WABA is older than a minute: its templates
// can fill many pages, and most of their changes come by webhook.
func Stale(ctx context.Context, db pg.DB, ws id.Workspace, waba id.WABA) (bool, error) {
	var stale bool
	if err := db.QueryRow(ctx, sqlStale, ws, waba).Scan(&stale); err != nil {
		return false, fmt.Errorf("read the age of the templates: %w", err)
	}
	return stale, nil
}

const sqlForget = `
update template
set synced_at = 'epoch'
where workspace_id = $1
  and gone_at is null`

// Refresh makes the next poll read the templates again, and the poll due, and
// records who asked.
func Refresh(ctx context.Context, tx pgx.Tx, a accounts.Actor) error {
	if _, err := tx.Exec(ctx, sqlForget, a.Workspace); err != nil {
		return fmt.Errorf("forget the age of the templates: %w", err)
	}
	if err := numbers.PollSoon(ctx, tx, a.Workspace); err != nil {
		return err
	}
	return accounts.Audit(ctx, tx, a, accounts.Deed{Action: "templates.refreshed", Subject: a.Workspace.String()})
}

// set keeps a change of one field, unless Meta left it out or it is the same.
func set(changes *[]numbers.Change, t id.Template, what string, field *string, became string) {
	if became == "" || became == *field {
		return
	}
	*changes = append(*changes, numbers.OfTemplate(t, what, *field, became))
	*field = became
}

// Purpose is what a person must have agreed to: the category in small letters.
func (t Template) Purpose() string { return strings.ToLower(t.Category) }

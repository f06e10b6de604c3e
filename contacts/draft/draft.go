// Package draft keeps uploaded files until a person has said what their columns
// are and where their people agreed; then they become imports of contacts. A
// file is sealed like any upload and goes after a day.
//
// web calls it. It must not judge rows or consent: contacts does.
package draft

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Draft is a stored file with the answers given so far. Rows is zero when the
// file cannot be read without an answer.
type Draft struct {
	ID           id.Blob
	Audience     id.Audience
	AudienceName string
	File         string
	Size         int64
	Rows         int64
	Settings     contacts.Settings
	CreatedBy    string
	CreatedAt    time.Time
}

const sqlDrafts = `
	select d.id, d.audience_id, a.name, b.name, b.size, d.rows, d.settings, d.created_by, d.created_at
	from import_draft d
	join blob b on b.workspace_id = d.workspace_id and b.id = d.id
	join audience a on a.workspace_id = d.workspace_id and a.id = d.audience_id and a.deleted_at is null
	where d.workspace_id = $1
	  and d.audience_id = $2
	  and ($3::uuid is null or d.id = $3)
	order by d.id desc
	limit 20`

func scan(row pgx.CollectableRow) (Draft, error) {
	var d Draft
	var settings []byte
	err := row.Scan(&d.ID, &d.Audience, &d.AudienceName, &d.File, &d.Size, &d.Rows, &settings, &d.CreatedBy, &d.CreatedAt)
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(settings, &d.Settings)
}

// List returns an audience's drafts, newest first, at most 20.
func List(ctx context.Context, tx pgx.Tx, ws id.Workspace, audience id.Audience) ([]Draft, error) {
	return find(ctx, tx, ws, audience, id.Blob{})
}

func find(ctx context.Context, tx pgx.Tx, ws id.Workspace, audience id.Audience, file id.Blob) ([]Draft, error) {
	return pg.All(ctx, tx, "read drafts of imports", scan, sqlDrafts, ws, audience, file)
}

// Get finds one draft of an audience; not_found otherwise, also when its file
// is gone or an import was made of it.
func Get(ctx context.Context, tx pgx.Tx, ws id.Workspace, audience id.Audience, file id.Blob) (Draft, error) {
	if file.IsZero() || audience.IsZero() {
		return Draft{}, errs.New("not_found")
	}
	list, err := find(ctx, tx, ws, audience, file)
	if err == nil && len(list) == 0 {
		err = errs.New("not_found")
	}
	if err != nil {
		return Draft{}, err
	}
	return list[0], nil
}

const sqlSave = `
	update import_draft
	set settings = $3
	where workspace_id = $1
	  and id = $2`

// Save keeps the answers given so far.
func Save(ctx context.Context, tx pgx.Tx, d Draft, ws id.Workspace) error {
	settings, err := json.Marshal(d.Settings)
	if err != nil {
		return fmt.Errorf("write the answers: %w", err)
	}
	tag, err := tx.Exec(ctx, sqlSave, ws, d.ID, settings)
	if err != nil {
		return fmt.Errorf("keep the answers: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errs.New("not_found")
	}
	return nil
}

const sqlDiscard = `
	delete from blob b
	using import_draft d
	where b.workspace_id = $1
	  and b.id = $2
	  and d.workspace_id = b.workspace_id
	  and d.id = b.id`

// Discard removes a draft and its file.
func Discard(ctx context.Context, tx pgx.Tx, a accounts.Actor, d Draft) error {
	tag, err := tx.Exec(ctx, sqlDiscard, a.Workspace, d.ID)
	if err != nil {
		return fmt.Errorf("remove the file: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errs.New("not_found")
	}
	return accounts.Audit(ctx, tx, a, accounts.Deed{Action: "import.discarded", Subject: d.ID.String()})
}

const sqlOver = `
	delete from import_draft
	where workspace_id = $1
	  and id = $2`

// Start makes the import. Whatever is wrong leaves the draft as it is; a draft
// that was started in the meantime is not_found.
func Start(ctx context.Context, im *contacts.Importer, a accounts.Actor, d Draft, again bool) (contacts.Import, error) {
	u := contacts.Upload{Audience: d.Audience, Settings: d.Settings, Again: again}
	imp, err := im.AcceptStored(ctx, a, u, d.ID, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sqlOver, a.Workspace, d.ID)
		if err != nil {
			return fmt.Errorf("close the draft: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errs.New("not_found")
		}
		return nil
	})
	if e, ok := errs.As(err); ok && e.Code == "import.duplicate" && started(ctx, im, a, d) {
		return imp, errors.Join(errs.New("not_found"), err)
	}
	return imp, err
}

// started tells whether the same file is a duplicate because it is this one.
func started(ctx context.Context, im *contacts.Importer, a accounts.Actor, d Draft) bool {
	err := im.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		_, err := Get(ctx, tx, a.Workspace, d.Audience, d.ID)
		return err
	})
	return errs.Is(err, "not_found")
}

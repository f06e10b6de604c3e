package contacts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/contacts/csvfile"
	"bareed/contacts/spool"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/seal"
)

// Upload is one file on its way in.
type Upload struct {
	Audience id.Audience
	Settings Settings
	Name     string // as the uploader called it
	Body     io.Reader
	Again    bool // the same file into the same audience is meant
}

// Accept reads the whole upload once, in constant memory: it is sealed into
// pieces and read as a CSV at the same time, so that whatever is wrong with the
// file as a whole refuses it at once, at the byte where it shows. Nothing is
// kept of a refused file. What is accepted waits for Run.
func (im *Importer) Accept(ctx context.Context, a accounts.Actor, u Upload) (Import, error) {
	ru, box, err := im.prepare(ctx, a, u)
	if err != nil {
		return Import{}, err
	}
	sp, err := spool.New(ctx, im.Pool, box, a.Workspace, spool.SafeName(u.Name))
	if err != nil {
		return Import{}, err
	}
	imp, err := im.take(ctx, a, u, sp, ru)
	if err != nil {
		return Import{}, errors.Join(err, sp.Drop())
	}
	return imp, nil
}

// AcceptStored is Accept for a file that is stored already; nothing of it is
// removed when it is refused. with runs in the transaction that makes the import.
func (im *Importer) AcceptStored(ctx context.Context, a accounts.Actor, u Upload, file id.Blob, with func(tx pgx.Tx) error) (Import, error) {
	ru, box, err := im.prepare(ctx, a, u)
	if err != nil {
		return Import{}, err
	}
	detected, total, err := im.scan(spool.Open(ctx, im.Pool, box, a.Workspace, file), ru)
	if err != nil {
		return Import{}, err
	}
	return im.admit(ctx, a, u, Import{Settings: ru.Settings, Detected: detected, blob: file}, total, with)
}

// prepare judges what can be judged without the file.
func (im *Importer) prepare(ctx context.Context, a accounts.Actor, u Upload) (*rules, *seal.Box, error) {
	ru := &rules{Settings: u.Settings, now: im.Clock()}
	if err := ru.check(ru.now); err != nil {
		return nil, nil, err
	}
	err := im.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		if _, err := GetAudience(ctx, tx, a.Workspace, u.Audience); err != nil {
			return err
		}
		return ru.load(ctx, tx, a.Workspace)
	})
	if err != nil {
		return nil, nil, err
	}
	box, err := im.Vault.Box(ctx, a.Workspace)
	return ru, box, err
}

func (im *Importer) take(ctx context.Context, a accounts.Actor, u Upload, sp *spool.Writer, ru *rules) (Import, error) {
	body := spool.Limit(u.Body, im.Bounds().Bytes)
	src := io.TeeReader(body, sp)
	detected, total, err := im.scan(src, ru)
	if body.Fault != nil {
		return Import{}, body.Fault
	}
	if err != nil {
		return Import{}, err
	}
	if _, err := io.Copy(io.Discard, src); err != nil { // what follows the last record: nothing, as a rule
		return Import{}, err
	}
	if err := sp.Close(); err != nil {
		return Import{}, err
	}
	return im.admit(ctx, a, u, Import{Settings: ru.Settings, Detected: detected, blob: sp.Blob()}, total, func(pgx.Tx) error { return nil })
}

// admit makes the import of a stored file that was read to its end.
func (im *Importer) admit(ctx context.Context, a accounts.Actor, u Upload, imp Import, total int64, with func(tx pgx.Tx) error) (Import, error) {
	imp.ID, imp.Audience = id.New[id.Import](), u.Audience
	err := im.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		if err := im.create(ctx, tx, a, imp, total, u.Again); err != nil {
			return err
		}
		if err := with(tx); err != nil {
			return err
		}
		imp, err = GetImport(ctx, tx, a.Workspace, imp.ID)
		return err
	})
	return imp, err
}

// maxShown is how many faults the refusal of a strict file lists.
const maxShown = 20

// scan reads every record without keeping any. A strict file is judged row by
// row here, before anything of it is stored.
func (im *Importer) scan(src io.Reader, ru *rules) (csvfile.Detected, int64, error) {
	rs, err := csvfile.Open(src, ru.options())
	if err != nil {
		return csvfile.Detected{}, 0, err
	}
	if err := ru.settle(rs.Detected, ru.policy); err != nil {
		return csvfile.Detected{}, 0, err
	}
	ru.shown = rs.Shown()
	var faults []errs.Field
	var wrong int
	for {
		r, err := rs.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return csvfile.Detected{}, 0, err
		}
		if rs.Count() > im.Bounds().Rows {
			return csvfile.Detected{}, 0, errs.New("csv.too_many_rows", "limit", im.Bounds().Rows)
		}
		if !ru.Strict {
			continue
		}
		if _, rejects := ru.judge(r); len(rejects) > 0 {
			wrong++
			faults = appendFields(faults, rejects)
		}
	}
	if rs.Count() == 0 {
		return csvfile.Detected{}, 0, errs.New("csv.no_rows")
	}
	if wrong > 0 {
		refusal := errs.New("import.strict", "rejected", wrong, "rows", rs.Count())
		refusal.Fields = faults
		return csvfile.Detected{}, 0, refusal
	}
	return rs.Detected, rs.Count(), nil
}

func appendFields(fields []errs.Field, rejects []Reject) []errs.Field {
	for _, r := range rejects {
		if len(fields) < maxShown {
			fields = append(fields, errs.Field{Row: r.Row, Line: r.Line, Column: r.Column, Code: r.Code, Params: r.Params, Got: r.Got})
		}
	}
	return fields
}

const sqlPolicy = `
	select consent_policy
	from workspace
	where workspace_id = $1`

const sqlOwnNumbers = `
	select display_phone
	from number
	where workspace_id = $1
	  and disconnected_at is null`

func (ru *rules) load(ctx context.Context, tx pgx.Tx, ws id.Workspace) error {
	if err := tx.QueryRow(ctx, sqlPolicy, ws).Scan(&ru.policy); err != nil {
		return fmt.Errorf("read the consent policy: %w", err)
	}
	own, err := pg.All(ctx, tx, "read the workspace's numbers", pgx.RowTo[string], sqlOwnNumbers, ws)
	if err != nil {
		return err
	}
	ru.own = make(map[string]bool)
	for _, n := range own {
		if p, err := ParsePhone(n, ""); err == nil {
			ru.own[p.Key] = true
		}
	}
	return nil
}

const sqlSameFile = `
	select i.id
	from import i
	join blob b on b.workspace_id = i.workspace_id and b.id = i.blob_id
	where i.workspace_id = $1
	  and i.audience_id = $2
	  and i.state in ('waiting', 'running', 'completed')
	  and b.sha256 = (select f.sha256 from blob f where f.workspace_id = $1 and f.id = $3)
	order by i.id desc
	limit 1`

const sqlNewImport = `
	insert into import (workspace_id, id, audience_id, blob_id, settings, detected, created_by)
	values ($1, $2, $3, $4, $5, $6, $7)`

const sqlNewJob = `
	insert into job (workspace_id, id, kind, subject, total)
	values ($1, $2, 'import', $3, $4)`

func (im *Importer) create(ctx context.Context, tx pgx.Tx, a accounts.Actor, imp Import, total int64, again bool) error {
	ws := a.Workspace
	var same id.Import
	if _, err := lockAudience(ctx, tx, ws, imp.Audience); err != nil {
		return err
	}
	err := tx.QueryRow(ctx, sqlSameFile, ws, imp.Audience, imp.blob).Scan(&same)
	if err == nil && !again {
		return errs.New("import.duplicate", "import", same.String())
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("look for the same file: %w", err)
	}
	settings, err := json.Marshal(imp.Settings)
	if err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	detected, err := json.Marshal(imp.Detected)
	if err != nil {
		return fmt.Errorf("write what was detected: %w", err)
	}
	batch := &pgx.Batch{}
	batch.Queue(sqlNewImport, ws, imp.ID, imp.Audience, imp.blob, settings, detected, a.String())
	batch.Queue(sqlNewJob, ws, imp.Job(), imp.ID.String(), total)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("create the import: %w", err)
	}
	return accounts.Audit(ctx, tx, a, accounts.Deed{Action: "import.created", Subject: imp.ID.String(),
		Detail: map[string]any{"audience": imp.Audience, "rows": total, "covers": imp.Settings.Consent.Covers}})
}

package draft

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/contacts"
	"bareed/contacts/csvfile"
	"bareed/contacts/phonetext"
	"bareed/contacts/spool"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/seal"
)

// Stage stores an uploaded file, reading it once, and refuses what no answer
// can make an import: another format, a header that cannot be used, nothing
// below it. Nothing is kept of a refused file. A file that is not UTF-8 is taken
// for Windows-1256, which the person sees and may change.
func Stage(ctx context.Context, im *contacts.Importer, a accounts.Actor, u contacts.Upload) (Draft, error) {
	err := im.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		_, err := contacts.GetAudience(ctx, tx, a.Workspace, u.Audience)
		return err
	})
	if err != nil {
		return Draft{}, err
	}
	box, err := im.Vault.Box(ctx, a.Workspace)
	if err != nil {
		return Draft{}, err
	}
	sp, err := spool.New(ctx, im.Pool, box, a.Workspace, spool.SafeName(u.Name))
	if err != nil {
		return Draft{}, err
	}
	d := Draft{ID: sp.Blob(), Audience: u.Audience, Settings: u.Settings}
	if err := d.take(ctx, im, a, u.Body, sp, box); err != nil {
		return Draft{}, errors.Join(err, sp.Drop())
	}
	err = im.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		if err := d.insert(ctx, tx, a); err != nil {
			return err
		}
		d, err = Get(ctx, tx, a.Workspace, d.Audience, d.ID)
		return err
	})
	if err != nil {
		return Draft{}, errors.Join(err, sp.Drop())
	}
	return d, nil
}

// take stores the file to its end, whatever is in it, and reads it meanwhile.
func (d *Draft) take(ctx context.Context, im *contacts.Importer, a accounts.Actor, src io.Reader, sp *spool.Writer, box *seal.Box) error {
	body := spool.Limit(src, im.Bounds().Bytes)
	tee := io.TeeReader(body, sp)
	var err error
	d.Rows, err = d.count(tee, im)
	if body.Fault != nil {
		return body.Fault
	}
	if err != nil && !errs.Is(err, "csv.encoding") && !errs.Is(err, "csv.delimiter") {
		return err
	}
	if _, err := io.Copy(io.Discard, tee); err != nil {
		return err
	}
	if err := sp.Close(); err != nil {
		return err
	}
	if errs.Is(err, "csv.encoding") {
		d.Settings.Encoding = "windows-1256"
		d.Rows, err = d.count(spool.Open(ctx, im.Pool, box, a.Workspace, d.ID), im)
	}
	if errs.Is(err, "csv.delimiter") {
		return nil // the person chooses
	}
	return err
}

// count reads every record.
func (d *Draft) count(src io.Reader, im *contacts.Importer) (int64, error) {
	rs, err := csvfile.Open(src, d.options(true))
	if err != nil {
		return 0, err
	}
	for {
		_, err := rs.Next()
		switch {
		case err == io.EOF && rs.Count() == 0:
			return 0, errs.New("csv.no_rows")
		case err == io.EOF:
			return rs.Count(), nil
		case err != nil:
			return 0, err
		case rs.Count() > im.Bounds().Rows:
			return 0, errs.New("csv.too_many_rows", "limit", im.Bounds().Rows)
		}
	}
}

func (d *Draft) options(loose bool) csvfile.Options {
	s := d.Settings
	return csvfile.Options{Encoding: s.Encoding, Delimiter: s.Delimiter, Mapping: s.Mapping, IsPhone: phonetext.LooksLikePhone, Loose: loose}
}

const sqlInsert = `
	insert into import_draft (workspace_id, id, audience_id, settings, rows, created_by)
	values ($1, $2, $3, $4, $5, $6)`

// insert makes the draft and removes files that nobody came back to.
func (d *Draft) insert(ctx context.Context, tx pgx.Tx, a accounts.Actor) error {
	settings, err := json.Marshal(d.Settings)
	if err != nil {
		return fmt.Errorf("write the answers: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlInsert, a.Workspace, d.ID, d.Audience, settings, d.Rows, a.String()); err != nil {
		return fmt.Errorf("keep the file: %w", err)
	}
	err = accounts.Audit(ctx, tx, a, accounts.Deed{Action: "import.uploaded", Subject: d.ID.String(),
		Detail: map[string]any{"audience": d.Audience, "rows": d.Rows}})
	if err != nil {
		return err
	}
	return spool.Sweep(ctx, tx, a.Workspace)
}

// Table is what a file looks like, as its columns are read now.
type Table struct {
	csvfile.Detected
	Samples [][]string // of each column, from the first rows
}

// sampled is how many rows show what is in a column.
const sampled = 4

// Columns reads the beginning of the file.
func Columns(ctx context.Context, im *contacts.Importer, ws id.Workspace, d Draft) (Table, error) {
	box, err := im.Vault.Box(ctx, ws)
	if err != nil {
		return Table{}, err
	}
	rs, err := csvfile.Open(spool.Open(ctx, im.Pool, box, ws, d.ID), d.options(true))
	if err != nil {
		return Table{}, err
	}
	t := Table{Detected: rs.Detected, Samples: make([][]string, len(rs.Columns))}
	for range sampled {
		r, err := rs.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return t, err
		}
		for i := range rs.Columns {
			if v := r.Attributes[csvfile.Place(i)]; v != "" {
				t.Samples[i] = append(t.Samples[i], v)
			}
		}
	}
	return t, nil
}

// Preview is what an import would make of the beginning of the file.
type Preview struct {
	Rows     int64 // read
	Whole    bool  // that was the file
	Rejected int64
	OptedIn  int64
	Reasons  []Reason
	First    []contacts.Looked
	Rejects  []contacts.Reject
}

// Reason is why rows would be rejected, and how many values.
type Reason struct {
	Code   string
	Params errs.Params
	Count  int64
}

// The sizes of a preview.
const (
	previewRows  = 20_000
	previewShown = 8
)

// Look reads the first 20,000 rows as the answers say.
func Look(ctx context.Context, im *contacts.Importer, a accounts.Actor, d Draft) (Preview, error) {
	var p Preview
	at := map[string]int{}
	whole, err := im.Look(ctx, a, contacts.Upload{Audience: d.Audience, Settings: d.Settings}, d.ID, previewRows, func(l contacts.Looked) {
		p.Rows++
		if l.OptIn && len(l.Rejects) == 0 {
			p.OptedIn++
		}
		if len(p.First) < previewShown && len(l.Rejects) == 0 {
			p.First = append(p.First, l)
		}
		if len(l.Rejects) > 0 {
			p.Rejected++
		}
		for _, r := range l.Rejects {
			i, ok := at[r.Code]
			if !ok {
				i = len(p.Reasons)
				at[r.Code], p.Reasons = i, append(p.Reasons, Reason{Code: r.Code, Params: r.Params})
			}
			p.Reasons[i].Count++
			if len(p.Rejects) < previewShown {
				p.Rejects = append(p.Rejects, r)
			}
		}
	})
	p.Whole = whole
	return p, err
}

// Check refuses answers that no row could be imported by.
func Check(ctx context.Context, im *contacts.Importer, a accounts.Actor, d Draft) error {
	_, err := im.Look(ctx, a, contacts.Upload{Audience: d.Audience, Settings: d.Settings}, d.ID, 0, nil)
	return err
}

package contacts

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/contacts/csvfile"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/seal"
)

func rejectPlace(imp id.Import, row int64, column string) string {
	return "import_reject.raw/" + uuid.UUID(imp).String() + "." + strconv.FormatInt(row, 10) + "." + column
}

// unknownPerson is the row of a person that an update-only import does not know.
func (r *run) unknownPerson(p person) Reject {
	return Reject{Row: p.row, Line: p.line, Column: r.shown[csvfile.ColumnPhone], Code: "import.unknown_person",
		Got: errs.MaskPhone(p.phone.E164), raw: p.phone.E164}
}

const sqlListRejects = `
	select row, line, col, code, params, got, raw
	from import_reject
	where workspace_id = $1
	  and import_id = $2
	  and (row, col) > ($3, $4)
	order by row, col
	limit $5`

// ListRejects returns the rejected values behind a row and column, in the order
// of the file. The API shows the first 1,000; RejectsCSV has them all.
func ListRejects(ctx context.Context, tx pgx.Tx, ws id.Workspace, imp id.Import, row int64, column string, limit int) ([]Reject, error) {
	return pg.All(ctx, tx, "list rejected rows", func(row pgx.CollectableRow) (Reject, error) {
		var r Reject
		var raw []byte
		err := row.Scan(&r.Row, &r.Line, &r.Column, &r.Code, &r.Params, &r.Got, &raw)
		r.raw = string(raw) // still sealed
		return r, err
	}, sqlListRejects, ws, imp, row, column, limit)
}

// RejectsCSV writes every rejected value of an import as a CSV file (UTF-8 with
// mark, RFC 4180) with the value as it was uploaded, page by page. language is
// that of the sentences. Whoever calls has checked that the caller may see
// whole phone numbers.
func (im *Importer) RejectsCSV(ctx context.Context, ws id.Workspace, imp id.Import, language string, w io.Writer) error {
	box, err := im.Vault.Box(ctx, ws)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write([]string{"row", "line", "column", "code", "message", "value"}); err != nil {
		return err
	}
	var row int64 = -1
	var column string
	for {
		var page []Reject
		err := im.Pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error {
			var err error
			page, err = ListRejects(ctx, tx, ws, imp, row, column, 5000)
			return err
		})
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			if err := out.Write(r.cells(box, imp, language)); err != nil {
				return err
			}
		}
		row, column = page[len(page)-1].Row, page[len(page)-1].Column
	}
	out.Flush()
	return out.Error()
}

func (r Reject) cells(box *seal.Box, imp id.Import, language string) []string {
	value := r.Got
	if r.raw != "" {
		if plain, err := box.Open([]byte(r.raw), rejectPlace(imp, r.Row, r.Column)); err == nil {
			value = string(plain)
		}
	}
	return []string{strconv.FormatInt(r.Row, 10), strconv.FormatInt(r.Line, 10), GuardCell(r.Column), r.Code,
		errs.Sentence(language, r.Code, r.Params), GuardCell(value)}
}

// GuardCell makes a cell of a CSV file harmless to a spreadsheet that would
// take it for a formula (OWASP, CSV injection). A plain phone number stays.
func GuardCell(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r\x00", rune(s[0])) {
		return s
	}
	if s[0] == '+' && len(s) > 1 && strings.Trim(s[1:], "0123456789") == "" {
		return s[1:]
	}
	return "'" + s
}

const sqlRejects = `
	insert into import_reject (workspace_id, import_id, row, line, col, code, params, got, raw)
	select $1, $2, r.row, r.line, r.col, r.code, r.params, r.got, r.raw
	from unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::jsonb[], $8::text[], $9::bytea[])
		as r (row, line, col, code, params, got, raw)
	on conflict (workspace_id, import_id, row, col) do nothing`

func (r *run) writeRejects(ctx context.Context, tx pgx.Tx, rejects []Reject) error {
	if len(rejects) == 0 {
		return nil
	}
	n := len(rejects)
	row, line := make([]int64, n), make([]int64, n)
	col, code, params, got := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	raw := make([][]byte, n)
	for i, x := range rejects {
		p, err := json.Marshal(x.Params)
		if err != nil {
			return fmt.Errorf("write a rejected row: %w", err)
		}
		row[i], line[i], col[i], code[i], got[i], params[i] = x.Row, x.Line, x.Column, x.Code, x.Got, string(p)
		if x.Params == nil {
			params[i] = "{}"
		}
		if x.raw == "" {
			continue
		}
		if raw[i], err = r.box.Seal([]byte(x.raw), rejectPlace(r.imp.ID, x.Row, x.Column)); err != nil {
			return fmt.Errorf("seal a rejected value: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, sqlRejects, r.ws, r.imp.ID, row, line, col, code, params, got, raw); err != nil {
		return fmt.Errorf("write rejected rows: %w", err)
	}
	return nil
}

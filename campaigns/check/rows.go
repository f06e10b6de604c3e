package check

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Row is one person's fate in a check.
type Row struct {
	ContactID id.Contact
	Name      string
	Phone     string // masked unless revealed
	Reason    string // empty: eligible
}

const sqlCheckState = `
select k.state,
    k.id = (
        select newest.id
        from plan_check newest
        where newest.workspace_id = $1
          and newest.campaign_id = $2
          and newest.state = 'completed'
        order by newest.id desc
        limit 1)
from plan_check k
join campaign c on c.workspace_id = k.workspace_id and c.id = k.campaign_id
where k.workspace_id = $1
  and k.campaign_id = $2
  and k.id = $3
  and c.deleted_at is null`

// HasRows tells whether the rows of a check can be read: check.not_completed
// before its end, check.replaced when a newer one took its place.
func HasRows(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, check id.Check) error {
	var state string
	var newest *bool
	err := db.QueryRow(ctx, sqlCheckState, ws, campaign, check).Scan(&state, &newest)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return errs.New("not_found")
	case err != nil:
		return fmt.Errorf("read the check: %w", err)
	case state != "completed":
		return errs.New("check.not_completed", "state", state)
	case newest == nil || !*newest:
		return errs.New("check.replaced")
	}
	return nil
}

const sqlReadCheckRows = `
select r.contact_id, c.name, coalesce((
        select i.value
        from identity i
        where i.workspace_id = $1
          and i.contact_id = r.contact_id
          and i.kind = 'phone'
        order by i.last_seen desc, i.key
        limit 1), ''),
    coalesce(r.reason, '')
from plan_check_row r
join contact c on c.workspace_id = r.workspace_id and c.id = r.contact_id
where r.workspace_id = $1
  and r.check_id = $2
  and r.contact_id > $3
  and ($4 = '' or coalesce(r.reason, 'eligible') = $4)
order by r.contact_id
limit $5`

// Rows reads those after a contact, of one reason ("eligible" for those
// without) or of all.
func Rows(ctx context.Context, db pg.DB, ws id.Workspace, check id.Check, reason string, after id.Contact, limit int, reveal bool) ([]Row, error) {
	return pg.All(ctx, db, "read the check's rows", func(row pgx.CollectableRow) (Row, error) {
		var r Row
		err := row.Scan(&r.ContactID, &r.Name, &r.Phone, &r.Reason)
		if !reveal {
			r.Phone = errs.MaskPhone(r.Phone)
		}
		return r, err
	}, sqlReadCheckRows, ws, check, [16]byte(after), reason, limit)
}

// WriteCSV writes rows as a file, page by page, so that a million of them need
// no memory and no long transaction; page reads those after a contact.
func WriteCSV(to io.Writer, page func(after id.Contact) ([]Row, error)) error {
	w := csv.NewWriter(to)
	if err := w.Write([]string{"contact_id", "name", "phone", "reason"}); err != nil {
		return err
	}
	for after := (id.Contact{}); ; {
		rows, err := page(after)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := w.Write([]string{r.ContactID.String(), PlainCell(r.Name), r.Phone, r.Reason}); err != nil {
				return err
			}
			after = r.ContactID
		}
		w.Flush()
		if err := w.Error(); err != nil || len(rows) == 0 {
			return err
		}
	}
}

// PlainCell keeps a spreadsheet from taking a name for a formula (OWASP, "CSV
// injection"). A phone begins with + by its form and holds only digits.
func PlainCell(s string) string {
	if strings.ContainsAny(s[:min(1, len(s))], "=+-@\t\r") {
		return "'" + s
	}
	return s
}

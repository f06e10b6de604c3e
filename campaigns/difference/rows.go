package difference

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/check"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/whatsapp/codes"
)

// page is how many people one statement looks at, whether they differ or not: what
// it costs depends neither on the run's size nor on how many are looked for.
const page = 5000

// Want chooses whose rows are read.
type Want struct {
	AtCheck string // empty: all
	InRun   string // empty: all
	Reveal  bool   // the caller may see whole phone numbers
}

// Row is one person who differs.
type Row struct {
	ContactID      id.Contact
	Name           string
	Phone          string // masked unless revealed
	AtCheck, InRun string
}

// Place is how far the rows are read; the zero Place is before the first.
type Place struct {
	contact id.Contact // the last one of the check
	ordinal int32      // then the last of those who have a message and were not checked
	joined  bool       // the check's own are through
	Over    bool       // there are no more
}

// person is what both statements find: name and phone only of those wanted.
const person = `
left join lateral (
    select c.name, (
        select i.value
        from identity i
        where i.workspace_id = $1
          and i.contact_id = c.id
          and i.kind = 'phone'
        order by i.last_seen desc, i.key
        limit 1) as phone
    from contact c
    where c.workspace_id = $1
      and c.id = k.contact_id
      and k.wanted
    offset 0) p on true`

// sqlChecked goes through the check's people and asks for each one's message by
// its key. What a subquery works out it does once for each, and stays one
// (offset 0): a plain join would read the run whole where statistics are old.
const sqlChecked = `
select k.contact_id, k.at_check, k.in_run, k.wanted, coalesce(p.name, ''), coalesce(p.phone, '')
from (
    select r.contact_id, r.fate as at_check, x.fate as in_run,
        not (r.fate = x.fate or r.fate = 'eligible' and x.fate = 'accepted')
            and ($7 = '' or r.fate = $7)
            and ($8 = '' or x.fate = $8) as wanted
    from (
        select r.contact_id, coalesce(r.reason, 'eligible') as fate
        from plan_check_row r
        where r.workspace_id = $1
          and r.check_id = $2
          and r.contact_id > $4
        order by r.contact_id
        limit $5) r
    cross join lateral (
        select coalesce((
            select` + fate + `
            from message m
            where m.contact_id = r.contact_id
              and m.run_id = $3
              and m.workspace_id = $1), $6) as fate
        offset 0) x
    offset 0) k` + person + `
order by k.contact_id`

// sqlJoined goes through the run's messages and asks for each one's row in the
// check, by its key as well.
const sqlJoined = `
select k.ordinal, k.contact_id, k.in_run, k.wanted, coalesce(p.name, ''), coalesce(p.phone, '')
from (
    select m.ordinal, m.contact_id, m.fate as in_run,
        x.checked is null and ($6 = '' or m.fate = $6) as wanted
    from (
        select m.ordinal, m.contact_id,` + fate + ` as fate
        from message m
        where m.workspace_id = $1
          and m.run_id = $3
          and m.ordinal > $4
        order by m.ordinal
        limit $5) m
    cross join lateral (
        select (
            select true
            from plan_check_row r
            where r.workspace_id = $1
              and r.check_id = $2
              and r.contact_id = m.contact_id) as checked
        offset 0) x
    offset 0) k` + person + `
order by k.ordinal`

// Next reads the rows among the people behind a place: those of the check by
// contact, then those who joined since in the order of sending. There may be none
// although the walk is not over.
func (p Pair) Next(ctx context.Context, db pg.DB, ws id.Workspace, want Want, at Place) ([]Row, Place, error) {
	if !at.joined && want.AtCheck == NotThere {
		at.joined = true
	}
	if at.joined && (want.AtCheck != "" && want.AtCheck != NotThere || want.InRun == NotThere) {
		at.Over = true
	}
	switch {
	case at.Over:
		return nil, at, nil
	case at.joined:
		return p.joined(ctx, db, ws, want, at)
	}
	return p.checked(ctx, db, ws, want, at)
}

func (p Pair) checked(ctx context.Context, db pg.DB, ws id.Workspace, want Want, at Place) ([]Row, Place, error) {
	rows, err := db.Query(ctx, sqlChecked, ws, p.Check, p.Run, [16]byte(at.contact), p.page, p.unplanned, want.AtCheck, want.InRun)
	if err != nil {
		return nil, at, fmt.Errorf("read the check's people: %w", err)
	}
	var list []Row
	var r Row
	var wanted bool
	seen := 0
	_, err = pgx.ForEachRow(rows, []any{&r.ContactID, &r.AtCheck, &r.InRun, &wanted, &r.Name, &r.Phone}, func() error {
		seen, at.contact = seen+1, r.ContactID
		list = want.keep(list, r, wanted)
		return nil
	})
	if err != nil {
		return nil, at, fmt.Errorf("read the check's people: %w", err)
	}
	at.joined = seen < p.page
	return list, at, nil
}

func (p Pair) joined(ctx context.Context, db pg.DB, ws id.Workspace, want Want, at Place) ([]Row, Place, error) {
	rows, err := db.Query(ctx, sqlJoined, ws, p.Check, p.Run, at.ordinal, p.page, want.InRun)
	if err != nil {
		return nil, at, fmt.Errorf("read the run's people: %w", err)
	}
	var list []Row
	r := Row{AtCheck: NotThere}
	var wanted bool
	seen := 0
	_, err = pgx.ForEachRow(rows, []any{&at.ordinal, &r.ContactID, &r.InRun, &wanted, &r.Name, &r.Phone}, func() error {
		seen++
		list = want.keep(list, r, wanted)
		return nil
	})
	if err != nil {
		return nil, at, fmt.Errorf("read the run's people: %w", err)
	}
	at.Over = seen < p.page
	return list, at, nil
}

func (w Want) keep(list []Row, r Row, wanted bool) []Row {
	if !wanted {
		return list
	}
	if !w.Reveal {
		r.Phone = errs.MaskPhone(r.Phone)
	}
	return append(list, r)
}

// WriteCSV writes rows as a file, page by page, so that a million of them need no
// memory and no long transaction; next reads those behind a place.
func WriteCSV(to io.Writer, next func(at Place) ([]Row, Place, error)) error {
	w := csv.NewWriter(to)
	if err := w.Write([]string{"contact_id", "name", "phone", "at_check", "in_run", "code"}); err != nil {
		return err
	}
	for at := (Place{}); !at.Over; {
		rows, then, err := next(at)
		if err != nil {
			return err
		}
		for _, r := range rows {
			code := ""
			if n, ok := codes.OfReason(r.InRun); ok {
				code = strconv.Itoa(n)
			}
			if err := w.Write([]string{r.ContactID.String(), check.PlainCell(r.Name), r.Phone, r.AtCheck, r.InRun, code}); err != nil {
				return err
			}
		}
		at = then
		w.Flush()
		if err := w.Error(); err != nil {
			return err
		}
	}
	return nil
}

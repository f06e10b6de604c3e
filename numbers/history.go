package numbers

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Past is one line of the history of a number, template, WABA or portfolio.
type Past struct {
	ID      uuid.UUID  `db:"id" json:"-"`
	Subject string     `db:"subject" json:"subject" doc:"What changed: num_…, tpl_…, waba_…, pf_…"`
	What    string     `db:"what" json:"what" doc:"quality, status, messaging_limit, throughput …"`
	Was     string     `db:"was" json:"was"`
	Became  string     `db:"became" json:"became"`
	Source  string     `db:"source" json:"source" doc:"poll or webhook"`
	At      time.Time  `db:"at" json:"at"`
	Until   *time.Time `db:"until" json:"until,omitempty" doc:"A restriction's end; when an announced category comes"`
}

// Of chooses lines of the history.
type Of struct {
	Subjects []string  // num_…, tpl_…, waba_…, pf_…; none: everything of the workspace
	What     string    // one kind of change; "": all
	Before   uuid.UUID // older than this line; zero: from the newest
	Limit    int
}

// sqlHistoryOf reads at most the limit of each subject, by the index
// meta_change_subject, so that a long history costs no more than a short one.
// Lines of a kind are found among the newest thousand of their subject.
const (
	sqlHistoryOf = `
select h.id, h.subject, h.what, h.was, h.became, h.source, h.at, h.until
from (select distinct u as subject from unnest($2::text[]) as u) s
cross join lateral (
    select c.id, c.subject, c.what, c.was, c.became, c.source, c.at, c.until
    from (
        select m.id, m.subject, m.what, m.was, m.became, m.source, m.at, m.until
        from meta_change m
        where m.workspace_id = $1
          and m.subject = s.subject
          and m.id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        order by m.id desc
        limit case when $4 = '' then $5 else 1000 end) c
    where ($4 = '' or c.what = $4)
    order by c.id desc
    limit $5) h
order by h.id desc
limit $5`

	sqlHistoryAll = `
select c.id, c.subject, c.what, c.was, c.became, c.source, c.at, c.until
from meta_change c
where c.workspace_id = $1
  and c.id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
order by c.id desc
limit $3`
)

// HistoryOf lists what Meta changed, newest first, at most o.Limit lines. Without
// subjects What is not looked at.
func HistoryOf(ctx context.Context, db pg.DB, ws id.Workspace, o Of) ([]Past, error) {
	var before *uuid.UUID
	if o.Before != uuid.Nil {
		before = &o.Before
	}
	var rows pgx.Rows
	var err error
	if len(o.Subjects) == 0 {
		rows, err = db.Query(ctx, sqlHistoryAll, ws, before, o.Limit)
	} else {
		rows, err = db.Query(ctx, sqlHistoryOf, ws, o.Subjects, before, o.What, o.Limit)
	}
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Past])
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	return list, nil
}

// History lists what Meta changed of the subjects (num_…, waba_…), newest first.
func History(ctx context.Context, tx pgx.Tx, ws id.Workspace, limit int, subjects ...string) ([]Past, error) {
	return HistoryOf(ctx, tx, ws, Of{Subjects: subjects, Limit: limit})
}

// Package behind notices a database that has lost what it had committed: a
// restored backup, a standby that took over and lagged, an older copy of its
// files. The ledger alone cannot: to such a database everything it has forgotten
// has never happened, and what was sent since is ready to be sent.
//
// So its leader raises a number in PostgreSQL several times a second and repeats
// it in Redis once it is committed. Redis is never ahead, but after a loss. Then
// the claim refuses (messages.Known), the leader holds every workspace, and what
// was handed over and may have left becomes unknown: nothing sends it again by
// itself. An emptied or older Redis says less and raises nothing, and no clock
// is asked.
//
// scheduler raises, compares and holds, worker watches. The rows are here, what
// stands in Redis is read and written by queue; neither knows the other.
package behind

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/pg"
	"bareed/messages"
)

// Mark is how far a database has come.
type Mark struct {
	Installation uuid.UUID // made when a scheduler first leads; a copy keeps it
	N            int64     // only rises, by 1 and by 1 again
	At           time.Time // for people; nothing is decided by it but what was put off until later
}

// Ahead tells whether the mark seen in Redis proves that the database lost
// commits: it names the same installation and a later number. One of another
// installation says nothing.
func (seen Mark) Ahead(of Mark) bool {
	return seen.N > of.N && seen.Installation == of.Installation
}

// String is the mark as it stands in Redis.
func (m Mark) String() string {
	return fmt.Sprintf("%s %d %d", m.Installation, m.N, m.At.UnixMilli())
}

// Parse reads what String wrote. Anything else is the zero Mark, which is ahead
// of nothing.
func Parse(s string) Mark {
	f := strings.Fields(s)
	if len(f) != 3 {
		return Mark{}
	}
	installation, err := uuid.Parse(f[0])
	n, errN := strconv.ParseInt(f[1], 10, 64)
	ms, errAt := strconv.ParseInt(f[2], 10, 64)
	if errors.Join(err, errN, errAt) != nil || n <= 0 {
		return Mark{}
	}
	return Mark{Installation: installation, N: n, At: time.UnixMilli(ms).UTC()}
}

// Known is the mark as the claim asks for it.
func (m Mark) Known() messages.Known { return messages.Known{Installation: m.Installation, N: m.N} }

const sqlRead = `
select installation, n, at
from high_water`

// Read returns how far the database has come, as engine or app; the zero Mark
// when nobody ever led. Read Redis before it: what stands there then was
// committed before.
func Read(ctx context.Context, db pg.DB) (Mark, error) {
	return scan(db.QueryRow(ctx, sqlRead), "read how far the database has come")
}

// sqlRaise makes the first mark too. It may be asked to leave a number behind it.
const sqlRaise = `
insert into high_water (n, at)
values ($1::bigint + 1, bareed_now())
on conflict (one) do update
set n = greatest(high_water.n, $1) + 1, at = excluded.at
returning installation, n, at`

// Raise raises the mark, as engine, and above the one given. Tell Redis only
// when it is committed.
func Raise(ctx context.Context, db pg.DB, above Mark) (Mark, error) {
	return scan(db.QueryRow(ctx, sqlRaise, above.N), "raise how far the database has come")
}

func scan(row pgx.Row, action string) (m Mark, err error) {
	err = row.Scan((*[16]byte)(&m.Installation), &m.N, &m.At)
	if errors.Is(err, pgx.ErrNoRows) {
		return Mark{}, nil
	}
	if err != nil {
		return Mark{}, fmt.Errorf("%s: %w", action, err)
	}
	m.At = m.At.UTC()
	return m, nil
}

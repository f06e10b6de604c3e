package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/pg"
)

// Leader is whether a scheduler leads, in whichever process.
type Leader struct {
	Held  bool
	Since *time.Time // when it began to lead
	Beat  *time.Time // when it last asked whether its session lives, once a second
}

// sqlLeader finds the session lock: a key of one bigint has its low half in
// objid and objsubid 1 (PostgreSQL, view pg_locks). The row says nothing while
// nobody holds the lock: it is the last leader's.
const sqlLeader = `
select s.since, s.beat
from pg_locks l
left join scheduler_leader s on true
where l.locktype = 'advisory'
  and l.granted
  and l.classid = 0
  and l.objid = $1::bigint::oid
  and l.objsubid = 1
  and l.database = (select d.oid from pg_database d where d.datname = current_database())`

// ReadLeader tells whether a scheduler leads, in whichever process.
func ReadLeader(ctx context.Context, engine pg.DB) (Leader, error) {
	var l Leader
	err := engine.QueryRow(ctx, sqlLeader, int64(leaderLock)).Scan(&l.Since, &l.Beat)
	if errors.Is(err, pgx.ErrNoRows) {
		return l, nil
	}
	if err != nil {
		return l, fmt.Errorf("look for the leader: %w", err)
	}
	l.Held = true
	return l, nil
}

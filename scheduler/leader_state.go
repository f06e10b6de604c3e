package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/pg"
)

// Leader is who holds the lock, as any process sees it. The times are nil where
// the database does not tell them to this login.
type Leader struct {
	Held  bool
	Since *time.Time // when its session began
	Beat  *time.Time // when it last asked whether the session lives, once a second
}

// sqlLeader finds the session lock: a key of one bigint has its low half in
// objid and objsubid 1 (PostgreSQL, view pg_locks).
const sqlLeader = `
select a.backend_start, a.state_change
from pg_locks l
left join pg_stat_activity a on a.pid = l.pid
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

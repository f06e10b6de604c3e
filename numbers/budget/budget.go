// Package budget owns how many of Meta's management calls are used: reads of
// accounts, numbers and templates, counted per app and WABA as Meta counts them
// (5,000 an hour for a WABA with a registered number, 200 without), and when it is
// better to ask nothing for a while.
//
// The worker reports every poll and asks before it asks Meta; numbers.DuePolls
// leaves out who waits; the operator's page lists it. It works as engine, because
// one WABA can be in several workspaces, and must not know any workspace.
package budget

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Calls in an hour that Meta permits, from its rate limits for the Business
// Management API.
const (
	Registered   = 5000 // for a WABA with a registered number
	Unregistered = 200
)

// tooManyOfApp is Meta's code for the whole app's calls; 80007 is an account's.
const tooManyOfApp = 4

// Account is whose budget it is: a WABA's as one app reads it.
type Account struct {
	App      id.App
	MetaWABA string // "": the app's own
}

// Spent is what a poll cost.
type Spent struct {
	Calls      int
	Percent    int // share of the budget by Meta's headers; 0 when they said nothing
	Registered bool
	Refused    int           // 80007 or 4; 0 when Meta answered
	Wait       time.Duration // until access is regained, when Meta said so
}

// Usage is how an account's budget stands.
type Usage struct {
	App        id.App     `db:"app_id"`
	MetaWABA   string     `db:"meta_waba_id"`
	Hour       time.Time  `db:"hour"`
	Calls      int        `db:"calls"`  // in that hour
	Before     int        `db:"before"` // in the hour before it
	Budget     int        `db:"budget"`
	Percent    int        `db:"percent"` // by Meta's own header
	PercentAt  *time.Time `db:"percent_at"`
	Refusals   int        `db:"refusals"` // in a row
	Refused    *int       `db:"refused_code"`
	RefusedAt  *time.Time `db:"refused_at"`
	PauseUntil *time.Time `db:"pause_until"`
}

// Used is about how many calls fall into the last 60 minutes: those of this
// hour, and of the hour before the part of it that still counts.
func (u Usage) Used(now time.Time) int {
	hour := now.Truncate(time.Hour)
	switch {
	case u.Hour.Equal(hour):
		return u.Calls + share(u.Before, now)
	case u.Hour.Equal(hour.Add(-time.Hour)):
		return share(u.Calls, now)
	}
	return 0
}

// share is the part of an hour's calls that is not an hour old yet, if they were
// made evenly, rounded up.
func share(calls int, now time.Time) int {
	left := now.Truncate(time.Hour).Add(time.Hour).Sub(now)
	return int((time.Duration(calls)*left + time.Hour - 1) / time.Hour)
}

// When polls slow down, by the share of the budget that is used.
const (
	slowAt  = 80 // one poll a minute at most
	restAt  = 90 // one in ten minutes
	slow    = time.Minute
	rest    = 10 * time.Minute
	longest = time.Hour // without a word of Meta's
)

// spend counts and says until when nothing is to be asked.
func (u *Usage) spend(s Spent, now time.Time) {
	hour := now.Truncate(time.Hour)
	switch {
	case u.Hour.Equal(hour):
	case u.Hour.Equal(hour.Add(-time.Hour)):
		u.Before, u.Calls = u.Calls, 0
	default:
		u.Before, u.Calls = 0, 0
	}
	u.Hour = hour
	u.Calls += s.Calls
	if s.Percent > 0 {
		u.Percent, u.PercentAt = s.Percent, &now
	}
	if s.Refused == 0 {
		u.Refusals = 0
		u.Budget = Unregistered
		if s.Registered {
			u.Budget = Registered
		}
	} else {
		u.Refusals = min(u.Refusals+1, 20)
		u.Refused, u.RefusedAt = &s.Refused, &now
	}
	if pause := u.pause(s, now); pause > 0 {
		until := now.Add(pause)
		u.PauseUntil = &until
	}
}

// pause is how long to ask nothing: what Meta says, and twice as long for every
// refusal in a row; less when the budget is merely near its end.
func (u *Usage) pause(s Spent, now time.Time) time.Duration {
	if s.Refused != 0 {
		backoff := time.Minute << (min(u.Refusals, 10) - 1)
		return max(s.Wait, min(backoff, longest))
	}
	used := s.Percent
	if u.Budget > 0 {
		used = max(used, u.Used(now)*100/u.Budget)
	}
	switch {
	case used >= restAt:
		return rest
	case used >= slowAt:
		return slow
	}
	return 0
}

const sqlPaused = `
select max(pause_until)
from meta_usage
where app_id = $1
  and meta_waba_id in ($2, '')
  and pause_until > bareed_now()`

// Paused tells until when nothing is to be asked of the account; nil: now is fine.
func Paused(ctx context.Context, engine pg.DB, a Account) (until *time.Time, err error) {
	if err := engine.QueryRow(ctx, sqlPaused, a.App, a.MetaWABA).Scan(&until); err != nil {
		return nil, fmt.Errorf("look at the budget of calls: %w", err)
	}
	return until, nil
}

const (
	sqlBegin = `
insert into meta_usage (app_id, meta_waba_id, hour, budget)
values ($1, $2, date_trunc('hour', bareed_now(), 'UTC'), $3)
on conflict (app_id, meta_waba_id) do nothing`

	sqlLock = `
select app_id, meta_waba_id, hour, calls, before, budget, percent, percent_at, refusals, refused_code, refused_at, pause_until
from meta_usage
where app_id = $1
  and meta_waba_id = $2
for update`

	sqlKeep = `
update meta_usage
set hour = $3, calls = $4, before = $5, budget = $6, percent = $7, percent_at = $8, refusals = $9,
    refused_code = $10, refused_at = $11, pause_until = $12
where app_id = $1
  and meta_waba_id = $2`
)

// Spend counts what a poll cost and returns how the budget stands. A refusal of the
// whole app (code 4) makes every account of it wait.
func Spend(ctx context.Context, tx pgx.Tx, a Account, s Spent) (Usage, error) {
	if s.Refused == tooManyOfApp && a.MetaWABA != "" {
		if _, err := Spend(ctx, tx, Account{App: a.App}, Spent{Refused: s.Refused, Wait: s.Wait}); err != nil {
			return Usage{}, err
		}
	}
	now, err := pg.Now(ctx, tx)
	if err != nil {
		return Usage{}, err
	}
	if _, err := tx.Exec(ctx, sqlBegin, a.App, a.MetaWABA, Unregistered); err != nil {
		return Usage{}, fmt.Errorf("begin to count calls: %w", err)
	}
	rows, err := tx.Query(ctx, sqlLock, a.App, a.MetaWABA)
	if err != nil {
		return Usage{}, fmt.Errorf("read the budget of calls: %w", err)
	}
	u, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Usage])
	if err != nil {
		return u, fmt.Errorf("read the budget of calls: %w", err)
	}
	u.Hour = u.Hour.UTC()
	u.spend(s, now.UTC())
	_, err = tx.Exec(ctx, sqlKeep, a.App, a.MetaWABA, u.Hour, u.Calls, u.Before, u.Budget, u.Percent, u.PercentAt, u.Refusals,
		u.Refused, u.RefusedAt, u.PauseUntil)
	if err != nil {
		return u, fmt.Errorf("count calls: %w", err)
	}
	return u, nil
}

const sqlList = `
select app_id, meta_waba_id, hour, calls, before, budget, percent, percent_at, refusals, refused_code, refused_at, pause_until
from meta_usage
order by hour desc, calls desc
limit $1`

// List is what was asked of late, most first.
func List(ctx context.Context, engine pg.DB, limit int) ([]Usage, error) {
	return pg.All(ctx, engine, "list the budgets of calls", pgx.RowToStructByName[Usage], sqlList, limit)
}

// Package consequences owns what a code of Meta's comes to beyond its message:
// for the person (an opt-out, a strike, a block, a day of rest, a window that is
// closed), for the people of a country, and for a run of which one message after
// another fails. Which code has which is the error table's (whatsapp/codes).
//
// The worker calls it in the transaction that records the answer or the status,
// the webhook door when a person writes. Stops that one code opens alone are not
// here: messages opens them. It must not know campaigns or HTTP.
package consequences

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/consents"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/numbers"
	"bareed/whatsapp/codes"
)

// Failure is a message that has ended with a code of Meta's, in an answer or in
// a status.
type Failure struct {
	Message id.Message
	Contact id.Contact
	Number  id.Number
	Hash    []byte // keyed, of the recipient
	Code    int
	At      time.Time // zero: now, by the database's clock
}

// Desk carries consequences out.
type Desk struct {
	Vault *accounts.Vault
	Log   *slog.Logger
}

// Any tells whether a code comes to anything for the person.
func Any(code int) bool { return codes.Classify(code).Person != "" }

// ForPeople does what the codes of failures come to for the people. Messages that
// are told twice change nothing twice. By is the actor of opt-outs.
func (d Desk) ForPeople(ctx context.Context, tx pgx.Tx, ws id.Workspace, by string, list []Failure) error {
	now, of, err := d.sort(ctx, tx, list)
	if err != nil || len(of) == 0 {
		return err
	}
	for _, step := range []struct {
		person codes.Person
		do     func(context.Context, pgx.Tx, id.Workspace, []Failure) error
	}{
		{codes.OptOut, func(ctx context.Context, tx pgx.Tx, ws id.Workspace, list []Failure) error {
			return d.optOut(ctx, tx, ws, by, now, list)
		}},
		{codes.Undeliverable, d.strike},
		{codes.Blocked, d.block},
		{codes.CoolOff, coolOff},
		{codes.Window, closeWindows},
		{codes.Country, refuseCountry},
	} {
		if len(of[step.person]) == 0 {
			continue
		}
		if err := step.do(ctx, tx, ws, of[step.person]); err != nil {
			return err
		}
	}
	return nil
}

// sort puts failures to what they come to, in the order in which everybody locks,
// and gives those without a time the database's: this machine's clock may be ahead.
func (d Desk) sort(ctx context.Context, tx pgx.Tx, list []Failure) (now time.Time, of map[codes.Person][]Failure, err error) {
	of = map[codes.Person][]Failure{}
	for _, f := range list {
		if p := codes.Classify(f.Code).Person; p != "" && f.Code != 0 {
			of[p] = append(of[p], f)
		}
	}
	if len(of) == 0 {
		return now, nil, nil
	}
	if now, err = pg.Now(ctx, tx); err != nil {
		return now, nil, err
	}
	for _, l := range of {
		slices.SortFunc(l, func(a, b Failure) int { return bytes.Compare(a.Hash, b.Hash) })
		for i := range l {
			if l[i].At.IsZero() || l[i].At.After(now) {
				l[i].At = now
			}
		}
	}
	return now, of, nil
}

const sqlMayBeMessaged = `
select granted
from permission
where workspace_id = $1
  and contact_id = $2
  and purpose = 'marketing'`

// optOut keeps the refusal that error 131050 means. A status of it was recorded by
// the webhook door when it came, if it named the person; then there is nothing
// left to refuse. Under a savepoint each: what is refused about one person (erased
// meanwhile) must not take the others with it.
func (d Desk) optOut(ctx context.Context, tx pgx.Tx, ws id.Workspace, by string, now time.Time, list []Failure) error {
	for _, f := range list {
		var granted bool
		err := tx.QueryRow(ctx, sqlMayBeMessaged, ws, f.Contact).Scan(&granted)
		if err == nil && !granted {
			continue
		}
		if err != nil && err != pgx.ErrNoRows {
			return fmt.Errorf("read the permission: %w", err)
		}
		err = pgx.BeginFunc(ctx, tx, func(point pgx.Tx) error {
			return consents.OptOut(ctx, point, d.Vault, ws, consents.OptOutRequest{Contact: f.Contact, Purposes: []consents.Purpose{consents.Marketing},
				Method: consents.MethodMeta131050, Source: f.Message.String(), OccurredAt: f.At, Actor: by})
		})
		if _, refused := errs.As(err); refused || pg.Unfit(err) {
			d.Log.Warn("keep an opt-out that Meta reports", "message", f.Message, "error", err)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d Desk) block(ctx context.Context, tx pgx.Tx, ws id.Workspace, list []Failure) error {
	return consents.SuppressUnreachable(ctx, tx, d.Vault, ws, hashes(list), consents.BlockedAtMeta)
}

// coolOff notes until when Meta wants no more marketing for these people.
func coolOff(ctx context.Context, tx pgx.Tx, ws id.Workspace, list []Failure) error {
	return consents.LeaveAlone(ctx, tx, ws, hashes(list), times(list))
}

func closeWindows(ctx context.Context, tx pgx.Tx, ws id.Workspace, list []Failure) error {
	of := map[id.Number][]numbers.Window{}
	for _, f := range list {
		of[f.Number] = append(of[f.Number], numbers.Window{Recipient: f.Hash, WrittenAt: f.At})
	}
	for number, windows := range of {
		if err := numbers.CloseWindows(ctx, tx, ws, number, windows); err != nil {
			return err
		}
	}
	return nil
}

// Wrote is for people who wrote: they are on WhatsApp and not blocked. What they
// agreed to or refused is not touched.
func Wrote(ctx context.Context, tx pgx.Tx, ws id.Workspace, hashes [][]byte) error {
	if len(hashes) == 0 {
		return nil
	}
	slices.SortFunc(hashes, bytes.Compare)
	if _, err := tx.Exec(ctx, sqlNoStrikes, ws, hashes); err != nil {
		return fmt.Errorf("forget strikes: %w", err)
	}
	return consents.Reachable(ctx, tx, ws, hashes)
}

func hashes(list []Failure) [][]byte {
	all := make([][]byte, len(list))
	for i, f := range list {
		all[i] = f.Hash
	}
	return all
}

func times(list []Failure) []time.Time {
	all := make([]time.Time, len(list))
	for i, f := range list {
		all[i] = f.At
	}
	return all
}

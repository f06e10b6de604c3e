// Package onboarding owns what Meta says of an account's two ways for marketing:
// whether it is set up for the Marketing Messages API, and whether its Cloud API
// still takes marketing templates.
//
// The worker applies what a poll and a preflight learn; campaigns/transport decides
// by it, api and web show it. Setting an account up means to accept Meta's terms,
// which only a person of the business does, in WhatsApp Manager: nothing here asks
// Meta for it.
package onboarding

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/numbers"
	"bareed/whatsapp"
)

// What a change of an account's set-up is about, as its history names it.
const (
	Marketing      = "marketing_messages" // ONBOARDED, ELIGIBLE, PENDING_…, INELIGIBLE_…
	CloudMarketing = "cloud_marketing"    // on, off
)

// onboarded is Meta's word for an account that can use the Marketing Messages API.
const onboarded = "ONBOARDED"

// Account is what Meta said last.
type Account struct {
	Status   string // marketing_messages_onboarding_status; empty: not told
	CloudOff bool   // the Cloud API refuses marketing templates (131063)
}

// Known tells whether Meta said anything about the set-up.
func (a Account) Known() bool { return a.Status != "" }

// Ready tells whether the account can use the Marketing Messages API.
func (a Account) Ready() bool { return a.Status == onboarded }

// Ineligible tells whether Meta does not offer it to the account at all.
func (a Account) Ineligible() bool { return strings.HasPrefix(a.Status, "INELIGIBLE") }

// Signed tells whether news say that the business accepted Meta's terms for the
// Marketing Messages API (account_update MM_LITE_TERMS_SIGNED): the account is then
// worth reading again at once.
func Signed(news []numbers.Change) bool {
	return slices.ContainsFunc(news, func(c numbers.Change) bool { return c.What == numbers.Alert && c.Became == "MM_LITE_TERMS_SIGNED" })
}

// Cloud is on while the Cloud API takes marketing templates, else off.
func (a Account) Cloud() string {
	if a.CloudOff {
		return "off"
	}
	return "on"
}

const sqlAccount = `
select marketing_status, cloud_marketing_off
from waba
where workspace_id = $1
  and id = $2`

// Get reads an account; not_found for one the workspace does not have.
func Get(ctx context.Context, db pg.DB, ws id.Workspace, waba id.WABA) (Account, error) {
	return read(ctx, db, sqlAccount, ws, waba)
}

func read(ctx context.Context, db pg.DB, sql string, ws id.Workspace, waba id.WABA) (a Account, err error) {
	err = db.QueryRow(ctx, sql, ws, waba).Scan(&a.Status, &a.CloudOff)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, errs.New("not_found")
	}
	if err != nil {
		return a, fmt.Errorf("read the account's set-up: %w", err)
	}
	return a, nil
}

const sqlLock = sqlAccount + `
for update`

const sqlKeep = `
update waba
set marketing_status = $3, cloud_marketing_off = $4
where workspace_id = $1
  and id = $2`

// Apply keeps what Meta said of an account, with every difference in its history,
// and returns the differences. What Meta left out stays as it was; what it says for
// the first time is no change.
func Apply(ctx context.Context, tx pgx.Tx, ws id.Workspace, waba id.WABA, told whatsapp.WABA) ([]numbers.Change, error) {
	was, err := read(ctx, tx, sqlLock, ws, waba)
	if err != nil {
		return nil, err
	}
	is := was
	var changes []numbers.Change
	if status := strings.ToUpper(told.MarketingStatus); status != "" && status != was.Status {
		is.Status = status
		if was.Known() {
			changes = append(changes, numbers.OfWABA(waba, Marketing, was.Status, status))
		}
	}
	if told.CloudMarketing != nil && *told.CloudMarketing == was.CloudOff {
		is.CloudOff = !was.CloudOff
		changes = append(changes, numbers.OfWABA(waba, CloudMarketing, was.Cloud(), is.Cloud()))
	}
	if is == was {
		return nil, nil
	}
	if _, err := tx.Exec(ctx, sqlKeep, ws, waba, is.Status, is.CloudOff); err != nil {
		return nil, fmt.Errorf("keep the account's set-up: %w", err)
	}
	return numbers.Record(ctx, tx, ws, numbers.FromPoll, changes)
}

package numbers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// What a Change is about. Quality, Status and Health mean what Meta's fields of
// that name mean, on a number, a template (quality, status) or a WABA and a
// portfolio (health).
const (
	Quality       = "quality"         // number, template: GREEN, YELLOW, RED, UNKNOWN
	Status        = "status"          // number: CONNECTED …; template: APPROVED …; both: NOT_LISTED
	Health        = "health"          // number, waba, portfolio: AVAILABLE, LIMITED, BLOCKED
	Limit         = "messaging_limit" // portfolio: people in 24 hours, unlimited, unknown
	Throughput    = "throughput"      // number: messages a second
	VerifiedName  = "verified_name"   // number
	NameDecision  = "name_decision"   // number: APPROVED, REJECTED …
	Review        = "review_status"   // waba: APPROVED, REJECTED, PENDING, DEFERRED
	Account       = "account"         // waba: ACCOUNT_DELETED, PARTNER_REMOVED, ACCOUNT_OFFBOARDED …
	Ban           = "ban"             // waba: SCHEDULE_FOR_DISABLE, DISABLE, REINSTATE
	Restriction   = "restriction"     // waba: RESTRICTED_BIZ_INITIATED_MESSAGING …, Until when Meta named an end
	Violation     = "violation"       // waba: SCAM, WEAPONS …: a warning
	Credential    = "token"           // waba: valid, invalid
	Owner         = "portfolio"       // waba: it moved to another portfolio
	Alert         = "alert"           // waba: Meta's notice, by its type
	SecurityEvent = "security"        // number: PIN_RESET_REQUEST …
	Category      = "category"        // template: MARKETING, UTILITY, AUTHENTICATION
	NextCategory  = "next_category"   // template: announced, in force at Until
	Components    = "components"      // template: its content, by hash
)

// NotListed is the status of a number or template that Meta no longer lists.
const NotListed = "NOT_LISTED"

// Where a change was learnt.
const (
	FromPoll    = "poll"
	FromWebhook = "webhook"
)

// Change is something Meta changed. Exactly one of Number, WABA, Portfolio and
// Template is set, the thing that changed; Subject is its text form.
type Change struct {
	Subject   string
	Number    id.Number
	WABA      id.WABA
	Portfolio id.Portfolio
	Template  id.Template
	What      string
	Was       string
	Became    string
	Source    string    // FromPoll or FromWebhook
	Until     time.Time // restriction, announced category: when; else zero
	ToldAt    time.Time // Meta's own time of a webhook; zero when there is none
}

// Dropped tells a drop of quality to YELLOW or RED from a better level or from
// one that is not known.
func Dropped(was, became string) bool {
	order := map[string]int{"RED": 3, "YELLOW": 2}
	return order[strings.ToUpper(became)] > order[strings.ToUpper(was)]
}

// OfNumber begins a change of a number.
func OfNumber(n id.Number, what, was, became string) Change {
	return Change{Subject: n.String(), Number: n, What: what, Was: was, Became: became}
}

// OfWABA begins a change of a WABA.
func OfWABA(w id.WABA, what, was, became string) Change {
	return Change{Subject: w.String(), WABA: w, What: what, Was: was, Became: became}
}

// OfPortfolio begins a change of a portfolio.
func OfPortfolio(p id.Portfolio, what, was, became string) Change {
	return Change{Subject: p.String(), Portfolio: p, What: what, Was: was, Became: became}
}

// OfTemplate begins a change of a template.
func OfTemplate(t id.Template, what, was, became string) Change {
	return Change{Subject: t.String(), Template: t, What: what, Was: was, Became: became}
}

const sqlRecord = `
insert into meta_change (workspace_id, id, subject, what, was, became, source, until, told_at)
select $1, c.id, c.subject, c.what, c.was, c.became, $7, c.until, c.told_at
from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $8::timestamptz[], $9::timestamptz[])
    as c(id, subject, what, was, became, until, told_at)`

// Record keeps changes as history and returns them with their source set. It
// belongs in the transaction that applies them.
func Record(ctx context.Context, tx pgx.Tx, ws id.Workspace, source string, changes []Change) ([]Change, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	n := len(changes)
	ids, subjects, what := make([][16]byte, n), make([]string, n), make([]string, n)
	was, became := make([]string, n), make([]string, n)
	until, told := make([]*time.Time, n), make([]*time.Time, n)
	for i := range changes {
		c := &changes[i]
		c.Source = source
		ids[i] = id.New[[16]byte]()
		subjects[i], what[i], was[i], became[i] = c.Subject, c.What, c.Was, c.Became
		until[i], told[i] = given(c.Until), given(c.ToldAt)
	}
	if _, err := tx.Exec(ctx, sqlRecord, ws, ids, subjects, what, was, became, source, until, told); err != nil {
		return nil, fmt.Errorf("record what Meta changed: %w", err)
	}
	return changes, nil
}

func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

const sqlTold = `
select exists (
    select from meta_change
    where workspace_id = $1
      and subject = $2
      and what = $3
      and became = $4
      and told_at = $5)`

// freshly leaves out what Meta told before, at the same time by its own clock: it
// repeats webhooks for days, in other bodies too, and a stop that a person cleared
// must not open anew by old news. Only for news without a state to compare with.
func freshly(ctx context.Context, tx pgx.Tx, ws id.Workspace, at time.Time, changes []Change) ([]Change, error) {
	if at.IsZero() {
		return changes, nil
	}
	var list []Change
	for _, c := range changes {
		var told bool
		if err := tx.QueryRow(ctx, sqlTold, ws, c.Subject, c.What, c.Became, at).Scan(&told); err != nil {
			return nil, fmt.Errorf("look for the same news: %w", err)
		}
		if !told {
			c.ToldAt = at
			list = append(list, c)
		}
	}
	return list, nil
}

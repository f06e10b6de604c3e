package numbers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/pg"
	"bareed/whatsapp"
)

// stale is how much older than our last poll a webhook must be to say nothing
// new: Meta repeats webhooks for days, and its own reads lag by seconds.
const stale = 5 * time.Minute

// ApplyWebhook applies what a webhook says about a WABA, its portfolio or its
// numbers, keeps it as history and returns it; the caller opens the stops it
// calls for in the same transaction. Changes of other kinds return nothing.
func ApplyWebhook(ctx context.Context, tx pgx.Tx, r Route, c whatsapp.Change) ([]Change, error) {
	var changes []Change
	var err error
	at := c.EntryTime
	switch v := c.Value.(type) {
	case whatsapp.NumberQuality:
		changes, err = applyNumberQuality(ctx, tx, r, v, at)
	case whatsapp.NumberName:
		changes, err = applyNumberName(ctx, tx, r, v, at)
	case whatsapp.Capability:
		changes, err = applyCapability(ctx, tx, r, v)
	case whatsapp.AccountUpdate:
		changes, err = applyAccount(ctx, tx, r, v, at)
	case whatsapp.AccountReview:
		changes, err = applyReview(ctx, tx, r, v, at)
	case whatsapp.AccountAlert:
		changes, err = freshly(ctx, tx, r.Workspace, at, []Change{OfWABA(r.WABA, Alert, "", v.Type)})
	case whatsapp.Security:
		changes, err = applySecurity(ctx, tx, r, v, at)
	}
	if err != nil {
		return nil, err
	}
	return Record(ctx, tx, r.Workspace, FromWebhook, changes)
}

// findNumber finds the number that a display form means; spelling differs
// between webhooks and polls ("15550100101", "+1 555-010-0101").
func findNumber(ctx context.Context, tx pgx.Tx, r Route, display string) (Number, bool, error) {
	all, err := ofWABA(ctx, tx, r.Workspace, r.WABA)
	if err != nil {
		return Number{}, false, err
	}
	want := digits(display)
	at := slices.IndexFunc(all, func(n Number) bool { return digits(n.DisplayPhone) == want && want != "" })
	if at < 0 {
		return Number{}, false, nil
	}
	return all[at], true, nil
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

const sqlSetStatus = `
update number
set status = $3
where workspace_id = $1
  and id = $2`

func setStatus(ctx context.Context, tx pgx.Tx, r Route, n Number, status string) ([]Change, error) {
	if n.Status == status {
		return nil, nil
	}
	if _, err := tx.Exec(ctx, sqlSetStatus, r.Workspace, n.ID, status); err != nil {
		return nil, fmt.Errorf("set the number's status: %w", err)
	}
	return []Change{OfNumber(n.ID, Status, n.Status, status)}, nil
}

const sqlSetPerSecond = `
update number
set per_second = $3
where workspace_id = $1
  and id = $2`

// applyNumberQuality: since October 2025 the field tells of throughput and
// onboarding; the older events about quality and limit may still come.
func applyNumberQuality(ctx context.Context, tx pgx.Tx, r Route, v whatsapp.NumberQuality, at time.Time) ([]Change, error) {
	n, ok, err := findNumber(ctx, tx, r, v.DisplayPhone)
	if err != nil {
		return nil, err
	}
	var changes []Change
	if tier, known := ParseTier(v.Limit); known {
		if changes, err = learnLimit(ctx, tx, r.Portfolio, tier, false); err != nil {
			return nil, err
		}
	}
	if !ok || old(n.SyncedAt, at) {
		return changes, nil
	}
	var more []Change
	switch v.Event {
	case "FLAGGED":
		more, err = setStatus(ctx, tx, r, n, "FLAGGED")
	case "UNFLAGGED":
		if n.Status == "FLAGGED" {
			more, err = setStatus(ctx, tx, r, n, Connected)
		}
	case "THROUGHPUT_UPGRADE":
		if n.PerSecond != highPerSecond && !n.OnBizApp {
			_, err = tx.Exec(ctx, sqlSetPerSecond, r.Workspace, n.ID, highPerSecond)
			more = []Change{OfNumber(n.ID, Throughput, strconv.Itoa(n.PerSecond), strconv.Itoa(highPerSecond))}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("apply %s: %w", v.Event, err)
	}
	return append(changes, more...), nil
}

// old tells whether an event happened well before the last poll. Without a time
// it counts as new.
func old(synced *time.Time, at time.Time) bool {
	return synced != nil && !at.IsZero() && at.Before(synced.Add(-stale))
}

const sqlSetVerifiedName = `
update number
set verified_name = $3
where workspace_id = $1
  and id = $2`

func applyNumberName(ctx context.Context, tx pgx.Tx, r Route, v whatsapp.NumberName, at time.Time) ([]Change, error) {
	n, ok, err := findNumber(ctx, tx, r, v.DisplayPhone)
	if err != nil || !ok {
		return nil, err
	}
	changes, err := freshly(ctx, tx, r.Workspace, at, []Change{OfNumber(n.ID, NameDecision, n.VerifiedName, v.Decision)})
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	if v.Decision != "APPROVED" || v.RequestedName == "" || v.RequestedName == n.VerifiedName {
		return changes, nil
	}
	if _, err := tx.Exec(ctx, sqlSetVerifiedName, r.Workspace, n.ID, v.RequestedName); err != nil {
		return nil, fmt.Errorf("set the verified name: %w", err)
	}
	return append(changes, OfNumber(n.ID, VerifiedName, n.VerifiedName, v.RequestedName)), nil
}

// applyCapability: the figure of a single number, as named until February 2026,
// is only better than none.
func applyCapability(ctx context.Context, tx pgx.Tx, r Route, v whatsapp.Capability) ([]Change, error) {
	if !v.HasLimit {
		return nil, nil
	}
	return learnLimit(ctx, tx, r.Portfolio, Tier{Limit: v.Limit, Unlimited: v.Unlimited}, v.PerNumber)
}

// applyAccount keeps an account's events. Those that stop sending are told apart
// by the caller's rules; nothing here is ever undone by a later event.
func applyAccount(ctx context.Context, tx pgx.Tx, r Route, v whatsapp.AccountUpdate, at time.Time) ([]Change, error) {
	if v.Event == "ACCOUNT_OFFBOARDED" || v.Event == "ACCOUNT_RECONNECTED" {
		return applyOffboarding(ctx, tx, r, v, at)
	}
	return freshly(ctx, tx, r.Workspace, at, accountChanges(r, v))
}

func accountChanges(r Route, v whatsapp.AccountUpdate) []Change {
	switch v.Event {
	case "ACCOUNT_VIOLATION":
		return []Change{OfWABA(r.WABA, Violation, "", v.ViolationType)}
	case "ACCOUNT_RESTRICTION":
		var changes []Change
		for _, x := range v.Restrictions {
			c := OfWABA(r.WABA, restricted(x.Type), "", x.Type)
			c.Until = x.Expires
			changes = append(changes, c)
		}
		return changes
	case "DISABLED_UPDATE":
		return []Change{OfWABA(r.WABA, Ban, "", v.BanState)}
	case "ACCOUNT_DELETED", "PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED":
		return []Change{OfWABA(r.WABA, Account, "", v.Event)}
	default:
		return []Change{OfWABA(r.WABA, Alert, "", v.Event)}
	}
}

// restricted tells a restriction that can hit our messages, or that we do not
// know, from one of calls, of adding numbers, or of a product we do not use.
func restricted(kind string) string {
	switch {
	case kind == "RESTRICTED_ADD_PHONE_NUMBER_ACTION", kind == "RESTRICTED_DIRECT_SEND_UTILITY_TEMPLATES", strings.Contains(kind, "CALLING"):
		return Alert
	default:
		return Restriction
	}
}

// applyOffboarding: with a phone number the event is about that number alone.
func applyOffboarding(ctx context.Context, tx pgx.Tx, r Route, v whatsapp.AccountUpdate, at time.Time) ([]Change, error) {
	n, ok, err := findNumber(ctx, tx, r, v.PhoneNumber)
	if err != nil {
		return nil, err
	}
	if !ok {
		return freshly(ctx, tx, r.Workspace, at, []Change{OfWABA(r.WABA, Account, "", v.Event)})
	}
	if old(n.SyncedAt, at) {
		return nil, nil
	}
	if v.Event == "ACCOUNT_OFFBOARDED" {
		return setStatus(ctx, tx, r, n, "OFFBOARDED")
	}
	if n.Status != "OFFBOARDED" {
		return nil, nil
	}
	return setStatus(ctx, tx, r, n, Connected)
}

const sqlSetReview = `
update waba w
set review_status = $3
from (
    select review_status as was, synced_at
    from waba
    where workspace_id = $1
      and id = $2
    for update) before
where w.workspace_id = $1
  and w.id = $2
  and before.was <> $3
  and ($4::timestamptz is null or before.synced_at is null or before.synced_at <= $4::timestamptz + interval '5 minutes')
returning before.was`

func applyReview(ctx context.Context, tx pgx.Tx, r Route, v whatsapp.AccountReview, at time.Time) ([]Change, error) {
	if v.Decision == "" {
		return nil, nil
	}
	var when *time.Time
	if !at.IsZero() {
		when = &at
	}
	was, err := pg.All(ctx, tx, "set the review status", pgx.RowTo[string], sqlSetReview, r.Workspace, r.WABA, v.Decision, when)
	if err != nil {
		return nil, err
	}
	if len(was) == 0 {
		return nil, nil
	}
	return []Change{OfWABA(r.WABA, Review, was[0], v.Decision)}, nil
}

func applySecurity(ctx context.Context, tx pgx.Tx, r Route, v whatsapp.Security, at time.Time) ([]Change, error) {
	n, ok, err := findNumber(ctx, tx, r, v.DisplayPhone)
	if err != nil || !ok {
		return nil, err
	}
	return freshly(ctx, tx, r.Workspace, at, []Change{OfNumber(n.ID, SecurityEvent, "", v.Event)})
}

package numbers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/whatsapp"
)

// Poll is what Meta answered about one WABA.
type Poll struct {
	WABA    whatsapp.WABA
	Numbers []whatsapp.PhoneNumber
	// Limit is the portfolio's tier name when neither of the above carried it.
	Limit string
}

// HealthRow is how number.health keeps Meta's answer to "can this send": by
// entity type (PHONE_NUMBER, WABA, BUSINESS, APP), AVAILABLE, LIMITED or
// BLOCKED, with the error codes Meta gave as reasons.
type HealthRow struct {
	CanSend  string            `json:"can_send,omitempty"`
	Entities map[string]string `json:"entities,omitempty"`
	Codes    []int             `json:"codes,omitempty"`
}

func healthRow(h whatsapp.Health) HealthRow {
	row := HealthRow{CanSend: h.CanSend}
	for _, e := range h.Entities {
		if row.Entities == nil {
			row.Entities = map[string]string{}
		}
		row.Entities[e.Type] = worse(row.Entities[e.Type], e.CanSend)
		row.Codes = append(row.Codes, e.Codes...)
	}
	slices.Sort(row.Codes)
	row.Codes = slices.Compact(row.Codes)
	return row
}

// number is the health of the number itself.
func (h HealthRow) number() string {
	if own, ok := h.Entities["PHONE_NUMBER"]; ok {
		return own
	}
	return h.CanSend
}

// waba is the health of the account together with the app that speaks for it.
func (h HealthRow) waba() string { return worse(h.Entities["WABA"], h.Entities["APP"]) }

func worse(a, b string) string {
	rank := map[string]int{"": 0, "AVAILABLE": 1, "LIMITED": 2, "BLOCKED": 3}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// diffNumber gives the number as Meta now describes it, and what changed. What
// Meta left out stays as it was.
func diffNumber(old Number, p whatsapp.PhoneNumber) (Number, []Change) {
	n := old
	var changes []Change
	set := func(what string, field *string, became string) {
		if became == "" || became == *field {
			return
		}
		changes = append(changes, OfNumber(old.ID, what, *field, became))
		*field = became
	}
	set(Quality, &n.Quality, strings.ToUpper(p.Quality))
	set(Status, &n.Status, strings.ToUpper(p.Status))
	set(VerifiedName, &n.VerifiedName, p.VerifiedName)
	if p.DisplayPhone != "" {
		n.DisplayPhone = p.DisplayPhone
	}
	n.OnBizApp = p.OnBizApp
	if rate := perSecond(p, old.PerSecond); rate != old.PerSecond {
		n.PerSecond = rate
		changes = append(changes, OfNumber(old.ID, Throughput, strconv.Itoa(old.PerSecond), strconv.Itoa(rate)))
	}
	before, now := oldHealth(old), healthRow(p.Health)
	if now.number() == "" {
		return n, changes
	}
	if was := before.number(); was != now.number() && (was != "" || now.number() != "AVAILABLE") {
		changes = append(changes, OfNumber(old.ID, Health, was, now.number()))
	}
	n.Health, _ = json.Marshal(now) // strings, numbers: cannot fail
	return n, changes
}

func oldHealth(n Number) HealthRow {
	var h HealthRow
	_ = json.Unmarshal(n.Health, &h) // an unreadable one counts as unknown
	return h
}

// perSecond: coexistence is fixed at 20, HIGH is Meta's upgrade, and a level we
// do not know changes nothing.
func perSecond(p whatsapp.PhoneNumber, old int) int {
	switch {
	case p.OnBizApp:
		return coexistencePerSecond
	case p.Throughput == "HIGH":
		return highPerSecond
	case p.Throughput == "STANDARD", old == coexistencePerSecond:
		return standardPerSecond
	default:
		return old
	}
}

// diffShared compares the health of the WABA and its portfolio, which every
// number of it reports, once.
func diffShared(waba id.WABA, portfolio id.Portfolio, before, now HealthRow) []Change {
	var changes []Change
	if was, is := before.waba(), now.waba(); is != "" && was != is && (was != "" || is != "AVAILABLE") {
		changes = append(changes, OfWABA(waba, Health, was, is))
	}
	was, is := before.Entities["BUSINESS"], now.Entities["BUSINESS"]
	if is != "" && was != is && (was != "" || is != "AVAILABLE") {
		changes = append(changes, OfPortfolio(portfolio, Health, was, is))
	}
	return changes
}

// merge takes the worse of both, entity by entity.
func (h HealthRow) merge(other HealthRow) HealthRow {
	out := HealthRow{CanSend: worse(h.CanSend, other.CanSend), Entities: maps.Clone(h.Entities)}
	if out.Entities == nil {
		out.Entities = map[string]string{}
	}
	for k, v := range other.Entities {
		out.Entities[k] = worse(out.Entities[k], v)
	}
	return out
}

const sqlNumbersOfWABA = `
select n.id, n.waba_id, n.portfolio_id, n.app_id, n.phone_number_id, n.display_phone, n.verified_name,
    n.quality, n.status, n.per_second, n.is_on_biz_app, n.health, n.echo_seen_at, n.synced_at,
    n.created_at, n.disconnected_at, '' as meta_waba_id, '' as meta_app_id, '' as token_hint,
    n.created_at as token_set_at, '' as review_status, '' as sync_problem
from number n
where n.workspace_id = $1
  and n.waba_id = $2
  and n.disconnected_at is null
order by n.id
for update`

// ofWABA reads and locks the connected numbers of a WABA, by id.
func ofWABA(ctx context.Context, tx pgx.Tx, ws id.Workspace, waba id.WABA) ([]Number, error) {
	rows, err := tx.Query(ctx, sqlNumbersOfWABA, ws, waba)
	if err != nil {
		return nil, fmt.Errorf("read the WABA's numbers: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Number])
	if err != nil {
		return nil, fmt.Errorf("read the WABA's numbers: %w", err)
	}
	return list, nil
}

const sqlLockWABA = `
select portfolio_id, name, review_status, sync_problem
from waba
where workspace_id = $1
  and id = $2
for update`

const sqlPolled = `
update waba
set name = $3, review_status = $4, portfolio_id = $5, currency = coalesce(nullif($6, ''), currency), sync_problem = '', synced_at = bareed_now(), polled_at = bareed_now()
where workspace_id = $1
  and id = $2`

type wabaRow struct {
	portfolio    id.Portfolio
	name, review string
	problem      string
}

func lockWABA(ctx context.Context, tx pgx.Tx, ws id.Workspace, waba id.WABA) (wabaRow, error) {
	var w wabaRow
	err := tx.QueryRow(ctx, sqlLockWABA, ws, waba).Scan(&w.portfolio, &w.name, &w.review, &w.problem)
	if errors.Is(err, pgx.ErrNoRows) {
		return w, errs.New("not_found")
	}
	if err != nil {
		return w, fmt.Errorf("read the WABA: %w", err)
	}
	return w, nil
}

// ApplyPoll writes what Meta answered about a WABA, its numbers and its
// portfolio, keeps every difference as history and returns the differences; the
// caller opens the stops they call for in the same transaction. A recovery is a
// change like any other: no stop is cleared by it.
func ApplyPoll(ctx context.Context, tx pgx.Tx, ws id.Workspace, waba id.WABA, p Poll) ([]Change, error) {
	row, err := lockWABA(ctx, tx, ws, waba)
	if err != nil {
		return nil, err
	}
	changes, err := pollPortfolio(ctx, tx, waba, &row, p)
	if err != nil {
		return nil, err
	}
	if row.problem == TokenInvalid || row.problem == NotAllowed {
		changes = append(changes, OfWABA(waba, Credential, "invalid", "valid"))
	}
	if review := strings.ToUpper(p.WABA.ReviewStatus); review != "" && review != row.review {
		changes = append(changes, OfWABA(waba, Review, row.review, review))
		row.review = review
	}
	if p.WABA.Name != "" {
		row.name = p.WABA.Name
	}
	if _, err := tx.Exec(ctx, sqlPolled, ws, waba, row.name, row.review, row.portfolio, p.WABA.Currency); err != nil {
		return nil, fmt.Errorf("keep the WABA: %w", err)
	}
	limit, err := pollLimit(ctx, tx, row.portfolio, p) // the WABA must already be in it
	if err != nil {
		return nil, err
	}
	changes = append(changes, limit...)
	more, err := pollNumbers(ctx, tx, ws, waba, row.portfolio, p)
	if err != nil {
		return nil, err
	}
	return Record(ctx, tx, ws, FromPoll, append(changes, more...))
}

// pollPortfolio follows a WABA that moved to another portfolio.
func pollPortfolio(ctx context.Context, tx pgx.Tx, waba id.WABA, row *wabaRow, p Poll) ([]Change, error) {
	var changes []Change
	if p.WABA.PortfolioID != "" {
		now, err := ensurePortfolio(ctx, tx, p.WABA.PortfolioID)
		if err != nil {
			return nil, err
		}
		if now != row.portfolio {
			changes = append(changes, OfWABA(waba, Owner, row.portfolio.String(), now.String()))
			row.portfolio = now
		}
	}
	return changes, nil
}

// pollLimit takes the limit from whatever carried it.
func pollLimit(ctx context.Context, tx pgx.Tx, portfolio id.Portfolio, p Poll) ([]Change, error) {
	names := make([]string, 0, len(p.Numbers)+2)
	for _, n := range p.Numbers {
		names = append(names, n.MessagingLimit)
	}
	tier, ok := firstTier(append(names, p.WABA.MessagingLimit, p.Limit)...)
	if !ok {
		return nil, nil
	}
	return learnLimit(ctx, tx, portfolio, tier, false)
}

const sqlKeepPolled = `
update number
set portfolio_id = $3, display_phone = $4, verified_name = $5, quality = $6, status = $7, per_second = $8,
    is_on_biz_app = $9, health = $10, synced_at = bareed_now()
where workspace_id = $1
  and id = $2`

func pollNumbers(ctx context.Context, tx pgx.Tx, ws id.Workspace, waba id.WABA, portfolio id.Portfolio, p Poll) ([]Change, error) {
	known, err := ofWABA(ctx, tx, ws, waba)
	if err != nil {
		return nil, err
	}
	var changes []Change
	var batch pgx.Batch
	var before, now HealthRow
	for _, old := range known {
		n, more := diffListed(old, p.Numbers)
		changes = append(changes, more...)
		before, now = before.merge(oldHealth(old)), now.merge(oldHealth(n))
		batch.Queue(sqlKeepPolled, ws, n.ID, portfolio, n.DisplayPhone, n.VerifiedName, n.Quality, n.Status, n.PerSecond, n.OnBizApp, n.Health)
	}
	changes = append(changes, diffShared(waba, portfolio, before, now)...)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, fmt.Errorf("keep the numbers: %w", err)
	}
	return changes, nil
}

// diffListed compares a number with its entry in Meta's list. One that is
// missing there may not send; an empty list is taken for a fault of the answer
// and changes nothing.
func diffListed(old Number, listed []whatsapp.PhoneNumber) (Number, []Change) {
	at := slices.IndexFunc(listed, func(p whatsapp.PhoneNumber) bool { return p.ID == old.PhoneNumberID })
	if at >= 0 {
		return diffNumber(old, listed[at])
	}
	if len(listed) == 0 || old.Status == NotListed {
		return old, nil
	}
	n := old
	n.Status = NotListed
	return n, []Change{OfNumber(old.ID, Status, old.Status, NotListed)}
}

const sqlPollFailed = `
update waba
set sync_problem = $3, polled_at = bareed_now()
where workspace_id = $1
  and id = $2`

// PollFailed keeps why a poll failed (see Problem) and when. A token that Meta
// refuses is a change, once, until a poll works again.
func PollFailed(ctx context.Context, tx pgx.Tx, ws id.Workspace, waba id.WABA, problem string) ([]Change, error) {
	row, err := lockWABA(ctx, tx, ws, waba)
	if err != nil {
		return nil, err
	}
	refused := func(p string) bool { return p == TokenInvalid || p == NotAllowed }
	if refused(row.problem) && !refused(problem) {
		problem = row.problem // a time-out does not make the token good again
	}
	if _, err := tx.Exec(ctx, sqlPollFailed, ws, waba, problem); err != nil {
		return nil, fmt.Errorf("keep why the poll failed: %w", err)
	}
	if !refused(problem) || refused(row.problem) {
		return nil, nil
	}
	return Record(ctx, tx, ws, FromPoll, []Change{OfWABA(waba, Credential, "valid", "invalid")})
}

const sqlMetaWABAID = `
select meta_waba_id
from waba
where workspace_id = $1
  and id = $2`

// MetaWABAID is Meta's id of a WABA; not_found when the workspace has none such.
func MetaWABAID(ctx context.Context, tx pgx.Tx, ws id.Workspace, waba id.WABA) (string, error) {
	var metaID string
	err := tx.QueryRow(ctx, sqlMetaWABAID, ws, waba).Scan(&metaID)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", errs.New("not_found")
	}
	if err != nil {
		return "", fmt.Errorf("read the WABA: %w", err)
	}
	return metaID, nil
}

// NoLimit tells that neither the numbers nor the WABA carried a messaging limit,
// so that the portfolio itself is to be asked.
func (p Poll) NoLimit() bool {
	for _, n := range p.Numbers {
		if n.MessagingLimit != "" {
			return false
		}
	}
	return p.WABA.MessagingLimit == ""
}

const sqlPollSoon = `
update waba
set polled_at = null
where workspace_id = $1`

// PollSoon makes every WABA of the workspace due for a poll.
func PollSoon(ctx context.Context, tx pgx.Tx, ws id.Workspace) error {
	if _, err := tx.Exec(ctx, sqlPollSoon, ws); err != nil {
		return fmt.Errorf("ask for a poll: %w", err)
	}
	return nil
}

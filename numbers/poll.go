package numbers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/whatsapp"
)

// Poll is what Meta answered about one WABA.
type Poll struct {
	WABA    whatsapp.WABA
	Numbers []whatsapp.PhoneNumber
	// Limit is the portfolio's tier name when neither of the above carried it.
	Limit string
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
	return n, append(changes, n.takeHealth(p.Health)...)
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

const sqlNumbersOfWABA = `
select n.id, n.waba_id, n.portfolio_id, n.app_id, n.phone_number_id, n.display_phone, n.verified_name,
    n.quality, n.status, n.per_second, n.is_on_biz_app, n.health, n.health_at, n.echo_seen_at, n.synced_at,
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
	return pg.All(ctx, tx, "read the WABA's numbers", pgx.RowToStructByName[Number], sqlNumbersOfWABA, ws, waba)
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
    is_on_biz_app = $9, health = $10, synced_at = bareed_now(),
    health_at = case when $11 then bareed_now() else health_at end
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
		n, told, more := diffListed(old, p.Numbers)
		changes = append(changes, more...)
		before, now = before.merge(StoredHealth(old.Health)), now.merge(StoredHealth(n.Health))
		batch.Queue(sqlKeepPolled, ws, n.ID, portfolio, n.DisplayPhone, n.VerifiedName, n.Quality, n.Status, n.PerSecond, n.OnBizApp, n.Health, told)
	}
	changes = append(changes, diffShared(waba, portfolio, before, now)...)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, fmt.Errorf("keep the numbers: %w", err)
	}
	return changes, nil
}

// diffListed compares a number with its entry in Meta's list. One that is
// missing there may not send; an empty list is taken for a fault of the answer
// and changes nothing. healthy tells that Meta said whether it can send.
func diffListed(old Number, listed []whatsapp.PhoneNumber) (n Number, healthy bool, changes []Change) {
	at := slices.IndexFunc(listed, func(p whatsapp.PhoneNumber) bool { return p.ID == old.PhoneNumberID })
	if at >= 0 {
		n, changes = diffNumber(old, listed[at])
		return n, listed[at].Health.CanSend != "", changes
	}
	if len(listed) == 0 || old.Status == NotListed {
		return old, false, nil
	}
	n = old
	n.Status = NotListed
	return n, false, []Change{OfNumber(old.ID, Status, old.Status, NotListed)}
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

const sqlAccountAtMeta = `
select app_id, meta_waba_id
from waba
where workspace_id = $1
  and id = $2`

// AccountAtMeta is Meta's id of a WABA and the app that asks for it; not_found when
// the workspace has none such.
func AccountAtMeta(ctx context.Context, db pg.DB, ws id.Workspace, waba id.WABA) (app id.App, metaID string, err error) {
	err = db.QueryRow(ctx, sqlAccountAtMeta, ws, waba).Scan(&app, &metaID)
	if errors.Is(err, pgx.ErrNoRows) {
		return app, "", errs.New("not_found")
	}
	if err != nil {
		return app, "", fmt.Errorf("read the WABA: %w", err)
	}
	return app, metaID, nil
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

// Registered tells whether one of the numbers is: Meta then permits many more calls.
func (p Poll) Registered() bool {
	return slices.ContainsFunc(p.Numbers, func(n whatsapp.PhoneNumber) bool { return n.Status == Connected })
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

package numbers

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/whatsapp"
)

// Portfolio is the messaging limit of a business portfolio: unique people
// outside service windows in a rolling 24 hours, over all its numbers.
type Portfolio struct {
	ID             id.Portfolio
	MetaBusinessID string
	Limit          *int // nil: unlimited, or unknown when Known is false
	Known          bool // false: nothing is sent outside service windows
	Reserve        float32
	Used           int64 // places taken now
}

const sqlFigures = `
select meta_business_id, messaging_limit, limit_known, reserve, places
from portfolio_figures($1)`

// GetPortfolio reads the figures of a portfolio in which the transaction's
// workspace has a number; the zero value for any other.
func GetPortfolio(ctx context.Context, db pg.DB, portfolio id.Portfolio) (Portfolio, error) {
	p := Portfolio{ID: portfolio}
	err := db.QueryRow(ctx, sqlFigures, portfolio).Scan(&p.MetaBusinessID, &p.Limit, &p.Known, &p.Reserve, &p.Used)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return Portfolio{}, fmt.Errorf("read the messaging limit: %w", err)
	}
	return p, nil
}

// Tier is a messaging limit as Meta names it.
type Tier struct {
	Limit     int // meaningful unless Unlimited
	Unlimited bool
}

// ParseTier reads a tier's name; ok is false for an unknown or empty one.
func ParseTier(name string) (t Tier, ok bool) {
	t.Limit, t.Unlimited, ok = whatsapp.ParseTier(name)
	return t, ok
}

func (t Tier) String() string {
	if t.Unlimited {
		return "unlimited"
	}
	return strconv.Itoa(t.Limit)
}

const sqlLearnLimit = `
select coalesce(portfolio_learn($1, $2, $3), '')`

// learnLimit writes a portfolio's limit; the change is empty when nothing
// changed. With onlyUnknown a limit that is known stays.
func learnLimit(ctx context.Context, tx pgx.Tx, portfolio id.Portfolio, t Tier, onlyUnknown bool) ([]Change, error) {
	var limit *int
	if !t.Unlimited {
		limit = &t.Limit
	}
	var was string
	if err := tx.QueryRow(ctx, sqlLearnLimit, portfolio, limit, onlyUnknown).Scan(&was); err != nil {
		return nil, fmt.Errorf("learn the messaging limit: %w", err)
	}
	if was == "" || was == t.String() {
		return nil, nil
	}
	return []Change{OfPortfolio(portfolio, Limit, was, t.String())}, nil
}

const sqlEnsurePortfolio = `
select portfolio_ensure($1, $2)`

func ensurePortfolio(ctx context.Context, tx pgx.Tx, metaBusinessID string) (id.Portfolio, error) {
	var p id.Portfolio
	if err := tx.QueryRow(ctx, sqlEnsurePortfolio, id.New[id.Portfolio](), metaBusinessID).Scan(&p); err != nil {
		return p, fmt.Errorf("keep the portfolio: %w", err)
	}
	return p, nil
}

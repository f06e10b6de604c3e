// Package portfolios owns what a business decides about its messaging limit: how
// much of it is kept free for other tools, and the shares that only those may
// take who name them.
//
// api and web call it inside a transaction of the caller's workspace. A portfolio
// may be shared by workspaces: each sees the settings, and the one that connected
// it first keeps them. Who gets a place is numbers/places' to say; it must not
// know campaigns.
package portfolios

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/numbers"
	"bareed/numbers/places"
)

// Portfolio is a portfolio's limit and what was decided about it.
type Portfolio struct {
	ID             id.Portfolio `json:"id"`
	MetaBusinessID string       `json:"meta_business_id"`
	Known          bool         `json:"known" doc:"False: Meta has not told the limit yet, and nothing is sent outside service windows"`
	Unlimited      bool         `json:"unlimited"`
	People         *int         `json:"people" doc:"Meta's limit: unique people in 24 hours outside service windows; null when unlimited or unknown"`
	Reserve        float64      `json:"reserve" doc:"Part of the limit kept free for other tools, 0 to 0.9"`
	Usable         *int         `json:"usable" doc:"People in 24 hours less the reserve; null when unlimited or unknown"`
	Used           int64        `json:"used" doc:"Places taken now, by every workspace of the portfolio"`
	Kept           bool         `json:"kept" doc:"This workspace keeps the settings: it connected the portfolio first"`
	Shares         []Share      `json:"shares"`
}

// Share is a part of the places that only those may take who name it.
type Share struct {
	Name   string   `json:"name"`
	Places int      `json:"places" doc:"How many people in 24 hours are kept for it"`
	Used   int64    `json:"used"`
	Kinds  []string `json:"kinds" doc:"Messages of these kinds take from it unasked: api, reply, test"`
}

// MaxReserve is the largest part that can be kept free.
const MaxReserve = 0.9

// Kinds lists the kinds of runs that a share may serve; campaigns name theirs.
func Kinds() []string { return []string{"api", "reply", "test"} }

const sqlKept = `select portfolio_kept($1)`

const sqlShares = `
select name, size, used, kinds
from portfolio_shares($1)`

// Get reads one portfolio in which the workspace has a number; not_found for any
// other.
func Get(ctx context.Context, tx pgx.Tx, portfolio id.Portfolio) (Portfolio, error) {
	f, err := numbers.GetPortfolio(ctx, tx, portfolio)
	if err != nil {
		return Portfolio{}, err
	}
	if f.MetaBusinessID == "" {
		return Portfolio{}, errs.New("not_found")
	}
	return complete(ctx, tx, f)
}

// List reads the portfolios in which the workspace has a connected number.
func List(ctx context.Context, tx pgx.Tx, ws id.Workspace) ([]Portfolio, error) {
	all, err := numbers.Portfolios(ctx, tx, ws)
	if err != nil {
		return nil, err
	}
	list := make([]Portfolio, len(all))
	for i, f := range all {
		if list[i], err = complete(ctx, tx, f); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func complete(ctx context.Context, tx pgx.Tx, f numbers.Portfolio) (Portfolio, error) {
	p := Portfolio{ID: f.ID, MetaBusinessID: f.MetaBusinessID, Known: f.Known, Unlimited: f.Known && f.Limit == nil, People: f.Limit,
		Reserve: rounded(f.Reserve), Used: f.Used}
	if f.Limit != nil {
		n := places.Usable(*f.Limit, f.Reserve)
		p.Usable = &n
	}
	if err := tx.QueryRow(ctx, sqlKept, f.ID).Scan(&p.Kept); err != nil {
		return p, fmt.Errorf("read who keeps the portfolio: %w", err)
	}
	var err error
	p.Shares, err = Shares(ctx, tx, f.ID)
	return p, err
}

// rounded undoes what 32 bits do to a part: 0.1, not 0.10000000149.
func rounded(part float32) float64 { return math.Round(float64(part)*1000) / 1000 }

// Shares reads the shares of a portfolio in which the workspace has a number.
func Shares(ctx context.Context, db pg.DB, portfolio id.Portfolio) ([]Share, error) {
	return pg.All(ctx, db, "read the portfolio's shares", pgx.RowToStructByPos[Share], sqlShares, portfolio)
}

const sqlSetReserve = `select portfolio_set_reserve($1, $2)`

// SetReserve keeps a part of the limit free, 0 to MaxReserve. The shares must
// still fit into the rest.
func SetReserve(ctx context.Context, tx pgx.Tx, a accounts.Actor, portfolio id.Portfolio, part float64) (Portfolio, error) {
	if !(part >= 0 && part <= MaxReserve) {
		return Portfolio{}, errs.New("portfolio.reserve", "max", MaxReserve, "percent", int(100*MaxReserve)).At("/reserve", "")
	}
	p, err := own(ctx, tx, portfolio)
	if err != nil {
		return p, err
	}
	if p.People != nil {
		most := places.Usable(*p.People, float32(part))
		if total(p.Shares, "") > most {
			return p, errs.New("portfolio.shares_too_large", "most", most).At("/reserve", "")
		}
	}
	var was *float32
	if err := tx.QueryRow(ctx, sqlSetReserve, portfolio, part).Scan(&was); err != nil {
		return p, fmt.Errorf("set the reserve: %w", err)
	}
	if was == nil {
		return p, errs.New("portfolio.not_kept")
	}
	if err := accounts.Audit(ctx, tx, a, accounts.Deed{Action: "portfolio.reserve_set", Subject: portfolio.String(),
		Detail: map[string]any{"was": rounded(*was), "became": part}}); err != nil {
		return p, err
	}
	return Get(ctx, tx, portfolio)
}

// own reads a portfolio whose settings are the workspace's to keep.
func own(ctx context.Context, tx pgx.Tx, portfolio id.Portfolio) (Portfolio, error) {
	p, err := Get(ctx, tx, portfolio)
	if err == nil && !p.Kept {
		err = errs.New("portfolio.not_kept")
	}
	return p, err
}

// total is the places of all shares but one.
func total(list []Share, but string) (n int) {
	for _, s := range list {
		if s.Name != but {
			n += s.Places
		}
	}
	return n
}

var shareName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

const sqlSetShare = `select portfolio_set_share($1, $2, $3, $4)`

// SetShare makes a share or changes it. All shares together must fit into what of
// the limit may be used, and a kind takes from one share only.
func SetShare(ctx context.Context, tx pgx.Tx, a accounts.Actor, portfolio id.Portfolio, s Share) (Portfolio, error) {
	if !shareName.MatchString(s.Name) {
		return Portfolio{}, errs.New("portfolio.share_name").At("/name", "")
	}
	if s.Places < 1 || s.Places > 1_000_000 {
		return Portfolio{}, errs.New("portfolio.share_places", "min", 1, "max", 1_000_000).At("/places", "")
	}
	slices.Sort(s.Kinds)
	s.Kinds = slices.Compact(s.Kinds)
	p, err := own(ctx, tx, portfolio)
	if err != nil {
		return p, err
	}
	if err := p.fits(s); err != nil {
		return p, err
	}
	return p.set(ctx, tx, a, "portfolio.share_set", s)
}

func (p Portfolio) fits(s Share) error {
	for _, k := range s.Kinds {
		if !slices.Contains(Kinds(), k) {
			return errs.New("portfolio.kind", "kinds", Kinds()).At("/kinds", "")
		}
		for _, o := range p.Shares {
			if o.Name != s.Name && slices.Contains(o.Kinds, k) {
				return errs.New("portfolio.kind_taken", "kind", k, "share", o.Name).At("/kinds", "")
			}
		}
	}
	if p.Usable != nil && total(p.Shares, s.Name)+s.Places > *p.Usable {
		return errs.New("portfolio.shares_too_large", "most", *p.Usable).At("/places", "")
	}
	return nil
}

// DropShare takes a share away: its places are open to all again, those taken too.
func DropShare(ctx context.Context, tx pgx.Tx, a accounts.Actor, portfolio id.Portfolio, name string) error {
	p, err := own(ctx, tx, portfolio)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(p.Shares, func(s Share) bool { return s.Name == name }) {
		return errs.New("not_found")
	}
	_, err = p.set(ctx, tx, a, "portfolio.share_dropped", Share{Name: name})
	return err
}

func (p Portfolio) set(ctx context.Context, tx pgx.Tx, a accounts.Actor, deed string, s Share) (Portfolio, error) {
	if s.Kinds == nil {
		s.Kinds = []string{}
	}
	var was *int
	if err := tx.QueryRow(ctx, sqlSetShare, p.ID, s.Name, s.Places, s.Kinds).Scan(&was); err != nil {
		return p, fmt.Errorf("set the share: %w", err)
	}
	if was == nil {
		return p, errs.New("portfolio.not_kept")
	}
	err := accounts.Audit(ctx, tx, a, accounts.Deed{Action: deed, Subject: p.ID.String(),
		Detail: map[string]any{"share": s.Name, "was": *was, "became": s.Places, "kinds": s.Kinds}})
	if err != nil {
		return p, err
	}
	return Get(ctx, tx, p.ID)
}

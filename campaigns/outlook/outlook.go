// Package outlook brings together what campaigns/forecast needs of a campaign:
// the portfolio's limit and the places taken under it, the number's rate, the
// campaign's hours and what other campaigns will take.
//
// check and the pages call it inside a transaction of the caller's workspace. Of
// other workspaces it learns counts and times alone. It decides nothing.
package outlook

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/forecast"
	"bareed/campaigns/schedule"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/numbers"
)

// Asked is the campaign a prediction is wanted for.
type Asked struct {
	Campaign  id.Campaign
	Number    numbers.Number
	Rules     *schedule.Rules // nil: once
	Starts    time.Time       // zero: now
	PerMinute int             // its own pace; 0: none
	People    int64           // still to be written to
	Placeless int64           // of those, who need no place
	Waves     []forecast.Wave // that lie ahead of them; nil: none
	Priority  string          // high, normal or low; empty: normal
	Share     string          // of places; empty: none
}

// Outlook is what was found.
type Outlook struct {
	Input forecast.Input
	Known bool // false: Meta has not told the limit, nothing can be said
}

// Read collects the figures.
func Read(ctx context.Context, db pg.DB, ws id.Workspace, a Asked) (Outlook, error) {
	var o Outlook
	p, err := numbers.GetPortfolio(ctx, db, a.Number.Portfolio)
	if err != nil || !p.Known {
		return o, err
	}
	o.Known = true
	rate := forecast.BulkRate(a.Number.PerSecond, a.Number.OnBizApp)
	o.Input = forecast.Input{Starts: a.Starts, People: a.People, Free: a.Placeless, PerSecond: forecast.Pace(rate, a.PerMinute),
		Number: rate, Reserve: float64(p.Reserve), Waves: a.Waves,
		Priority: a.Priority, Share: a.Share, Paced: a.PerMinute > 0}
	if p.Limit != nil {
		o.Input.Limit = int64(*p.Limit)
	}
	if err := readZone(ctx, db, ws, a, &o.Input); err != nil {
		return o, err
	}
	if o.Input.Others, err = readClaims(ctx, db, a); err != nil || o.Input.Limit == 0 {
		return o, err
	}
	return o, readPlaces(ctx, db, a.Number.Portfolio, &o.Input)
}

const sqlZone = `
select bareed_now(), zone
from workspace
where workspace_id = $1`

// readZone settles the calendar's zone, the schedule's or else the workspace's,
// and the hours. In everybody's own zone the hours are each person's: the
// prediction leaves them out.
func readZone(ctx context.Context, db pg.DB, ws id.Workspace, a Asked, in *forecast.Input) error {
	var zone string
	if err := db.QueryRow(ctx, sqlZone, ws).Scan(&in.Now, &zone); err != nil {
		return fmt.Errorf("read the workspace's zone: %w", err)
	}
	if a.Rules != nil && a.Rules.Zone != "" {
		zone = a.Rules.Zone
	}
	var err error
	if in.Zone, err = time.LoadLocation(zone); err != nil {
		in.Zone = time.UTC
	}
	if a.Rules == nil || a.Rules.RecipientTime {
		return nil
	}
	hours, err := a.Rules.Hours()
	if err != nil || hours == nil {
		return nil // what is wrong with the hours is the check's to say
	}
	in.Around = func(at time.Time) (opens, closes time.Time) { return hours.Around(at, in.Zone) }
	if a.Rules.Expires() {
		_, in.Until = hours.Around(later(in.Now, a.Starts), in.Zone)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

const sqlClaims = `
select starts_at, people, coalesce(per_minute, 0), per_second, on_biz_app, same_number, priority, share
from portfolio_claims($1, $2, $3)`

func readClaims(ctx context.Context, db pg.DB, a Asked) ([]forecast.Other, error) {
	return pg.All(ctx, db, "read the portfolio's other campaigns", func(row pgx.CollectableRow) (o forecast.Other, err error) {
		var perMinute, perSecond int
		var onBizApp bool
		err = row.Scan(&o.Starts, &o.People, &perMinute, &perSecond, &onBizApp, &o.SameNumber, &o.Priority, &o.Share)
		o.Paced = perMinute > 0
		o.PerSecond = forecast.Pace(forecast.BulkRate(perSecond, onBizApp), perMinute)
		return o, err
	}, sqlClaims, a.Number.Portfolio, a.Number.ID, a.Campaign)
}

const sqlFrees = `
select frees_at, people, share
from portfolio_frees($1)`

const sqlShares = `
select name, size
from portfolio_shares($1)`

const sqlGood = `select portfolio_good($1)`

// readPlaces reads when the places come back. Those of today are also the least
// that was reached within seven days: of earlier days nothing is kept.
func readPlaces(ctx context.Context, db pg.DB, portfolio id.Portfolio, in *forecast.Input) error {
	rows, err := db.Query(ctx, sqlFrees, portfolio)
	if err != nil {
		return fmt.Errorf("read the places taken: %w", err)
	}
	if in.Used, err = pgx.CollectRows(rows, pgx.RowToStructByPos[forecast.Freed]); err != nil {
		return fmt.Errorf("read the places taken: %w", err)
	}
	if rows, err = db.Query(ctx, sqlShares, portfolio); err != nil {
		return fmt.Errorf("read the portfolio's shares: %w", err)
	}
	if in.Shares, err = pgx.CollectRows(rows, pgx.RowToStructByPos[forecast.Share]); err != nil {
		return fmt.Errorf("read the portfolio's shares: %w", err)
	}
	if err := db.QueryRow(ctx, sqlGood, portfolio).Scan(&in.Good); err != nil {
		return fmt.Errorf("read the portfolio's quality: %w", err)
	}
	return nil
}

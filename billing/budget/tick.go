package budget

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/billing"
	"bareed/billing/charges"
	"bareed/billing/cost"
	"bareed/billing/estimate"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
)

// sqlBegin bounds a run that has begun at nobody, until the first look.
const sqlBegin = `
update run r
set budget_to = r.fed
where r.workspace_id = $1
  and r.id = $2
  and r.state = 'running'
  and r.kind = 'campaign'
  and r.budget_to is null
  and exists (
      select from budget b
      where b.workspace_id = r.workspace_id
        and b.subject_id in (r.workspace_id, r.campaign_id)
        and b.micros is not null)`

// Begin has the budgets hold a run. It belongs in the transaction in which the run
// begins, so that nothing is fed before; for any other run it does nothing.
func Begin(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) error {
	if _, err := tx.Exec(ctx, sqlBegin, ws, run); err != nil {
		return fmt.Errorf("have the budget hold a run: %w", err)
	}
	return nil
}

const sqlHeld = `
select distinct workspace_id
from run
where budget_to is not null
  and settled_at is null`

// Workspaces lists those of which a budget holds a run, as engine.
func Workspaces(ctx context.Context, engine pg.DB) ([]id.Workspace, error) {
	return pg.All(ctx, engine, "find runs with a budget", pgx.RowTo[id.Workspace], sqlHeld)
}

const sqlRuns = `
select r.id, r.campaign_id, r.state = 'running', r.fed, r.planned, r.budget_to, coalesce(b.upto, -1), coalesce(b.handed_micros, 0)
from run r
left join run_budget b on b.workspace_id = r.workspace_id and b.run_id = r.id
where r.workspace_id = $1
  and r.budget_to is not null
  and r.settled_at is null
order by r.id`

// Tick looks at every run of a workspace that a budget holds: what it costs so far,
// and how much further the budgets let it go. A run that cannot go on is held once
// everybody before its boundary has left.
func Tick(ctx context.Context, tx pgx.Tx, ws id.Workspace) error {
	runs, err := pg.All(ctx, tx, "read the runs with a budget", func(row pgx.CollectableRow) (h held, err error) {
		return h, row.Scan(&h.run, &h.campaign, &h.running, &h.fed, &h.planned, &h.to, &h.upto, &h.handed)
	}, sqlRuns, ws)
	if err != nil {
		return err
	}
	subjects := [][16]byte{ws}
	for _, h := range runs {
		subjects = append(subjects, h.campaign)
	}
	budgets, err := collect(tx.Query(ctx, sqlKeepBudgets, ws, subjects))
	if err != nil {
		return err
	}
	for i := range runs {
		if err := runs[i].look(ctx, tx, ws); err != nil {
			return err
		}
	}
	// Behind the looks: what is counted as delivered in between counts twice until
	// the next one. Before them it would be left out.
	month, err := purseOf(ctx, tx, ws, budgets[ws].Amount)
	if err != nil {
		return err
	}
	for i := range runs {
		month.use(runs[i], runs[i].onWay)
	}
	for i := range runs {
		own := &purse{amount: budgets[runs[i].campaign].Amount, used: runs[i].onWay + runs[i].actual, reason: OverCampaign}
		if err := runs[i].advance(ctx, tx, ws, own, month); err != nil {
			return err
		}
	}
	return write(ctx, tx, ws, runs)
}

// write locks campaigns before runs, and both in order, as everywhere.
func write(ctx context.Context, tx pgx.Tx, ws id.Workspace, runs []held) error {
	slices.SortFunc(runs, func(a, b held) int {
		return cmp.Or(slices.Compare(a.campaign[:], b.campaign[:]), slices.Compare(a.run[:], b.run[:]))
	})
	for _, h := range runs {
		if err := h.hold(ctx, tx, ws); err != nil {
			return err
		}
	}
	for _, h := range runs {
		if err := h.keep(ctx, tx, ws); err != nil {
			return err
		}
	}
	return nil
}

// purse is a budget and how much of it is used.
type purse struct {
	amount *billing.Money // nil: none
	used   int64
	reason string
	ends   *time.Time // of the month
}

// purseOf is the month's, of which what was delivered is used.
func purseOf(ctx context.Context, tx pgx.Tx, ws id.Workspace, amount *billing.Money) (*purse, error) {
	p := &purse{amount: amount, reason: OverMonth}
	if amount == nil {
		return p, nil
	}
	var today, ends time.Time
	if err := tx.QueryRow(ctx, sqlToday, ws).Scan(&today, &ends); err != nil {
		return p, fmt.Errorf("read the day: %w", err)
	}
	p.ends = &ends
	var err error
	p.used, _, err = spentIn(ctx, tx, ws, today, amount.Currency)
	return p, err
}

// holds tells whether the budget can be compared with a run's prices.
func (p *purse) holds(h held) bool { return p.amount != nil && p.amount.Currency == h.currency }

func (p *purse) use(h held, micros int64) {
	if p.holds(h) {
		p.used += micros
	}
}

func (p *purse) room() int64 { return p.amount.Micros - p.used }

// held is a run with a boundary.
type held struct {
	run      id.Run
	campaign id.Campaign
	running  bool
	fed      int32
	planned  int32
	to       int32
	upto     int32 // what handed was added up for; -1: not yet
	handed   int64 // everybody up to the boundary, at the estimate

	prices   prices
	currency string // of the prices; empty: none is known
	onWay    int64  // of handed: neither delivered nor failed
	actual   int64  // what was delivered did cost

	by *purse // which pays for nobody more; nil: none
}

const sqlHanded = `
select country, count(*)
from message
where workspace_id = $1
  and run_id = $2
  and ordinal <= $3
  and state <> 'suppressed'
group by country`

// look finds out what a run costs so far. What is added up of messages is added up
// once, when a budget first meets a run that is under way.
func (h *held) look(ctx context.Context, tx pgx.Tx, ws id.Workspace) error {
	if err := estimate.Fix(ctx, tx, ws, h.run); err != nil { // of one that recurs by itself
		return err
	}
	fixed, err := estimate.OfRun(ctx, tx, ws, h.run)
	if err != nil {
		return err
	}
	h.prices = pricesOf(fixed)
	if total := sum(fixed).total; total != nil {
		h.currency = total.Currency
	}
	if h.upto != h.to {
		h.handed = 0
		rows, err := tx.Query(ctx, sqlHanded, ws, h.run, h.to)
		if err != nil {
			return fmt.Errorf("add up who was handed over: %w", err)
		}
		var country string
		var n int64
		_, err = pgx.ForEachRow(rows, []any{&country, &n}, func() error { h.handed += h.prices[country] * n; return nil })
		if err != nil {
			return fmt.Errorf("add up who was handed over: %w", err)
		}
	}
	lines, err := charges.OfRun(ctx, tx, ws, h.run)
	if err != nil {
		return err
	}
	h.onWay = max(0, h.handed-h.prices.settled(lines))
	c, err := cost.OfRun(ctx, tx, ws, h.campaign, h.run)
	if err == nil && c.Actual != nil && c.Actual.Currency == h.currency {
		h.actual = c.Actual.Micros
	}
	return err
}

// The boundary is moved on before the feeder comes to it: at a thousand messages a
// second there is time for some looks more. What a price changes meanwhile is
// known for no more people than that.
const (
	near = 5000
	step = 10_000
)

// advance moves the boundary as far as the budgets pay.
func (h *held) advance(ctx context.Context, tx pgx.Tx, ws id.Workspace, own, month *purse) error {
	if !h.running {
		return nil
	}
	stops, err := messages.OpenStops(ctx, tx, ws, h.run)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(stops, func(s messages.Stop) bool { return s.Reason == OverCampaign || s.Reason == OverMonth }) {
		return nil // what fails meanwhile makes no room: a person decides
	}
	if h.to-h.fed >= near || h.to >= h.planned {
		return nil
	}
	room, by := roomOf(*h, own, month)
	until := min(h.planned, h.to+step)
	ahead, err := h.ahead(ctx, tx, ws, until)
	if err != nil {
		return err
	}
	to, micros, short := afford(ahead, h.prices, room, until)
	h.to, h.handed = max(h.to, to), h.handed+micros
	own.use(*h, micros)
	month.use(*h, micros)
	if short {
		h.by = by
	}
	return nil
}

// roomOf is what is left of the budgets for a run, and of which the least; without
// one that holds it there is no bound.
func roomOf(h held, purses ...*purse) (room int64, least *purse) {
	room = math.MaxInt64
	for _, p := range purses {
		if p.holds(h) && p.room() < room {
			room, least = p.room(), p
		}
	}
	return room, least
}

// next is a message that waits.
type next struct {
	Ordinal int32
	Country string
}

const sqlAhead = `
select m.ordinal, m.country
from message m
where m.workspace_id = $1
  and m.run_id = $2
  and m.ordinal > $3
  and m.ordinal <= $4
  and m.state = 'ready'
order by m.ordinal`

func (h *held) ahead(ctx context.Context, tx pgx.Tx, ws id.Workspace, until int32) ([]next, error) {
	return pg.All(ctx, tx, "look who comes next", pgx.RowToStructByPos[next], sqlAhead, ws, h.run, h.to, until)
}

// afford goes through messages in their order as far as the room pays: up to
// until, or short of the first that it does not pay for.
func afford(list []next, p prices, room int64, until int32) (to int32, micros int64, short bool) {
	for _, m := range list {
		if p[m.Country] > room-micros {
			return m.Ordinal - 1, micros, true
		}
		micros += p[m.Country]
	}
	return until, micros, false
}

const sqlKeep = `
with r as (
    update run
    set budget_to = $3
    where workspace_id = $1
      and id = $2
      and state = 'running'
      and budget_to is not null
    returning id)
insert into run_budget (workspace_id, run_id, upto, handed_micros)
select $1, r.id, $3, $4
from r
on conflict (workspace_id, run_id) do update
set upto = excluded.upto,
    handed_micros = excluded.handed_micros`

// keep writes the boundary, if it is news.
func (h *held) keep(ctx context.Context, tx pgx.Tx, ws id.Workspace) error {
	if h.upto == h.to {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlKeep, ws, h.run, h.to, h.handed); err != nil {
		return fmt.Errorf("move the budget's boundary: %w", err)
	}
	return nil
}

const sqlWaiting = `
select exists (
    select from message m
    where m.workspace_id = $1
      and m.run_id = $2
      and m.state = 'ready'
      and m.ordinal <= $3)`

// hold opens the stop that says why a run does not go on that the budgets pay for
// nobody more of. Whoever they paid for leaves before it.
func (h *held) hold(ctx context.Context, tx pgx.Tx, ws id.Workspace) error {
	if h.by == nil {
		return nil
	}
	by := h.by
	var waiting bool
	if err := tx.QueryRow(ctx, sqlWaiting, ws, h.run, h.to).Scan(&waiting); err != nil {
		return fmt.Errorf("look who is still to leave: %w", err)
	}
	if waiting {
		return nil
	}
	_, err := messages.OpenStop(ctx, tx, ws, messages.Opening{Scope: messages.ScopeRun, ScopeID: h.run, Reason: by.reason, ByRule: true,
		Threshold: by.amount.String(), Measured: billing.Money{Micros: by.used, Currency: by.amount.Currency}.String(), Until: by.ends, By: opener})
	return err
}

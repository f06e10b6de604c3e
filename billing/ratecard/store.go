package ratecard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Upload is a card on its way in.
type Upload struct {
	Name      string // of the file
	ValidFrom string // the first day, 2026-10-01
	File      []byte
}

// How far from today a card may begin: a slip of the year is told from a plan.
const (
	earliest = "2020-01-01"
	ahead    = 2 * 365 * 24 * time.Hour
)

// sqlLockCards lets one upload of a workspace's pass at a time, so that the
// days of its cards never overlap.
const sqlLockCards = `select pg_advisory_xact_lock(hashtextextended('rate_card/' || $1::uuid::text, 0))`

const sqlCardWithFile = `
select id
from rate_card
where workspace_id = $1
  and currency = $2
  and valid_from = $3::date
  and sha256 = $4
  and (valid_to is null or valid_to > valid_from)
limit 1`

// sqlCloseCards ends what the new card takes over from: the one in force on its
// first day, and one of the same day, which then was never in force.
const sqlCloseCards = `
update rate_card
set valid_to = $3::date
where workspace_id = $1
  and currency = $2
  and valid_from <= $3::date
  and (valid_to is null or valid_to > $3::date)`

// sqlAddCard ends where a card with a later day begins.
const sqlAddCard = `
insert into rate_card (workspace_id, id, name, currency, valid_from, valid_to, rows, sha256, file, uploaded_by)
select $1, $2, $3, $4, $5::date, (
        select min(c.valid_from)
        from rate_card c
        where c.workspace_id = $1
          and c.currency = $4
          and c.valid_from > $5::date
          and (c.valid_to is null or c.valid_to > c.valid_from)),
    $6, $7, $8, $9`

const sqlAddRates = `
insert into rate (workspace_id, card_id, market, category, volume_from, volume_to, rate_micros)
select $1, $2, r.market, r.category, r.volume_from, nullif(r.volume_to, 0), r.micros
from unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
    as r(market, category, volume_from, volume_to, micros)`

// Add keeps a card and records who uploaded it. A second upload of the same file
// for the same day is the first one's card again, so that a repeated request
// makes no second version.
func Add(ctx context.Context, tx pgx.Tx, a accounts.Actor, u Upload) (Card, error) {
	from, err := u.from(ctx, tx)
	if err != nil {
		return Card{}, err
	}
	parsed, err := Parse(u.File)
	if err != nil {
		return Card{}, err
	}
	ws, sum := a.Workspace, sha256.Sum256(u.File)
	if _, err := tx.Exec(ctx, sqlLockCards, ws); err != nil {
		return Card{}, fmt.Errorf("wait for another rate card: %w", err)
	}
	var card id.RateCard
	err = tx.QueryRow(ctx, sqlCardWithFile, ws, parsed.Currency, from, sum[:]).Scan(&card)
	if err == nil {
		return Get(ctx, tx, ws, card)
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return Card{}, fmt.Errorf("look for the same rate card: %w", err)
	}
	card = id.New[id.RateCard]()
	if _, err := tx.Exec(ctx, sqlCloseCards, ws, parsed.Currency, from); err != nil {
		return Card{}, fmt.Errorf("close the rate card before: %w", err)
	}
	_, err = tx.Exec(ctx, sqlAddCard, ws, card, errs.Clip(path.Base(u.Name)), parsed.Currency, from, len(parsed.Rates), sum[:], u.File, a.String())
	if err != nil {
		return Card{}, fmt.Errorf("add the rate card: %w", err)
	}
	if err := addRates(ctx, tx, ws, card, parsed.Rates); err != nil {
		return Card{}, err
	}
	err = accounts.Audit(ctx, tx, a, accounts.Deed{Action: "rate_card.uploaded", Subject: card.String(),
		Detail: map[string]any{"currency": parsed.Currency, "valid_from": u.ValidFrom, "rows": len(parsed.Rates), "sha256": hex.EncodeToString(sum[:])}})
	if err != nil {
		return Card{}, err
	}
	return Get(ctx, tx, ws, card)
}

func (u Upload) from(ctx context.Context, tx pgx.Tx) (time.Time, error) {
	if u.ValidFrom == "" {
		return time.Time{}, errs.New("field.required").At("/valid_from", "")
	}
	from, err := time.Parse(time.DateOnly, u.ValidFrom)
	if err != nil {
		return from, errs.New("ratecard.valid_from", "got", errs.Clip(u.ValidFrom)).At("/valid_from", "")
	}
	now, err := pg.Now(ctx, tx)
	if err != nil {
		return from, err
	}
	if u.ValidFrom < earliest || from.After(now.Add(ahead)) {
		return from, errs.New("ratecard.valid_from_range", "earliest", earliest, "latest", now.Add(ahead).Format(time.DateOnly)).At("/valid_from", "")
	}
	return from, nil
}

func addRates(ctx context.Context, tx pgx.Tx, ws id.Workspace, card id.RateCard, rates []Rate) error {
	n := len(rates)
	markets, categories := make([]string, n), make([]string, n)
	from, to, micros := make([]int64, n), make([]int64, n), make([]int64, n)
	for i, r := range rates {
		markets[i], categories[i], from[i], to[i], micros[i] = r.Market, r.Category, r.From, r.To, r.Micros
	}
	if _, err := tx.Exec(ctx, sqlAddRates, ws, card, markets, categories, from, to, micros); err != nil {
		return fmt.Errorf("add the rate card's prices: %w", err)
	}
	return nil
}

const sqlCard = `
select id, name, currency, to_char(valid_from, 'YYYY-MM-DD'), coalesce(to_char(valid_to, 'YYYY-MM-DD'), ''), rows,
    encode(sha256, 'hex'), uploaded_by, uploaded_at
from rate_card
where workspace_id = $1
  and id = $2`

// Get reads a card with its prices.
func Get(ctx context.Context, db pg.DB, ws id.Workspace, card id.RateCard) (Card, error) {
	c, err := pg.One(ctx, db, "read the rate card", scanCard, sqlCard, ws, card)
	if err != nil {
		return c, err
	}
	list := []Card{c}
	err = readRates(ctx, db, ws, list)
	return list[0], err
}

func scanCard(row pgx.CollectableRow) (Card, error) {
	var c Card
	err := row.Scan(&c.ID, &c.Name, &c.Currency, &c.ValidFrom, &c.ValidTo, &c.Rows, &c.SHA256, &c.UploadedBy, &c.UploadedAt)
	return c, err
}

const sqlCards = `
select id, name, currency, to_char(valid_from, 'YYYY-MM-DD'), coalesce(to_char(valid_to, 'YYYY-MM-DD'), ''), rows,
    encode(sha256, 'hex'), uploaded_by, uploaded_at
from rate_card
where workspace_id = $1
  and ($2::uuid is null or id < $2)
order by id desc
limit $3`

// List reads the cards before one, the newest upload first, without prices.
func List(ctx context.Context, db pg.DB, ws id.Workspace, before id.RateCard, limit int) ([]Card, error) {
	return pg.All(ctx, db, "list rate cards", scanCard, sqlCards, ws, before, limit)
}

const sqlCardFile = `
select name, file
from rate_card
where workspace_id = $1
  and id = $2`

// File is the card as it was uploaded, byte for byte.
func File(ctx context.Context, db pg.DB, ws id.Workspace, card id.RateCard) (name string, file []byte, err error) {
	err = db.QueryRow(ctx, sqlCardFile, ws, card).Scan(&name, &file)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil, errs.New("not_found")
	}
	if err != nil {
		return "", nil, fmt.Errorf("read the rate card's file: %w", err)
	}
	return name, file, nil
}

// sqlCardsBetween leaves out those that were replaced before their first day.
const sqlCardsBetween = `
select id, name, currency, to_char(valid_from, 'YYYY-MM-DD'), coalesce(to_char(valid_to, 'YYYY-MM-DD'), ''), rows,
    encode(sha256, 'hex'), uploaded_by, uploaded_at
from rate_card
where workspace_id = $1
  and (valid_from <= $3::date and (valid_to is null or valid_to > $2::date and valid_to > valid_from)
    or id = any ($4))
order by id`

// Between reads the cards in force on any of the days, the last included, and
// those named beside, to price by.
func Between(ctx context.Context, db pg.DB, ws id.Workspace, first, last time.Time, also ...id.RateCard) (*Set, error) {
	list, err := pg.All(ctx, db, "read the rate cards", scanCard, sqlCardsBetween, ws, first, last, also)
	if err != nil {
		return nil, err
	}
	if err := readRates(ctx, db, ws, list); err != nil {
		return nil, err
	}
	return NewSet(list...), nil
}

const sqlRates = `
select card_id, market, category, volume_from, coalesce(volume_to, 0), rate_micros
from rate
where workspace_id = $1
  and card_id = any ($2)
order by card_id, market, category, volume_from`

func readRates(ctx context.Context, db pg.DB, ws id.Workspace, cards []Card) error {
	ids := make([]id.RateCard, len(cards))
	at := make(map[id.RateCard]int, len(cards))
	for i, c := range cards {
		ids[i], at[c.ID] = c.ID, i
	}
	rows, err := db.Query(ctx, sqlRates, ws, ids)
	if err != nil {
		return fmt.Errorf("read the prices: %w", err)
	}
	var card id.RateCard
	var r Rate
	_, err = pgx.ForEachRow(rows, []any{&card, &r.Market, &r.Category, &r.From, &r.To, &r.Micros}, func() error {
		c := &cards[at[card]]
		c.Rates = append(c.Rates, r)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the prices: %w", err)
	}
	return nil
}

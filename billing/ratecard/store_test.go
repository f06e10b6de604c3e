package ratecard_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/billing"
	"bareed/billing/ratecard"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

func upload(t *testing.T, b *fixture.Broadcast, from, file string) (ratecard.Card, error) {
	t.Helper()
	var c ratecard.Card
	err := b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) (err error) {
		c, err = ratecard.Add(t.Context(), tx, b.Actor, ratecard.Upload{Name: "../dir/rates.csv", ValidFrom: from, File: []byte(file)})
		return err
	})
	return c, err
}

func list(t *testing.T, b *fixture.Broadcast) []ratecard.Card {
	t.Helper()
	var all []ratecard.Card
	b.In(t, func(tx pgx.Tx) (err error) {
		all, err = ratecard.List(t.Context(), tx, b.Workspace, id.RateCard{}, 100)
		return err
	})
	return all
}

func TestAddAndReadBack(t *testing.T) {
	t.Parallel()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	card, err := upload(t, b, "2026-10-01", fixture.FakeCard)
	if err != nil || card.Name != "rates.csv" || card.Currency != "XTS" || card.Rows != 5 || len(card.Rates) != 5 || card.ValidTo != "" {
		t.Fatalf("%+v, %v", card, err)
	}
	b.In(t, func(tx pgx.Tx) error {
		name, file, err := ratecard.File(t.Context(), tx, b.Workspace, card.ID)
		if name != "rates.csv" || string(file) != fixture.FakeCard {
			t.Errorf("%s: %q", name, file)
		}
		return err
	})
	again, err := upload(t, b, "2026-10-01", fixture.FakeCard)
	if err != nil || again.ID != card.ID {
		t.Errorf("the same file again is %v, %v", again.ID, err)
	}
	b.In(t, func(tx pgx.Tx) error {
		entries, err := accounts.ListAudit(t.Context(), tx, b.Workspace, id.Audit{}, 10)
		n := 0
		for _, e := range entries {
			if e.Action == "rate_card.uploaded" && e.Subject == card.ID.String() && e.Actor == b.Actor.String() {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d entries in the audit", n)
		}
		return err
	})
	stranger := fixture.NewBroadcast(t, b.Pool)
	stranger.In(t, func(tx pgx.Tx) error {
		if _, err := ratecard.Get(t.Context(), tx, stranger.Workspace, card.ID); !errs.Is(err, "not_found") {
			t.Errorf("another workspace reads %v", err)
		}
		return nil
	})
	for from, code := range map[string]string{"": "field.required", "2026-13-01": "ratecard.valid_from", "01/10/2026": "ratecard.valid_from",
		"2019-12-31": "ratecard.valid_from_range", "2126-10-01": "ratecard.valid_from_range"} {
		if _, err := upload(t, b, from, fixture.FakeCard); !errs.Is(err, code) {
			t.Errorf("from %q: %v", from, err)
		}
	}
}

// However the uploads come, the days of a currency's cards never overlap, a day
// behind the first has a card, and it is the one uploaded last of those that
// begin latest.
func TestVersionsCloseEachOther(t *testing.T) {
	t.Parallel()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	r := rand.New(rand.NewPCG(3, 5))
	start := billing.Day(2026, time.January, 1)
	type version struct {
		id   id.RateCard
		from time.Time
	}
	var known []version
	for i := range 12 {
		from := start.AddDate(0, 0, r.IntN(6))
		file := strings.Replace(fixture.FakeCard, "0.9", "0.9"+strings.Repeat("1", i%5), 1) + strings.Repeat("\n", i)
		c, err := upload(t, b, from.Format(time.DateOnly), file)
		if err != nil {
			t.Fatal(err)
		}
		known = slices.DeleteFunc(known, func(v version) bool { return v.from.Equal(from) })
		known = append(known, version{c.ID, from})
		for d := range 8 {
			day := start.AddDate(0, 0, d)
			want := id.RateCard{}
			var latest time.Time
			for _, v := range known {
				if !v.from.After(day) && !v.from.Before(latest) {
					want, latest = v.id, v.from
				}
			}
			b.In(t, func(tx pgx.Tx) error {
				set, err := ratecard.Between(t.Context(), tx, b.Workspace, day, day)
				if err != nil {
					return err
				}
				card, why := set.In("XTS", day)
				if want.IsZero() != (why != "") || why == "" && card.ID() != want {
					t.Errorf("after %d uploads, on %s: %v %s, want %v", i+1, day.Format(time.DateOnly), card, why, want)
				}
				return nil
			})
		}
	}
	if n := len(list(t, b)); n != 12 {
		t.Errorf("%d versions are kept", n)
	}
}

// A card cannot be changed, by no statement of the program's role.
func TestCardsAreNeverEdited(t *testing.T) {
	t.Parallel()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	if _, err := upload(t, b, "2026-10-01", fixture.FakeCard); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{`update rate set rate_micros = 0`, `delete from rate`, `delete from rate_card`, `update rate_card set file = ''`, `update rate_card set valid_from = '2026-01-01'`} {
		err := b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), sql)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

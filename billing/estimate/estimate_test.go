package estimate_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/billing"
	"bareed/billing/charges"
	"bareed/billing/estimate"
	"bareed/campaigns/check"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

// shop is a workspace with people in Saudi Arabia, Egypt, France and nowhere.
func shop(t *testing.T, category string) *fixture.Broadcast {
	t.Helper()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.Template = b.AddTemplate(t, category, "APPROVED", "Hello {{1}}.")
	people := b.AddPeople(t, b.Audience, 10)
	if category == "UTILITY" {
		b.Do(t, `update permission set purpose = 'utility' where workspace_id = $1`, b.Workspace)
	}
	b.Do(t, `update identity set country = 'EG' where workspace_id = $1 and contact_id = any ($2)`, b.Workspace, people[5:8])
	b.Do(t, `update identity set country = 'FR' where workspace_id = $1 and contact_id = $2`, b.Workspace, people[8])
	b.Do(t, `update identity set country = '', value = '+883510000001' where workspace_id = $1 and contact_id = $2`, b.Workspace, people[9])
	return b
}

func estimated(t *testing.T, b *fixture.Broadcast, k check.Check) estimate.Estimate {
	t.Helper()
	var e estimate.Estimate
	b.In(t, func(tx pgx.Tx) (err error) {
		e, err = estimate.OfCheck(t.Context(), tx, b.Workspace, k.CampaignID, k.ID)
		return err
	})
	return e
}

func at(t *testing.T, b *fixture.Broadcast) time.Time {
	t.Helper()
	var now time.Time
	b.In(t, func(tx pgx.Tx) error { return tx.QueryRow(t.Context(), `select bareed_now()`).Scan(&now) })
	return now.UTC()
}

// What has no price is counted without one, and said why.
func TestEstimateOfACheck(t *testing.T) {
	t.Parallel()
	b := shop(t, "MARKETING")
	k := b.Check(t, b.Campaign(t, "Offer").ID)
	e := estimated(t, b, k)
	if e.Total != nil || e.Complete || e.Why != billing.NoCard || e.Unpriced != 10 || e.People != 10 || len(e.Lines) != 4 {
		t.Fatalf("without a card: %+v", e)
	}
	card := b.AddCard(t, at(t, b).AddDate(0, 0, -1), fixture.FakeCard)
	e = estimated(t, b, k)
	if e.Total == nil || *e.Total != (billing.Money{Micros: 5*900_000 + 3*400_000, Currency: "XTS"}) || e.Card.ID != card || e.Complete || e.Unpriced != 2 {
		t.Errorf("%+v", e)
	}
	for i, want := range []struct {
		country, market, why string
		people, micros       int64
	}{{"SA", "SA", "", 5, 4_500_000}, {"EG", "EG", "", 3, 1_200_000}, {"", "", billing.NoCountry, 1, 0}, {"FR", "FR", billing.NoRate, 1, 0}} {
		l := e.Lines[i]
		if l.Country != want.country || l.Market != want.market || l.Why != want.why || l.People != want.people ||
			(l.Amount == nil) != (want.why != "") || l.Amount != nil && l.Amount.Micros != want.micros {
			t.Errorf("line %d: %+v, want %+v", i, l, want)
		}
	}
	waiting := b.Campaign(t, "Unchecked")
	err := b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) error {
		_, err := estimate.OfCheck(t.Context(), tx, b.Workspace, waiting.ID, k.ID)
		return err
	})
	if !errs.Is(err, "not_found") {
		t.Errorf("the check of another campaign: %v", err)
	}
}

// The account's own currency decides among cards; without it two are one too many.
func TestEstimateInTheAccountsCurrency(t *testing.T) {
	t.Parallel()
	b := shop(t, "MARKETING")
	k := b.Check(t, b.Campaign(t, "Offer").ID)
	yesterday := at(t, b).AddDate(0, 0, -1)
	b.AddCard(t, yesterday, fixture.FakeCard)
	b.AddCard(t, yesterday, "market,category,currency,rate\nSA,marketing,XXX,2\n")
	if e := estimated(t, b, k); e.Why != billing.ManyCurrency || e.Total != nil {
		t.Errorf("two currencies: %+v", e)
	}
	b.Do(t, `update waba set currency = 'XXX' where workspace_id = $1`, b.Workspace)
	if e := estimated(t, b, k); e.Total == nil || *e.Total != (billing.Money{Micros: 10_000_000, Currency: "XXX"}) || e.Unpriced != 5 {
		t.Errorf("in the account's: %+v", e)
	}
	b.Do(t, `update waba set currency = 'USD' where workspace_id = $1`, b.Workspace)
	if e := estimated(t, b, k); e.Why != billing.NoCard || e.Total != nil {
		t.Errorf("in one without a card: %+v", e)
	}
}

// The tier begins where the month has come to, and another month begins anew.
func TestEstimateKnowsTheMonth(t *testing.T) {
	t.Parallel()
	b := shop(t, "UTILITY")
	now := at(t, b)
	b.AddCard(t, now.AddDate(0, -2, 0), fixture.FakeCard)
	earlier := b.Launch(t, "Earlier")
	delivered := func(day time.Time, n int64) {
		b.Do(t, `insert into run_charge (workspace_id, run_id, portfolio_id, outcome, day, country, model, type, category, billable, messages)
			values ($1, $2, $3, 'delivered', $4::date, 'SA', 'PMP', 'regular', 'utility', true, $5)`, b.Workspace, earlier.RunID, b.Portfolio, day, n)
	}
	k := b.Check(t, b.Campaign(t, "Order update").ID)
	if e := estimated(t, b, k); e.Lines[0].Amount.Micros != 5*100_000 || e.Lines[0].Before != 0 {
		t.Errorf("nothing sent: %+v", e.Lines[0])
	}
	delivered(billing.MonthOf(now).AddDate(0, 0, -1), 5000)
	if e := estimated(t, b, k); e.Lines[0].Before != 0 {
		t.Errorf("the last month counts: %+v", e.Lines[0])
	}
	delivered(billing.DayOf(now, time.UTC), 98)
	e := estimated(t, b, k)
	if e.Lines[0].Before != 98 || e.Lines[0].Amount.Micros != 2*100_000+3*50_000 || e.Lines[1].Amount.Micros != 3*40_000 {
		t.Errorf("98 sent: %+v", e.Lines)
	}
}

// A window that is open counts as free only while windows are.
func TestWindowsAreFreeUntilTheDay(t *testing.T) {
	t.Parallel()
	b := shop(t, "UTILITY")
	b.AddCard(t, billing.Day(2026, time.January, 1), fixture.FakeCard)
	people := []string{"+966500000000", "+966500000001"}
	for _, phone := range people {
		b.Do(t, `insert into service_window (workspace_id, number_id, recipient_hash, open_until) values ($1, $2, $3, 'infinity')`,
			b.Workspace, b.Number, b.Vault.RecipientHash("p:"+phone))
	}
	c := b.Campaign(t, "Order update")
	for _, tt := range []struct {
		now  string
		free int64
	}{{"2026-09-30T12:00:00Z", 2}, {"2026-10-01T00:30:00Z", 0}} {
		moment, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		pgtest.MoveClock(t, b.Pool, time.Until(moment))
		e := estimated(t, b, b.Check(t, c.ID))
		if e.Free != tt.free || e.Lines[0].Free != tt.free || e.Lines[0].Amount.Micros != (5-tt.free)*100_000 {
			t.Errorf("at %s: %+v", tt.now, e.Lines[0])
		}
	}
}

// Once fixed, neither a new card nor the month moves what was estimated.
func TestFixStays(t *testing.T) {
	t.Parallel()
	b := shop(t, "MARKETING")
	now := at(t, b)
	card := b.AddCard(t, now.AddDate(0, 0, -1), fixture.FakeCard)
	l := b.Launch(t, "Offer")
	fixed := func() (list []estimate.Fixed) {
		b.In(t, func(tx pgx.Tx) (err error) {
			if err = estimate.Fix(t.Context(), tx, b.Workspace, l.RunID); err != nil {
				return err
			}
			list, err = estimate.OfRun(t.Context(), tx, b.Workspace, l.RunID)
			return err
		})
		return list
	}
	first := fixed()
	if len(first) != 4 || first[0].Card != card || *first[0].Micros != 4_500_000 || first[0].Currency != "XTS" || first[3].Micros != nil {
		t.Fatalf("%+v", first)
	}
	b.AddCard(t, now.AddDate(0, 0, -1), "market,category,currency,rate\nSA,marketing,XTS,7\n")
	second := fixed()
	if len(second) != 4 || second[0].Card != card || *second[0].Micros != 4_500_000 {
		t.Errorf("%+v", second)
	}
	var lines []charges.Line
	b.In(t, func(tx pgx.Tx) (err error) {
		if err = charges.Count(t.Context(), tx, b.Workspace, l.RunID); err != nil {
			return err
		}
		lines, err = charges.OfRun(t.Context(), tx, b.Workspace, l.RunID)
		return err
	})
	countries := map[string]int64{}
	for _, line := range lines {
		countries[line.Country] += line.N
	}
	if countries["SA"] != 5 || countries["EG"] != 3 || countries["FR"] != 1 || countries[""] != 1 {
		t.Errorf("the ledger's countries: %v", countries)
	}
	var none id.RateCard
	if first[0].Card == none {
		t.Error("no card")
	}
}

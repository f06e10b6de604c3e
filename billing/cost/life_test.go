package cost_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/billing"
	"bareed/billing/charges"
	"bareed/billing/cost"
	"bareed/billing/estimate"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
	"bareed/messages/callback"
	"bareed/sandbox"
	"bareed/whatsapp"
)

const (
	token  = whatsapp.Token("tok-valid")
	number = "900400000000009"
)

// meta is the sandbox with what it has sent in webhooks.
type meta struct {
	*sandbox.Server
	client *whatsapp.Client
	mu     sync.Mutex
	told   []whatsapp.Status
}

func (m *meta) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	env, err := whatsapp.ParseWebhook(raw)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range env.Changes {
		if v, ok := c.Value.(whatsapp.Messages); ok {
			m.told = append(m.told, v.Statuses...)
		}
	}
}

func newMeta(t *testing.T) *meta {
	t.Helper()
	s, err := sandbox.New(sandbox.Config{ListenAddr: "127.0.0.1:0", Seed: 1, RetryBase: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	m := &meta{Server: s}
	hook := httptest.NewServer(m)
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-stopped; err != nil {
			t.Errorf("run: %v", err)
		}
		hook.Close()
	})
	err = s.Apply(sandbox.Seed{
		Apps:       []sandbox.App{{ID: "900100000000009", Secret: "secret", VerifyToken: "verify", CallbackURL: hook.URL}},
		Portfolios: []sandbox.Portfolio{{ID: "900200000000009", Name: "Acme", Limit: "TIER_2K"}},
		WABAs:      []sandbox.WABA{{ID: "900300000000009", Name: "Acme", PortfolioID: "900200000000009", AppIDs: []string{"900100000000009"}}},
		Numbers:    []sandbox.Number{{ID: number, WABAID: "900300000000009", DisplayPhone: "+1 555-010-0109", MPS: 1000}},
		Templates: []sandbox.Template{{ID: "900500000000009", WABAID: "900300000000009", Name: "order", Language: "en_US", Category: "UTILITY",
			Components: json.RawMessage(`[{"type":"BODY","text":"Your order left."}]`)}},
		Tokens: []sandbox.Token{{Token: token.Raw(), AppID: "900100000000009"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	sc := sandbox.DefaultScenario()
	sc.SentDelayMS, sc.DeliveredDelayMS, sc.ReadDelayMS, sc.Magic = [2]int{1, 5}, [2]int{1, 5}, [2]int{1, 5}, true
	if err := s.SetScenario(sc); err != nil {
		t.Fatal(err)
	}
	if m.client, err = whatsapp.New(whatsapp.Config{BaseURL: s.URL(), SendTimeout: 5 * time.Second}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.client.Close)
	return m
}

// people are in two countries; numbers that end in 026 are undeliverable.
func people(t *testing.T, b *fixture.Broadcast) {
	t.Helper()
	list := b.AddPeople(t, b.Audience, 160)
	b.Do(t, `update permission set purpose = 'utility' where workspace_id = $1`, b.Workspace)
	for i, c := range list {
		country, digit, end := "SA", 1, "001"
		if i%4 == 3 {
			country, digit = "EG", 2
		}
		if i%10 == 7 {
			end = "026"
		}
		b.Do(t, `update identity set country = $3, value = $4 where workspace_id = $1 and contact_id = $2`, b.Workspace, c, country, fmt.Sprintf("+999%d%04d%s", digit, i, end))
	}
}

// send posts every ready message of a run, and waits until Meta has told its last.
func (m *meta) send(t *testing.T, b *fixture.Broadcast, run id.Run) {
	t.Helper()
	m.sendAs(t, b, run, whatsapp.TemplateMessage{Name: "order", Language: "en_US"})
}

// sendAs is send of any message.
func (m *meta) sendAs(t *testing.T, b *fixture.Broadcast, run id.Run, what whatsapp.TemplateMessage) {
	t.Helper()
	address := map[int32]string{}
	b.In(t, func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), `update message set attempt = 1 where workspace_id = $1 and run_id = $2 and state = 'ready' returning ordinal, address`, b.Workspace, run)
		if err != nil {
			return err
		}
		var ordinal int32
		var to string
		_, err = pgx.ForEachRow(rows, []any{&ordinal, &to}, func() error { address[ordinal] = to; return nil })
		return err
	})
	for ordinal, to := range address {
		c := callback.Data{Message: id.Message{Run: run, Ordinal: ordinal}, Attempt: 1}
		what.To, what.CallbackData = whatsapp.To{Phone: to}, c.Encode(b.Vault)
		m.client.SendTemplate(t.Context(), token, number, what)
	}
	end := time.Now().Add(30 * time.Second)
	for {
		sum := m.Summary()
		if done := sum.Statuses["delivered"] + sum.Statuses["failed"]; done == int64(len(address)) && sum.Webhooks.Pending == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("Meta did not tell everything: %+v", sum)
		}
		select {
		case <-t.Context().Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// apply gives the statuses to the ledger, as the worker does, and counts.
func (m *meta) apply(t *testing.T, b *fixture.Broadcast, run id.Run) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []messages.Told
	for _, s := range m.told {
		all = append(all, messages.Told{Status: s, Number: b.Number, Received: time.Now()})
	}
	b.In(t, func(tx pgx.Tx) error {
		done, err := messages.ApplyStatuses(t.Context(), tx, b.Vault, b.Workspace, all)
		if err == nil && done.Matched == 0 {
			t.Errorf("no status was applied: %+v", done)
		}
		if err != nil {
			return err
		}
		return charges.Count(t.Context(), tx, b.Workspace, run)
	})
}

// What Meta's receipts cost is what the sandbox's journal says was accepted and
// could be delivered, to the last micro, by country and tier.
func TestActualIsWhatTheJournalSays(t *testing.T) {
	t.Parallel()
	m := newMeta(t)
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.Template = b.AddTemplate(t, "UTILITY", "APPROVED", "Hello {{1}}.")
	people(t, b)
	b.AddCard(t, time.Now().AddDate(0, 0, -2), fixture.FakeCard)
	l := b.Launch(t, "Order update")
	b.In(t, func(tx pgx.Tx) error { return estimate.Fix(t.Context(), tx, b.Workspace, l.RunID) })
	b.Do(t, `update message set state = 'suppressed', reason = 'opted_out' where workspace_id = $1 and ordinal in (1, 2)`, b.Workspace)
	m.send(t, b, l.RunID)
	m.apply(t, b, l.RunID)

	arrived := map[string]int64{}
	for _, e := range m.Entries(0, 1000) {
		if e.Accepted && !strings.HasSuffix(e.Recipient, "026") {
			arrived[map[bool]string{true: "SA", false: "EG"}[strings.HasPrefix(strings.TrimPrefix(e.Recipient, "+"), "9991")]]++
		}
	}
	want := map[string]int64{"SA": 100_000*min(100, arrived["SA"]) + 50_000*max(0, arrived["SA"]-100), "EG": 40_000 * arrived["EG"]}
	k := read(t, b, l.CampaignID)
	if k.Delivered != arrived["SA"]+arrived["EG"] || k.Delivered != m.Summary().Statuses["delivered"] || arrived["SA"] <= 100 {
		t.Errorf("%d delivered, the journal has %v", k.Delivered, arrived)
	}
	got := map[string]int64{}
	for _, line := range k.Lines {
		if line.Model != "PMP" || line.Category != "utility" || line.Free != 0 || line.Unpriced != 0 {
			t.Errorf("%+v", line)
		}
		got[line.Country] += line.Amount.Micros
	}
	if got["SA"] != want["SA"] || got["EG"] != want["EG"] || k.Actual.Micros != want["SA"]+want["EG"] {
		t.Errorf("cost %v, by the journal %v", got, want)
	}
	if k.Estimated == nil || k.Estimated.Micros != 100*100_000+20*50_000+40*40_000 || k.People != 160 || k.Open != 0 {
		t.Errorf("%+v", k)
	}
	check(t, k, map[string]int64{cost.SuppressedSince: 2, cost.NotDelivered: 16})
}

// check looks whether the causes add up and concern so many messages.
func check(t *testing.T, k cost.Cost, messages map[string]int64) {
	t.Helper()
	var sum int64
	for _, c := range k.Variance.Causes {
		sum += c.Amount.Micros
		if want, ok := messages[c.Cause]; ok && c.Messages != want {
			t.Errorf("%s concerns %d, want %d", c.Cause, c.Messages, want)
		}
	}
	if sum != k.Actual.Micros-k.Estimated.Micros || sum != k.Variance.Difference.Micros {
		t.Errorf("the causes add up to %d: %+v", sum, k.Variance)
	}
}

func read(t *testing.T, b *fixture.Broadcast, campaign id.Campaign) (k cost.Cost) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) (err error) {
		k, err = cost.Get(t.Context(), tx, b.Workspace, campaign)
		return err
	})
	return k
}

// receipt lets the first n messages of a run that are ready be delivered with a
// receipt's words.
func receipt(t *testing.T, b *fixture.Broadcast, run id.Run, n int, pricing string, at time.Time) {
	t.Helper()
	b.Do(t, `update message set state = 'delivered', delivered_at = $5, pricing = $4::jsonb
		where workspace_id = $1 and run_id = $2 and ordinal in (
			select ordinal from message where run_id = $2 and state = 'ready' order by ordinal limit $3)`, b.Workspace, run, n, pricing, at)
}

const (
	charged = `{"billable": true, "pricing_model": "PMP", "type": "regular", "category": "marketing"}`
	free    = `{"billable": false, "pricing_model": "PMP", "type": "free_entry_point", "category": "referral_conversion"}`
	other   = `{"billable": true, "pricing_model": "PMP", "type": "regular", "category": "utility"}`
	odd     = `{"billable": true, "pricing_model": "NBP", "type": "regular", "category": "marketing"}`
	talk    = `{"billable": true, "pricing_model": "CBP", "type": "regular", "category": "marketing"}`
)

// Every receipt is counted once, under what it means; a count again changes
// nothing, and another workspace sees none of it.
func TestEveryReceiptIsCountedOnce(t *testing.T) {
	t.Parallel()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.AddPeople(t, b.Audience, 20)
	now := time.Now()
	b.AddCard(t, now.AddDate(0, -2, 0), fixture.FakeCard)
	l := b.Launch(t, "Offer")
	if k := read(t, b, l.CampaignID); k.CountedAt != nil || k.Actual != nil || k.Variance != nil {
		t.Errorf("before the count: %+v", k)
	}
	b.In(t, func(tx pgx.Tx) error { return estimate.Fix(t.Context(), tx, b.Workspace, l.RunID) })
	for pricing, n := range map[string]int{charged: 5, free: 2, other: 3, odd: 1, talk: 1, "null": 2} {
		receipt(t, b, l.RunID, n, pricing, now)
	}
	b.Do(t, `update message set state = 'failed', reason = 'x' where workspace_id = $1 and ordinal = 20`, b.Workspace)
	for range 2 {
		b.In(t, func(tx pgx.Tx) error { return charges.Count(t.Context(), tx, b.Workspace, l.RunID) })
		k := read(t, b, l.CampaignID)
		if k.People != 20 || k.Delivered != 14 || k.Open != 5 || k.Charged != 8 || k.Free[billing.FreeEntry72] != 2 ||
			k.Unpriced[billing.OddModel] != 2 || k.Unpriced[billing.NotTold] != 2 || len(k.Free) != 1 || len(k.Unpriced) != 2 {
			t.Fatalf("%+v", k)
		}
		if k.Actual.Micros != 5*900_000+3*100_000 || k.Estimated.Micros != 20*900_000 {
			t.Errorf("actual %v, estimated %v", k.Actual, k.Estimated)
		}
		check(t, k, map[string]int64{cost.NotDelivered: 1, cost.StillOpen: 5, cost.FreeOfCharge: 2, cost.PriceNotTold: 4, cost.OtherCategory: 3})
	}
	stranger := fixture.NewBroadcast(t, b.Pool)
	err := b.Pool.InWorkspace(t.Context(), stranger.Workspace, func(tx pgx.Tx) error {
		_, err := cost.Get(t.Context(), tx, stranger.Workspace, l.CampaignID)
		return err
	})
	if !errs.Is(err, "not_found") {
		t.Errorf("another workspace reads %v", err)
	}
}

// A conversation of before 2025-07-01 is priced by the card of its day, whatever
// day the count is made on; the run's costs add up to the month's.
func TestOldReceiptsAndTheMonth(t *testing.T) {
	t.Parallel()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.AddPeople(t, b.Audience, 30)
	b.AddCard(t, billing.Day(2025, time.January, 1), strings.ReplaceAll(fixture.FakeCard, "0.9", "0.7"))
	b.AddCard(t, billing.Day(2026, time.January, 1), fixture.FakeCard)
	first, second := b.Launch(t, "First"), b.Launch(t, "Second")
	receipt(t, b, first.RunID, 4, talk, time.Date(2025, 6, 30, 12, 0, 0, 0, time.UTC))
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	receipt(t, b, first.RunID, 20, other, noon)
	receipt(t, b, second.RunID, 30, other, noon)
	b.Do(t, `insert into run_charge (workspace_id, run_id, portfolio_id, outcome, day, country, model, type, category, billable, messages)
		values ($1, $2, $3, 'delivered', '2026-11-19', 'SA', 'PMP', 'regular', 'utility', true, 75)`, b.Workspace, b.Launch(t, "Third").RunID, b.Portfolio)
	b.In(t, func(tx pgx.Tx) error {
		if err := charges.Count(t.Context(), tx, b.Workspace, first.RunID); err != nil {
			return err
		}
		return charges.Count(t.Context(), tx, b.Workspace, second.RunID)
	})
	one, two := read(t, b, first.CampaignID), read(t, b, second.CampaignID)
	if one.Actual.Micros != 4*700_000+20*100_000 {
		t.Errorf("the first cost %v: %+v", one.Actual, one.Lines)
	}
	// 75 and 20 came before: 5 at the first tier, 25 at the second.
	if two.Actual.Micros != 5*100_000+25*50_000 {
		t.Errorf("the second cost %v: %+v", two.Actual, two.Lines)
	}
}

// The leader counts what is on its way, not too often, and what got a receipt late.
func TestWhatIsDue(t *testing.T) {
	t.Parallel()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.AddPeople(t, b.Audience, 3)
	l := b.Launch(t, "Offer")
	due := func() int {
		list, err := charges.Due(t.Context(), b.Pool.Engine())
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, w := range list {
			if w.Run == l.RunID && w.Workspace == b.Workspace {
				n++
			}
		}
		return n
	}
	count := func() {
		b.In(t, func(tx pgx.Tx) error { return charges.Count(t.Context(), tx, b.Workspace, l.RunID) })
	}
	if due() != 1 {
		t.Error("a run on its way is not due")
	}
	count()
	if due() != 0 {
		t.Error("it is due again at once")
	}
	pgtest.MoveClock(t, b.Pool, 11*time.Second)
	if due() != 1 {
		t.Error("it is not due after its pause")
	}
	count()
	b.Do(t, `update run set state = 'completed', settled_at = bareed_now() where workspace_id = $1`, b.Workspace)
	pgtest.MoveClock(t, b.Pool, time.Minute)
	if due() != 0 {
		t.Error("a run that is over is due")
	}
	b.Do(t, `insert into run_snapshot (workspace_id, run_id, at, total, suppressed, ready, sending, held, accepted, sent, delivered, read, failed, unknown, unconfirmed)
		values ($1, $2, bareed_now(), 3, '{}', 0, 0, 0, 3, 3, 3, 0, '{}', 0, 0)`, b.Workspace, l.RunID)
	if due() != 1 {
		t.Error("a late receipt is not counted")
	}
	count()
	if due() != 0 {
		t.Error("it is counted for ever")
	}
	b.Do(t, `update run_count set messages = 1000000 where workspace_id = $1`, b.Workspace)
	b.Do(t, `update run set settled_at = null where workspace_id = $1`, b.Workspace)
	pgtest.MoveClock(t, b.Pool, 2*time.Minute)
	if due() != 0 {
		t.Error("a million people are counted every minute")
	}
	pgtest.MoveClock(t, b.Pool, 3*time.Minute)
	if due() != 1 {
		t.Error("a million people are not counted")
	}
}

// When retention has dropped the messages, the counts stay.
func TestCountsOutliveTheMessages(t *testing.T) {
	t.Parallel()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.AddPeople(t, b.Audience, 3)
	b.AddCard(t, time.Now().AddDate(0, 0, -2), fixture.FakeCard)
	l := b.Launch(t, "Offer")
	receipt(t, b, l.RunID, 3, charged, time.Now())
	b.In(t, func(tx pgx.Tx) error { return charges.Count(t.Context(), tx, b.Workspace, l.RunID) })
	owner := pgtest.Owner(t, b.Pool)
	if _, err := owner.Exec(t.Context(), `delete from message where run_id = $1`, l.RunID); err != nil {
		t.Fatal(err)
	}
	b.In(t, func(tx pgx.Tx) error { return charges.Count(t.Context(), tx, b.Workspace, l.RunID) })
	if k := read(t, b, l.CampaignID); k.Actual == nil || k.Actual.Micros != 3*900_000 {
		t.Errorf("%+v", k)
	}
}

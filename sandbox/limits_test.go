package sandbox_test

import (
	"sync"
	"testing"
	"time"

	"bareed/sandbox"
	"bareed/whatsapp"
)

func (m *meta) sendAs(t *testing.T, tok, number string) whatsapp.SendResult {
	t.Helper()
	return m.client.SendTemplate(t.Context(), whatsapp.Token(tok), number, whatsapp.TemplateMessage{To: whatsapp.To{Phone: person(1)}, Name: "plain", Language: "en_US"})
}

func TestThroughputInAnySlidingSecond(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	if err := m.SetNumber(sandbox.NumberChange{NumberID: pnid, MPS: 80}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[whatsapp.Outcome]int{}
	begin := time.Now()
	for w := range 16 {
		wg.Go(func() {
			for i := range 40 {
				r := m.send(t.Context(), person(w*1000+i), callback(w*1000+i, 1))
				mu.Lock()
				got[r.Outcome]++
				mu.Unlock()
				if r.Outcome == whatsapp.RefusedForNow && r.Code != 130429 {
					t.Errorf("%+v", r)
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	s := m.Summary()
	if n := s.Numbers[pnid]; n.MaxAcceptedPerSecond != 80 || n.MaxRequestsPerSecond <= 80 {
		t.Errorf("%+v", n)
	}
	if got[whatsapp.Accepted] < 80 || got[whatsapp.Accepted] > int(took.Seconds()+1)*80 || got[whatsapp.Accepted]+got[whatsapp.RefusedForNow] != 640 {
		t.Errorf("%v in %v", got, took)
	}
}

func TestCoexistenceNumberIsSlow(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	if err := m.Apply(sandbox.Seed{Numbers: []sandbox.Number{{ID: pnid, WABAID: waba, DisplayPhone: "+15550100101", OnBizApp: true}}}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for try := 0; try < 30 && n < 20; try++ { // on a busy machine thirty may take longer than a second
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() { m.send(t.Context(), person(i), "") })
		}
		all.Wait()
		n = m.Summary().Numbers[pnid].MaxAcceptedPerSecond
	}
	if n != 20 {
		t.Errorf("%d", n)
	}
}

func TestPairLimit(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	who, began := 1, time.Now()
	for i := 0; i < 45; i++ {
		r := m.send(t.Context(), person(who), callback(i, 1))
		if r.Code == 131056 && time.Since(began) > 5*time.Second { // a busy machine: that was no burst
			who, began, i = who+2, time.Now(), -1
		} else if r.Outcome != whatsapp.Accepted {
			t.Fatalf("%d: %+v", i, r)
		}
	}
	refused := func(want bool) {
		t.Helper()
		r := m.send(t.Context(), person(who), "")
		if (r.Code == 131056) != want {
			t.Errorf("%+v", r)
		}
	}
	refused(true)
	if r := m.send(t.Context(), person(2), ""); r.Outcome != whatsapp.Accepted {
		t.Errorf("another person: %+v", r)
	}
	advance := func(d time.Duration) {
		t.Helper()
		if err := m.AdvanceClock(d); err != nil {
			t.Fatal(err)
		}
	}
	advance(45*6*time.Second - 2*time.Minute) // still paying back
	refused(true)
	advance(2 * time.Minute)
	refused(false)
	advance(7 * time.Second)
	refused(false)
}

func TestPortfolioLimitCountsDeliveries(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	if err := m.SetLimit(sandbox.LimitChange{PortfolioID: portfolio, Limit: "TIER_50", Silent: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.SendInbound(sandbox.Inbound{NumberID: pnid, From: person(60)}); err != nil {
		t.Fatal(err)
	}
	for i := range 61 {
		if r := m.send(t.Context(), person(i), callback(i, 1)); r.Outcome != whatsapp.Accepted {
			t.Fatalf("%+v", r)
		}
	}
	m.inbox.until(func() bool { return m.inbox.count("sent") == 61 && m.Summary().Webhooks.Pending == 0 })
	s := m.Summary()
	if s.Statuses["delivered"] != 51 || s.OverLimit != 10 || s.Portfolios[portfolio].Uniques24h != 50 || s.Portfolios[portfolio].Limit != 50 {
		t.Errorf("%+v %+v over %d", s.Statuses, s.Portfolios, s.OverLimit)
	}
	// Somebody already counted is reached again, and a day later everybody is new.
	var counted string
	for _, st := range m.inbox.statuses() {
		if st.Kind == "delivered" && st.RecipientID != person(60)[1:] {
			counted = "+" + st.RecipientID
		}
	}
	m.send(t.Context(), counted, "")
	m.inbox.until(func() bool { return m.inbox.count("delivered") == 52 })
	if err := m.AdvanceClock(24*time.Hour + time.Second); err != nil {
		t.Fatal(err)
	}
	if n := m.Summary().Portfolios[portfolio]; n.Uniques24h != 0 || n.MaxUniques24h != 50 {
		t.Errorf("%+v", n)
	}
	m.send(t.Context(), person(500), "")
	m.inbox.until(func() bool { return m.inbox.count("delivered") == 53 })
}

func TestOverLimitCanFailInstead(t *testing.T) {
	t.Parallel()
	m := start(t, func(_ *sandbox.Config, sc *sandbox.Scenario) { sc.OverLimitCode = 131049 })
	if err := m.SetLimit(sandbox.LimitChange{PortfolioID: portfolio, Limit: "TIER_50", Silent: true}); err != nil {
		t.Fatal(err)
	}
	for i := range 52 {
		m.send(t.Context(), person(i), "")
	}
	m.inbox.until(func() bool { return m.inbox.count("failed") == 2 })
}

func TestTextNeedsAWindow(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	say := func() whatsapp.SendResult {
		return m.client.SendText(t.Context(), token, pnid, whatsapp.TextMessage{To: whatsapp.To{Phone: person(1)}, Body: "hi"})
	}
	if r := say(); r.Outcome != whatsapp.Accepted {
		t.Fatalf("%+v", r)
	}
	m.inbox.until(func() bool { return m.inbox.count("failed") == 1 })
	if _, err := m.SendInbound(sandbox.Inbound{NumberID: pnid, From: person(1), Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	say()
	m.inbox.until(func() bool { return m.inbox.count("delivered") == 1 })
	if err := m.AdvanceClock(25 * time.Hour); err != nil {
		t.Fatal(err)
	}
	say()
	m.inbox.until(func() bool { return m.inbox.count("failed") == 2 })
}

func TestManagementLimit(t *testing.T) {
	t.Parallel()
	m := start(t, func(_ *sandbox.Config, sc *sandbox.Scenario) { sc.ManagementPerHour = 3 })
	for range 3 {
		if _, err := m.client.GetWABA(t.Context(), token, waba); err != nil {
			t.Fatal(err)
		}
	}
	_, err := m.client.GetWABA(t.Context(), token, waba)
	e, ok := err.(*whatsapp.Error)
	if !ok || e.Code != 80007 || e.RetryAfter != time.Hour {
		t.Errorf("%v", err)
	}
}

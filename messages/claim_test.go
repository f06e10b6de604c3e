package messages_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
)

// Each gate alone must keep a claim from being granted; a gate that only a
// person's consent closes suppresses the message, every other leaves it ready.
func TestEveryGateIsInsideTheClaim(t *testing.T) {
	t.Parallel()
	stop := func(scope string, pick func(*ledger) any) func(*ledger) {
		return func(l *ledger) {
			l.exec(`insert into stop (workspace_id, id, scope, scope_id, reason, by_rule, opened_by)
				values ($1, $2, $3, $4, 'test', true, 'test')`, l.ws, id.New[id.Stop](), scope, pick(l))
		}
	}
	for _, tt := range []struct {
		name   string
		close  func(*ledger)
		state  messages.State
		reason string
	}{
		{"stop on the workspace", stop("workspace", func(l *ledger) any { return l.ws }), messages.Ready, ""},
		{"stop on the portfolio", stop("portfolio", func(l *ledger) any { return l.portfolio }), messages.Ready, ""},
		{"stop on the WABA", stop("waba", func(l *ledger) any { return l.waba }), messages.Ready, ""},
		{"stop on the number", stop("number", func(l *ledger) any { return l.number }), messages.Ready, ""},
		{"stop on the template", stop("template", func(l *ledger) any { return l.template }), messages.Ready, ""},
		{"stop on the campaign", stop("campaign", func(l *ledger) any { return l.campaign }), messages.Ready, ""},
		{"stop on the run", stop("run", func(l *ledger) any { return l.run }), messages.Ready, ""},
		{"run over", func(l *ledger) { l.exec(`update run set state = 'stopped'`) }, messages.Ready, ""},
		{"run not begun", func(l *ledger) { l.exec(`update run set starts_at = bareed_now() + interval '1 hour'`) }, messages.Ready, ""},
		{"run expired", func(l *ledger) { l.exec(`update run set expires_at = bareed_now()`) }, messages.Ready, ""},
		{"workspace suspended", func(l *ledger) { l.exec(`update workspace set state = 'suspended'`) }, messages.Ready, ""},
		{"number not connected", func(l *ledger) { l.exec(`update number set status = 'RESTRICTED'`) }, messages.Ready, ""},
		{"number disconnected", func(l *ledger) { l.exec(`update number set disconnected_at = bareed_now()`) }, messages.Ready, ""},
		{"template paused", func(l *ledger) { l.exec(`update template set status = 'PAUSED'`) }, messages.Ready, ""},
		{"backing off", func(l *ledger) { l.exec(`update message set not_before = bareed_now() + interval '1 minute'`) }, messages.Ready, ""},
		{"limit not known", func(l *ledger) { l.exec(`update portfolio set limit_known = false`) }, messages.Ready, ""},
		{"no place under the limit", func(l *ledger) { l.exec(`update portfolio set messaging_limit = 250`) }, messages.Ready, ""},
		{"no opt-in", func(l *ledger) { l.exec(`delete from permission`) }, messages.Suppressed, messages.NoOptIn},
		{"opt-in for another purpose", func(l *ledger) { l.exec(`update permission set purpose = 'utility'`) }, messages.Suppressed, messages.NoOptIn},
		{"opted out", func(l *ledger) { l.exec(`update permission set granted = false`) }, messages.Suppressed, messages.OptedOut},
		{"consent expired", func(l *ledger) { l.exec(`update permission set expires_at = bareed_now()`) }, messages.Suppressed, messages.ConsentExpired},
		{"suppressed by hash", func(l *ledger) {
			l.exec(`insert into suppression (workspace_id, recipient_hash, purpose, key_version, reason)
				select workspace_id, recipient_hash, 'marketing', 1, 'opted_out' from message`)
		}, messages.Suppressed, messages.OptedOut},
		{"erased", func(l *ledger) {
			l.exec(`insert into suppression (workspace_id, recipient_hash, purpose, key_version, reason)
				select workspace_id, recipient_hash, 'marketing', 1, 'erased' from message`)
		}, messages.Suppressed, messages.Deleted},
		{"cooling off", func(l *ledger) { l.cool(time.Hour) }, messages.Suppressed, "cooling_off"},
		{"beyond the budget", func(l *ledger) { l.exec(`update run set budget_to = 0`) }, messages.Ready, ""},
		{"beyond the wave, within the budget", func(l *ledger) { l.exec(`update run set budget_to = 1, wave_to = 0`) }, messages.Ready, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, 1)
			tt.close(l)
			if got := l.claim(1); len(got) != 0 {
				t.Fatalf("the claim was granted")
			}
			l.in(func(tx pgx.Tx) error {
				return messages.Refused(t.Context(), tx, l.ws, []id.Message{l.message(1)})
			})
			l.wantState(1, tt.state, tt.reason)
		})
	}
}

// cool has everybody of the run left alone for so long.
func (l *ledger) cool(d time.Duration) {
	l.exec(`insert into cool_off (workspace_id, recipient_hash, until) select workspace_id, recipient_hash, bareed_now() + $1::interval from message`, d)
}

// Caps that do not hold let the claim be.
func TestCapsThatDoNotHold(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*ledger){
		"cooled off": func(l *ledger) { l.cool(-time.Second) },
		"somebody else cools": func(l *ledger) {
			l.exec(`insert into cool_off (workspace_id, recipient_hash, until) values ($1, '\x01', bareed_now() + interval '1 day')`, l.ws)
		},
		"utility": func(l *ledger) {
			l.cool(time.Hour)
			l.exec(`update run set purpose = 'utility'`)
			l.exec(`update permission set purpose = 'utility'`)
		},
		"authentication": func(l *ledger) {
			l.cool(time.Hour)
			l.exec(`update run set purpose = 'authentication'`)
			l.exec(`update permission set purpose = 'authentication'`)
		},
		"the budget pays":      func(l *ledger) { l.exec(`update run set budget_to = 1`) },
		"wave and budget both": func(l *ledger) { l.exec(`update run set budget_to = 1, wave_to = 1`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, 1)
			set(l)
			if got := l.claim(1); len(got) != 1 {
				t.Error("the claim was refused")
			}
		})
	}
}

func TestClaimIsGrantedOnceAndCarriesTheMessage(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 2)
	c, ok := l.claim(1, 2)[1]
	if !ok {
		t.Fatal("an open message was not granted")
	}
	if c.Attempt != 1 || c.Address != "+966500000000" || c.Contact != l.contacts[0] || c.Number != l.number || c.Campaign != l.campaign {
		t.Errorf("the claim is %+v", c)
	}
	l.wantState(1, messages.Sending, "")
	if again := l.claim(1, 2); len(again) != 0 {
		t.Errorf("a claimed message was granted again")
	}
}

func TestStopThatRanOutOpensAgain(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 1)
	open := func() (opened bool) {
		l.in(func(tx pgx.Tx) (err error) {
			until := time.Now().Add(time.Hour)
			opened, err = messages.OpenStop(t.Context(), tx, l.ws, messages.Opening{
				Scope: messages.ScopeNumber, ScopeID: l.number, Reason: "quality_red", ByRule: true, Until: &until, By: "system:test"})
			return err
		})
		return opened
	}
	if !open() || open() {
		t.Fatal("want the first to open and the second to keep it")
	}
	if len(l.claim(1)) != 0 {
		t.Fatal("granted under an open stop")
	}
	l.later(2 * time.Hour)
	if len(l.claim(1)) != 1 {
		t.Fatal("refused after the stop ran out")
	}
	var events int
	if err := l.owner.QueryRow(t.Context(), `select count(*) from campaign_event where campaign_id = $1`, l.campaign).Scan(&events); err != nil || events != 1 {
		t.Errorf("%d events told the campaign, want 1 (%v)", events, err)
	}
}

// A stop without an end stays without one, whichever of two openings said so.
func TestStopWithoutAnEndStaysOpen(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string][]bool{"then with an end": {false, true}, "first with an end": {true, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, 1)
			for _, ends := range ends {
				o := messages.Opening{Scope: messages.ScopeWABA, ScopeID: l.waba, Reason: "restriction_x", ByRule: true, By: "system:test"}
				if until := time.Now().Add(time.Hour); ends {
					o.Until = &until
				}
				l.in(func(tx pgx.Tx) error {
					_, err := messages.OpenStop(t.Context(), tx, l.ws, o)
					return err
				})
			}
			l.later(2 * time.Hour)
			if len(l.claim(1)) != 0 {
				t.Error("granted although nobody cleared the stop")
			}
		})
	}
}

// Forty claimers over the same rows, in every order: each row is granted once,
// and none of them deadlocks.
func TestParallelClaimersShareNothing(t *testing.T) {
	t.Parallel()
	const rows, claimers = 40, 40
	l := newLedger(t, rows)
	var mu sync.Mutex
	granted := map[int]int{}
	var wg sync.WaitGroup
	for k := range claimers {
		wg.Go(func() {
			var order []int
			for i := range rows {
				order = append(order, 1+(i*(2*k+1)+k)%rows)
			}
			got, err := l.tryClaim(t.Context(), order...)
			if err != nil {
				t.Errorf("claim: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			for o := range got {
				granted[o]++
			}
		})
	}
	wg.Wait()
	if len(granted) != rows {
		t.Errorf("%d of %d rows were granted", len(granted), rows)
	}
	for o, n := range granted {
		if n != 1 {
			t.Errorf("row %d was granted %d times", o, n)
		}
	}
}

// After a stop commits, no claim that begins later is granted, however many
// claimers race with it. Each keeps a few messages for after the stop.
func TestNoClaimBeginsAfterAStopCommits(t *testing.T) {
	t.Parallel()
	const rows, claimers, kept = 72, 6, 4
	l := newLedger(t, rows)
	stopped := make(chan struct{})
	var late, early atomic.Int32
	var racing, all sync.WaitGroup
	racing.Add(claimers)
	claim := func(o int) {
		began := false
		select {
		case <-stopped:
			began = true
			late.Add(1)
		default:
		}
		got, err := l.tryClaim(t.Context(), o)
		if err != nil {
			t.Errorf("claim: %v", err)
		}
		if began && len(got) > 0 {
			t.Errorf("message %d was granted after the stop", o)
		}
		early.Add(int32(len(got)))
	}
	for k := range claimers {
		all.Go(func() {
			for o := 1 + k; o <= rows; o += claimers {
				switch o / claimers {
				case 1:
					racing.Done() // the stop comes from here on
				case rows/claimers - kept:
					<-stopped
				}
				claim(o)
			}
		})
	}
	racing.Wait()
	l.in(func(tx pgx.Tx) error {
		_, err := messages.OpenStop(t.Context(), tx, l.ws, messages.Opening{
			Scope: messages.ScopeCampaign, ScopeID: l.campaign, Reason: messages.Paused, By: "test"})
		return err
	})
	close(stopped)
	all.Wait()
	if late.Load() < claimers*kept || early.Load() == 0 {
		t.Errorf("%d claims began after the stop and %d were granted before: nothing raced", late.Load(), early.Load())
	}
}

func TestAnotherWorkspaceClaimsNothing(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 1)
	got, err := messages.ClaimAll(t.Context(), l.pool, id.New[id.Workspace](), "test",
		[]messages.Want{{Message: l.message(1)}})
	if err != nil || len(got) != 0 {
		t.Fatalf("granted %d, %v", len(got), err)
	}
	l.wantState(1, messages.Ready, "")
}

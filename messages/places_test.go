package messages_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/whatsapp"
)

// limited gives the portfolio a limit, and every message of the run a place.
func (l *ledger) limited() {
	l.t.Helper()
	l.exec(`update portfolio set messaging_limit = 250, places = (select count(*) from message)`)
	l.exec(`insert into place (portfolio_id, recipient_hash, run_id, ordinal) select $1, recipient_hash, run_id, ordinal from message`, l.portfolio)
	l.exec(`update run set fed = planned`)
}

// place tells how a message's person stands: reserved, counted, freed, or none.
func (l *ledger) place(ordinal int) (state string) {
	l.t.Helper()
	err := l.owner.QueryRow(l.t.Context(), `
		select coalesce((select case when p.freed_at is not null then 'freed' when p.counted_at is not null then 'counted' else 'reserved' end
			from place p join message m on m.recipient_hash = p.recipient_hash
			where m.run_id = $1 and m.ordinal = $2), 'none')`, l.run, ordinal).Scan(&state)
	if err != nil {
		l.t.Fatal(err)
	}
	return state
}

func (l *ledger) wantPlace(ordinal int, want string) {
	l.t.Helper()
	if got := l.place(ordinal); got != want {
		l.t.Errorf("the place of %d is %s, want %s", ordinal, got, want)
	}
}

func TestWhatBecomesOfAPlace(t *testing.T) {
	t.Parallel()
	const opens = `insert into service_window (workspace_id, number_id, recipient_hash, open_until)
		select workspace_id, $1, recipient_hash, bareed_now() + $2::interval from message`
	for _, tt := range []struct {
		name string
		do   func(l *ledger)
		want string
	}{
		{"nothing", func(l *ledger) {}, "reserved"},
		{"sent", func(l *ledger) { l.accept(1) }, "reserved"},
		{"delivered", func(l *ledger) {
			l.accept(1)
			l.apply(l.number, l.status(1, 1, "delivered", time.Now()))
		}, "counted"},
		{"refused for good", func(l *ledger) {
			l.record(messages.ResultOf(l.claim(1)[1], whatsapp.SendResult{Outcome: whatsapp.RefusedForGood, Code: 131008, HTTPStatus: 400}))
		}, "freed"},
		{"refused for now", func(l *ledger) {
			l.record(messages.ResultOf(l.claim(1)[1], whatsapp.SendResult{Outcome: whatsapp.RefusedForNow, Code: whatsapp.CodeThroughput, HTTPStatus: 400}))
		}, "reserved"},
		{"failed afterwards", func(l *ledger) {
			l.accept(1)
			l.apply(l.number, l.status(1, 1, "failed", time.Now()))
		}, "freed"},
		{"failed, and delivered after all", func(l *ledger) {
			l.accept(1)
			l.apply(l.number, l.status(1, 1, "failed", time.Now()))
			l.apply(l.number, l.status(1, 1, "delivered", time.Now()))
		}, "counted"},
		{"delivered in a window that was open when it left", func(l *ledger) {
			l.exec(opens, l.number, 20*time.Hour)
			l.accept(1)
			l.apply(l.number, l.status(1, 1, "delivered", time.Now()))
		}, "freed"},
		{"delivered in a window that opened afterwards", func(l *ledger) {
			l.accept(1)
			l.exec(opens, l.number, 24*time.Hour)
			l.apply(l.number, l.status(1, 1, "delivered", time.Now()))
		}, "counted"},
		{"delivered in a window that opened in the moment of the claim", func(l *ledger) {
			l.accept(1)
			l.exec(`insert into service_window (workspace_id, number_id, recipient_hash, open_until)
				select workspace_id, $1, recipient_hash, claimed_at + interval '24 hours' from message`, l.number)
			l.apply(l.number, l.status(1, 1, "delivered", time.Now()))
		}, "counted"},
		{"the person opted out before the claim", func(l *ledger) {
			l.exec(`update permission set granted = false`)
			l.in(func(tx pgx.Tx) error { return messages.Refused(l.t.Context(), tx, l.ws, []id.Message{l.message(1)}) })
		}, "freed"},
		{"the run was stopped", func(l *ledger) {
			l.in(func(tx pgx.Tx) error {
				_, err := messages.SuppressReady(l.t.Context(), tx, l.ws, l.run, messages.Stopped, 10)
				return err
			})
		}, "freed"},
		{"the run was stopped before it was handed over", func(l *ledger) {
			l.exec(`update run set fed = 0`)
			l.in(func(tx pgx.Tx) error {
				_, err := messages.SuppressReady(l.t.Context(), tx, l.ws, l.run, messages.Stopped, 10)
				return err
			})
		}, "reserved"}, // another's: it never asked for one
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, 1)
			l.limited()
			tt.do(l)
			l.wantPlace(1, tt.want)
		})
	}
}

// TestLateRefusalKeepsThePlaceOfANewerClaim: the answer to a claim that was given
// up comes while the next one's request is on its way.
func TestLateRefusalKeepsThePlaceOfANewerClaim(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 1)
	l.limited()
	old := l.claim(1)[1]
	l.exec(`update message set state = 'ready', claim_token = null where state = 'sending'`)
	if len(l.claim(1)) != 1 {
		t.Fatal("no second claim")
	}
	l.record(messages.ResultOf(old, whatsapp.SendResult{Outcome: whatsapp.RefusedForGood, Code: 131008, HTTPStatus: 400}))
	l.wantState(1, messages.Sending, "")
	l.wantPlace(1, "reserved")
}

// TestClaimNeedsItsOwnPlace: a place that another message alone is on its way on
// is not good for this one, because that one's failure would free it.
func TestClaimNeedsItsOwnPlace(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, place string
		want        int
	}{
		{"its own", ``, 1},
		{"one with others", `update place set ordinal = 0`, 1},
		{"another's", `update place set ordinal = 7`, 0},
		{"nobody's any more", `update place set ordinal = null, counted_at = bareed_now()`, 0},
		{"reserved long ago", `update place set reserved_at = bareed_now() - interval '61 minutes'`, 0},
		{"freed", `update place set freed_at = bareed_now()`, 0},
		{"over", `update place set over_at = bareed_now()`, 0},
		{"more are taken than Meta allows", `update portfolio set places = 251`, 0},
		{"as many are taken as Meta allows", `update portfolio set places = 250`, 1},
		{"more are taken, but this person is counted", `with p as (update portfolio set places = 251) update place set counted_at = bareed_now()`, 1},
		{"nobody was counted before the limit came", `update portfolio set recount = true`, 0},
		{"and there is none again", `update portfolio set recount = true, messaging_limit = null`, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, 1)
			l.limited()
			if tt.place != "" {
				l.exec(tt.place)
			}
			if got := l.claim(1); len(got) != tt.want {
				t.Errorf("%d claims, want %d", len(got), tt.want)
			}
		})
	}
}

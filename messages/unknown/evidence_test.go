package unknown_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
	"bareed/messages/unknown"
)

// ledger is a workspace with one run under the evidence policy; rows are put
// there as they would be after the worker, the webhooks and the clock.
type ledger struct {
	t        *testing.T
	pool     *pg.Pool
	owner    *pgx.Conn
	ws       id.Workspace
	run      id.Run
	other    id.Run // of the same number and template
	foreign  id.Run // of another template
	template id.Template
	app      id.App
	next     int32
	at       time.Time // of the ledger; ages count from here
	began    time.Time // the same on this machine's clock
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	pool := pgtest.New(t)
	l := &ledger{t: t, pool: pool, owner: pgtest.Owner(t, pool), ws: id.New[id.Workspace](), run: id.New[id.Run](), other: id.New[id.Run](),
		foreign: id.New[id.Run](), template: id.New[id.Template](), app: id.New[id.App]()}
	org, portfolio, waba, number, second := id.New[id.Organisation](), id.New[id.Portfolio](), id.New[id.WABA](), id.New[id.Number](), id.New[id.Template]()
	l.exec(`insert into organisation (id, name) values ($1, 'Acme')`, org)
	l.exec(`insert into workspace (workspace_id, organisation_id, name, data_key) values ($1, $2, 'Main', '\x00')`, l.ws, org)
	l.exec(`insert into meta_app (id, organisation_id, meta_app_id, secret, verify_token) values ($1, $2, '1', '\x00', '\x00')`, l.app, org)
	l.exec(`insert into portfolio (id, meta_business_id, limit_known) values ($1, '1', true)`, portfolio)
	l.exec(`insert into waba (workspace_id, id, meta_waba_id, portfolio_id, app_id, token, token_hint) values ($1, $2, '1', $3, $4, '\x00', '')`,
		l.ws, waba, portfolio, l.app)
	l.exec(`insert into number (workspace_id, id, waba_id, portfolio_id, app_id, phone_number_id, display_phone, quality, status, echo_seen_at)
		values ($1, $2, $3, $4, $5, '1', '+1 555 010 0101', 'GREEN', 'CONNECTED', bareed_now())`, l.ws, number, waba, portfolio, l.app)
	for i, template := range []id.Template{l.template, second} {
		l.exec(`insert into template (workspace_id, id, waba_id, meta_template_id, name, language, category, status, components, components_hash)
			values ($1, $2, $3, $4, $5, 'en', 'UTILITY', 'APPROVED', '[]', '\x00')`, l.ws, template, waba, fmt.Sprint(i), fmt.Sprint("t", i))
	}
	l.began = time.Now()
	if err := l.owner.QueryRow(t.Context(), `select bareed_now()`).Scan(&l.at); err != nil {
		t.Fatal(err)
	}
	for run, template := range map[id.Run]id.Template{l.run: l.template, l.other: l.template, l.foreign: second} {
		l.exec(`insert into run (workspace_id, id, occurrence_key, kind, state, purpose, number_id, waba_id, portfolio_id,
				template_id, template, components_hash, variables, unknown_policy, starts_at, plan_done, created_at)
			values ($1, $2, 'once', 'api', 'running', 'utility', $3, $4, $5, $6, '{}', '\x00', '{}', 'evidence',
				bareed_now() - interval '3 hours', true, bareed_now() - interval '3 hours')`, l.ws, run, number, waba, portfolio, template)
	}
	return l
}

func (l *ledger) exec(sql string, args ...any) {
	l.t.Helper()
	if _, err := l.owner.Exec(l.t.Context(), sql, args...); err != nil {
		l.t.Fatalf("%s: %v", sql, err)
	}
}

// row is one message as the ledger would hold it, claimed some time ago.
type row struct {
	run   id.Run
	state string
	ago   time.Duration
	http  int // 0: no answer of Meta's
	held  bool
}

func (l *ledger) put(r row) int32 {
	l.t.Helper()
	l.next++
	if r.run.IsZero() {
		r.run = l.run
	}
	accepted := r.state != "unknown" && r.state != "unconfirmed"
	l.exec(`insert into message (workspace_id, run_id, ordinal, contact_id, recipient_key, recipient_hash, address, state, attempt,
			claim_token, claimed_at, http_status, accepted_at, held_at)
		values ($1, $2, $3, $4, $5, '\x00', '', $6, 1, $7, $12::timestamptz - $8::interval, nullif($9, 0),
			case when $10 then bareed_now() end, case when $11 then bareed_now() end)`,
		l.ws, r.run, l.next, uuid.New(), fmt.Sprint("p:", l.next), r.state, uuid.New(), r.ago, r.http, accepted, r.held, l.at)
	return l.next
}

func (l *ledger) event(state string, ago time.Duration) {
	l.t.Helper()
	l.exec(`insert into event (workspace_id, id, received_at, app_id, fields, body, state)
		values ($1, $2, $6::timestamptz - $3::interval, $4, '{messages}', '\x00', $5)`, l.ws, uuid.New(), ago, l.app, state, l.at)
}

// round judges and resends once, at the moment that ages count from however long
// the machine took since, and returns the ordinals that are ready.
func (l *ledger) round() []int32 {
	l.t.Helper()
	l.exec(`update clock_offset set shift = $1`, -time.Since(l.began))
	var ready []int32
	err := l.pool.InWorkspace(l.t.Context(), l.ws, func(tx pgx.Tx) error {
		list, err := unknown.Look(l.t.Context(), tx, l.ws, l.run, unknown.Settings{})
		if err != nil {
			return err
		}
		if _, err = unknown.Resend(l.t.Context(), tx, l.ws, l.run, list, unknown.Settings{}); err != nil {
			return err
		}
		rows, err := tx.Query(l.t.Context(), `select ordinal from message where run_id = $1 and state = 'ready' order by 1`, l.run)
		if err != nil {
			return err
		}
		ready, err = pgx.CollectRows(rows, pgx.RowTo[int32])
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return ready
}

// Each condition of the rule, in rows.
func TestEvidenceRule(t *testing.T) {
	t.Parallel()
	neighbours := func(l *ledger, n int, r row) {
		for range n {
			l.put(r)
		}
	}
	sent := row{state: "sent", ago: 20 * time.Minute, http: 200}
	for _, tt := range []struct {
		name   string
		change func(l *ledger)
		resent bool
	}{
		{"all conditions hold", func(l *ledger) { neighbours(l, 20, sent) }, true},
		{"neighbours of another run of the same number and template", func(l *ledger) {
			neighbours(l, 20, row{run: l.other, state: "read", ago: 18 * time.Minute, http: 200})
		}, true},
		{"neighbours of another template", func(l *ledger) {
			neighbours(l, 20, row{run: l.foreign, state: "sent", ago: 20 * time.Minute, http: 200})
		}, false},
		{"one neighbour too few", func(l *ledger) { neighbours(l, 19, sent) }, false},
		{"neighbours too far", func(l *ledger) { neighbours(l, 20, row{state: "sent", ago: 26 * time.Minute, http: 200}) }, false},
		{"neighbours known only by their receipt", func(l *ledger) { neighbours(l, 20, row{state: "sent", ago: 20 * time.Minute}) }, false},
		{"neighbours that failed at Meta were heard of too", func(l *ledger) { neighbours(l, 20, row{state: "failed", ago: 20 * time.Minute, http: 200}) }, true},
		{"one silent neighbour", func(l *ledger) {
			neighbours(l, 40, sent)
			l.put(row{state: "accepted", ago: 16 * time.Minute, http: 200})
		}, false},
		{"one silent neighbour of another run", func(l *ledger) {
			neighbours(l, 40, sent)
			l.put(row{run: l.other, state: "accepted", ago: 16 * time.Minute, http: 200})
		}, false},
		{"a silent one outside the window", func(l *ledger) {
			neighbours(l, 20, sent)
			l.put(row{state: "accepted", ago: 26 * time.Minute, http: 200})
		}, true},
		{"one held neighbour", func(l *ledger) {
			neighbours(l, 40, sent)
			l.put(row{state: "held", ago: 20 * time.Minute, http: 200, held: true})
		}, false},
		{"one that was held and released", func(l *ledger) {
			neighbours(l, 40, sent)
			l.put(row{state: "sent", ago: 20 * time.Minute, http: 200, held: true})
		}, false},
		{"an event waits", func(l *ledger) { neighbours(l, 20, sent); l.event("new", time.Minute) }, false},
		{"an event has just come", func(l *ledger) { neighbours(l, 20, sent); l.event("new", time.Second) }, true},
		{"an event since could not be applied", func(l *ledger) { neighbours(l, 20, sent); l.event("failed", 19*time.Minute) }, false},
		{"an event before could not be applied", func(l *ledger) { neighbours(l, 20, sent); l.event("failed", 21*time.Minute) }, true},
		{"the policy is hold", func(l *ledger) { neighbours(l, 20, sent); l.exec(`update run set unknown_policy = 'hold'`) }, false},
		{"the run was stopped", func(l *ledger) { neighbours(l, 20, sent); l.exec(`update run set state = 'stopped'`) }, false},
		{"the run is finishing", func(l *ledger) { neighbours(l, 20, sent); l.exec(`update run set state = 'finishing'`) }, true},
		{"no echo was ever seen", func(l *ledger) { neighbours(l, 20, sent); l.exec(`update number set echo_seen_at = null`) }, false},
		{"too young", func(l *ledger) {
			neighbours(l, 20, sent)
			l.exec(`update message set claimed_at = bareed_now() - interval '14 minutes' where state = 'unknown'`)
		}, false},
		{"it was sent again before", func(l *ledger) {
			neighbours(l, 20, sent)
			l.exec(`insert into message_attempt (workspace_id, run_id, ordinal, attempt, claim_token, outcome)
				select workspace_id, run_id, ordinal, attempt, claim_token, 'resent_by_evidence' from message where state = 'unknown'`)
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			silent := l.put(row{state: "unknown", ago: 20 * time.Minute})
			tt.change(l)
			got := l.round()
			if resent := slices.Contains(got, silent); resent != tt.resent || len(got) > 1 {
				t.Errorf("sent again: %v (%v ready), want %v", resent, got, tt.resent)
			}
		})
	}
}

// model decides as the page of the rule says, message by message.
func model(silent row, all []row, events map[string][]time.Duration, l *ledger) bool {
	if silent.ago < 15*time.Minute {
		return false
	}
	for _, ago := range events["new"] {
		if ago > 10*time.Second {
			return false
		}
	}
	for _, ago := range events["failed"] {
		if ago < silent.ago {
			return false
		}
	}
	heard := 0
	for _, r := range all {
		if r.state == "unknown" || r.run == l.foreign || (r.ago-silent.ago).Abs() > 5*time.Minute {
			continue
		}
		if r.state == "accepted" || r.state == "held" || r.held {
			return false
		}
		if r.http == 200 {
			heard++
		}
	}
	return heard >= 20
}

// Random histories: exactly what the model calls proven is sent again, and a
// second round sends nothing more.
func TestEvidenceOverRandomHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 46))
			l := newLedger(t)
			var all []row
			ordinals := map[int32]row{}
			troubles := 0.002 * float64(rnd.IntN(4))
			for range 250 {
				r := row{run: []id.Run{l.run, l.run, l.run, l.other, l.foreign}[rnd.IntN(5)], http: 200,
					state: []string{"sent", "delivered", "read", "failed"}[rnd.IntN(4)],
					ago:   time.Duration(rnd.IntN(3600))*time.Second + 500*time.Millisecond}
				switch p := rnd.Float64(); {
				case p < troubles:
					r.state = []string{"accepted", "held"}[rnd.IntN(2)]
					r.held = r.state == "held"
				case p < troubles+0.1:
					r.http = 0
				case p < troubles+0.2:
					r.run, r.state, r.http = l.run, "unknown", 0
				}
				o := l.put(r)
				all = append(all, r)
				if r.state == "unknown" {
					ordinals[o] = r
				}
			}
			events := map[string][]time.Duration{}
			if rnd.IntN(4) == 0 {
				ago := time.Duration(rnd.IntN(3600))*time.Second + 250*time.Millisecond
				kind := []string{"failed", "failed", "new"}[rnd.IntN(3)]
				events[kind] = append(events[kind], ago)
				l.event(kind, ago)
			}
			var want []int32
			for o, r := range ordinals {
				if model(r, all, events, l) {
					want = append(want, o)
				}
			}
			slices.Sort(want)
			if got := l.round(); !slices.Equal(got, want) {
				t.Errorf("sent again %v, the model says %v", got, want)
			}
			if again := l.round(); !slices.Equal(again, want) {
				t.Errorf("a second round sent again %v", again)
			}
			t.Logf("%d of %d silent messages were proven unsent", len(want), len(ordinals))
		})
	}
}

// What was judged and has moved since is left alone.
func TestResendLooksAtTheRowAgain(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	silent := l.put(row{state: "unknown", ago: 20 * time.Minute})
	for range 20 {
		l.put(row{state: "sent", ago: 20 * time.Minute, http: 200})
	}
	err := l.pool.InWorkspace(t.Context(), l.ws, func(tx pgx.Tx) error {
		list, err := unknown.Look(t.Context(), tx, l.ws, l.run, unknown.Settings{})
		if err != nil {
			return err
		}
		if len(list) != 1 || unknown.Judge(list[0].Facts, unknown.Settings{}) != unknown.Proven {
			t.Fatalf("judged %+v", list)
		}
		l.exec(`update message set state = 'delivered' where ordinal = $1`, silent) // the echo comes in between
		n, err := unknown.Resend(t.Context(), tx, l.ws, l.run, list, unknown.Settings{})
		if n != 0 {
			t.Errorf("%d were sent again", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

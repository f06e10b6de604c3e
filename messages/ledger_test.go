package messages_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
	"bareed/internal/seal"
	"bareed/messages"
)

// ledger is a workspace with one running run of n ready messages whose people
// all opted in, under an unlimited portfolio.
type ledger struct {
	t         *testing.T
	pool      *pg.Pool
	owner     *pgx.Conn
	vault     *accounts.Vault
	ws        id.Workspace
	run       id.Run
	campaign  id.Campaign
	number    id.Number
	waba      id.WABA
	portfolio id.Portfolio
	template  id.Template
	contacts  []id.Contact // by ordinal-1
}

func newLedger(t *testing.T, n int) *ledger {
	t.Helper()
	pool := pgtest.New(t)
	ring, err := seal.NewRing(map[uint16][]byte{1: []byte("0123456789abcdef0123456789ABCDEF")})
	if err != nil {
		t.Fatal(err)
	}
	vault, err := accounts.OpenVault(t.Context(), pool, ring)
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{t: t, pool: pool, owner: pgtest.Owner(t, pool), vault: vault,
		ws: id.New[id.Workspace](), run: id.New[id.Run](), campaign: id.New[id.Campaign](), number: id.New[id.Number](),
		waba: id.New[id.WABA](), portfolio: id.New[id.Portfolio](), template: id.New[id.Template]()}
	l.watchTransitions()
	l.rows()
	l.people(n)
	return l
}

func (l *ledger) exec(sql string, args ...any) {
	l.t.Helper()
	if _, err := l.owner.Exec(l.t.Context(), sql, args...); err != nil {
		l.t.Fatalf("%s: %v", sql, err)
	}
}

// watchTransitions makes PostgreSQL refuse every step that the table of
// transitions does not allow.
func (l *ledger) watchTransitions() {
	l.exec(`create table allowed_step (was text, became text, primary key (was, became))`)
	l.exec(`grant select on allowed_step to bareed_app`)
	for was, list := range messages.Transitions() {
		for _, became := range list {
			l.exec(`insert into allowed_step values ($1, $2)`, was, became)
		}
	}
	l.exec(`create function check_step() returns trigger language plpgsql as $$
		begin
			if new.state <> old.state and not exists (select from allowed_step where was = old.state and became = new.state) then
				raise exception 'forbidden step % to %', old.state, new.state;
			end if;
			return new;
		end $$`)
	l.exec(`create trigger check_step before update on message for each row execute function check_step()`)
}

func (l *ledger) rows() {
	org, app := id.New[id.Organisation](), id.New[id.App]()
	l.exec(`insert into organisation (id, name) values ($1, 'Acme')`, org)
	l.exec(`insert into workspace (workspace_id, organisation_id, name, data_key) values ($1, $2, 'Main', '\x00')`, l.ws, org)
	l.exec(`insert into meta_app (id, organisation_id, meta_app_id, secret, verify_token) values ($1, $2, $3, '\x00', '\x00')`, app, org, app.String())
	l.exec(`insert into portfolio (id, meta_business_id, limit_known) values ($1, $2, true)`, l.portfolio, l.portfolio.String())
	l.exec(`insert into waba (workspace_id, id, meta_waba_id, portfolio_id, app_id, token, token_hint)
		values ($1, $2, '1', $3, $4, '\x00', '')`, l.ws, l.waba, l.portfolio, app)
	l.exec(`insert into number (workspace_id, id, waba_id, portfolio_id, app_id, phone_number_id, display_phone, quality, status)
		values ($1, $2, $3, $4, $5, $6, '+1 555 010 0101', 'GREEN', 'CONNECTED')`, l.ws, l.number, l.waba, l.portfolio, app, l.number.String())
	l.exec(`insert into template (workspace_id, id, waba_id, meta_template_id, name, language, category, status, components, components_hash)
		values ($1, $2, $3, '1', 'hello', 'en', 'MARKETING', 'APPROVED', '[]', '\x00')`, l.ws, l.template, l.waba)
	l.exec(`insert into campaign (workspace_id, id, name, state, number_id, template_id, created_by)
		values ($1, $2, 'Spring', 'running', $3, $4, 'test')`, l.ws, l.campaign, l.number, l.template)
	l.exec(`insert into run (workspace_id, id, campaign_id, occurrence_key, kind, state, purpose, number_id, waba_id, portfolio_id,
			template_id, template, components_hash, variables, unknown_policy, starts_at, plan_done)
		values ($1, $2, $3, 'once', 'campaign', 'running', 'marketing', $4, $5, $6, $7, '{}', '\x00', '{}', 'hold', bareed_now(), true)`,
		l.ws, l.run, l.campaign, l.number, l.waba, l.portfolio, l.template)
}

func (l *ledger) people(n int) {
	l.t.Helper()
	planned := make([]messages.Planned, n)
	for i := range n {
		c, key := id.New[id.Contact](), fmt.Sprintf("p:+96650%07d", i)
		l.contacts = append(l.contacts, c)
		l.exec(`insert into contact (workspace_id, id) values ($1, $2)`, l.ws, c)
		l.exec(`insert into permission (workspace_id, contact_id, purpose, granted, consent_id, since)
			values ($1, $2, 'marketing', true, $3, bareed_now())`, l.ws, c, id.New[id.Consent]())
		planned[i] = messages.Planned{Contact: c, RecipientKey: key, Address: key[2:], Hash: l.vault.RecipientHash(key)}
	}
	l.in(func(tx pgx.Tx) error {
		_, err := messages.Plan(l.t.Context(), tx, l.ws, l.run, 1, planned)
		return err
	})
	l.exec(`update run set planned = $2 where id = $1`, l.run, n)
}

func (l *ledger) in(fn func(tx pgx.Tx) error) {
	l.t.Helper()
	if err := l.pool.InWorkspace(l.t.Context(), l.ws, fn); err != nil {
		l.t.Fatal(err)
	}
}

func (l *ledger) message(ordinal int) id.Message {
	return id.Message{Run: l.run, Ordinal: int32(ordinal)}
}

// claim tries to claim messages and returns what was granted, by ordinal.
func (l *ledger) claim(ordinals ...int) map[int]messages.Claim {
	l.t.Helper()
	got, err := l.tryClaim(l.t.Context(), ordinals...)
	if err != nil {
		l.t.Fatal(err)
	}
	return got
}

func (l *ledger) tryClaim(ctx context.Context, ordinals ...int) (map[int]messages.Claim, error) {
	var wants []messages.Want
	for _, o := range ordinals {
		wants = append(wants, messages.Want{Message: l.message(o), Token: uuid.New()})
	}
	claims, err := messages.ClaimAll(ctx, l.pool, l.ws, "test", wants)
	got := map[int]messages.Claim{}
	for _, c := range claims {
		got[int(c.Message.Ordinal)] = c
	}
	return got, err
}

func (l *ledger) record(results ...messages.Result) {
	l.t.Helper()
	l.in(func(tx pgx.Tx) error { return messages.Record(l.t.Context(), tx, l.ws, results) })
}

func (l *ledger) state(ordinal int) (state messages.State, reason string) {
	l.t.Helper()
	err := l.owner.QueryRow(l.t.Context(), `select state, coalesce(reason, '') from message where run_id = $1 and ordinal = $2`,
		l.run, ordinal).Scan(&state, &reason)
	if err != nil {
		l.t.Fatal(err)
	}
	return state, reason
}

func (l *ledger) wantState(ordinal int, want messages.State, wantReason string) {
	l.t.Helper()
	if got, reason := l.state(ordinal); got != want || reason != wantReason {
		l.t.Errorf("message %d is %s(%s), want %s(%s)", ordinal, got, reason, want, wantReason)
	}
}

// later moves the database's clock.
func (l *ledger) later(d time.Duration) {
	l.t.Helper()
	l.exec(`update clock_offset set shift = shift + $1`, d)
}

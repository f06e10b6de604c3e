package numbers_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
	"bareed/numbers"
	"bareed/whatsapp"
)

// desk is a workspace with a connected number.
type desk struct {
	fixture.Meta
	pool  *pg.Pool
	vault *accounts.Vault
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	pool := pgtest.New(t)
	v := fixture.Vault(t, pool)
	return &desk{fixture.Connect(t, pool, v, fixture.Workspace(t, pool, v), fixture.RandomIDs()), pool, v}
}

func (d *desk) keys(t *testing.T, ws id.Workspace) numbers.Keys {
	t.Helper()
	box, err := d.vault.Box(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	return numbers.Keys{Workspace: box, System: d.vault.System()}
}

func (d *desk) connect(t *testing.T, tenant fixture.Tenant, c numbers.Connection, p numbers.Probed) (made numbers.Made, err error) {
	t.Helper()
	err = d.pool.InWorkspace(t.Context(), tenant.Workspace, func(tx pgx.Tx) (err error) {
		made, err = numbers.Connect(t.Context(), tx, d.keys(t, tenant.Workspace), tenant.Actor, c, p)
		return err
	})
	return made, err
}

// in runs fn in the desk's workspace.
func (d *desk) in(t *testing.T, fn func(tx pgx.Tx) error) {
	t.Helper()
	fixture.In(t, d.pool, d.Tenant.Workspace, fn)
}

func TestConnect(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	n := d.Number
	if n.Status != "CONNECTED" || n.Quality != "GREEN" || n.PerSecond != 80 || n.MetaWABAID != d.Connection.WABAID || n.TokenHint != "ests" || !n.CanSend() {
		t.Errorf("number %+v", n)
	}
	d.in(t, func(tx pgx.Tx) error {
		p, err := numbers.GetPortfolio(t.Context(), tx, n.Portfolio)
		if err != nil || !p.Known || p.Limit == nil || *p.Limit != 2000 {
			t.Errorf("portfolio %+v, %v", p, err)
		}
		token, err := numbers.Token(t.Context(), tx, d.keys(t, d.Tenant.Workspace).Workspace, d.Tenant.Workspace, n.WABA)
		if token.Raw() != d.Connection.Token.Raw() {
			t.Error("another token came back")
		}
		audit, err2 := accounts.ListAudit(t.Context(), tx, d.Tenant.Workspace, id.Audit{}, 10)
		if err2 == nil && (len(audit) == 0 || audit[0].Action != "number.connected" || audit[0].Subject != n.ID.String()) {
			t.Errorf("audit %+v", audit)
		}
		if err == nil {
			err = err2
		}
		return err
	})
	if _, err := d.connect(t, d.Tenant, d.Connection, d.Probed()); !errs.Is(err, "number.already_connected") {
		t.Errorf("again: %v", err)
	}
	stranger := fixture.Workspace(t, d.pool, d.vault)
	other := d.Connection
	other.AppID = fixture.RandomIDs().App
	if _, err := d.connect(t, stranger, other, d.Probed()); !errs.Is(err, "number.unavailable") {
		t.Errorf("another organisation's number: %v", err)
	}
	other = d.Connection
	other.PhoneNumberID = fixture.RandomIDs().Number
	if _, err := d.connect(t, stranger, other, numbers.Probed{Number: whatsapp.PhoneNumber{ID: other.PhoneNumberID}, WABA: whatsapp.WABA{PortfolioID: "1"}}); !errs.Is(err, "number.unavailable") {
		t.Errorf("another organisation's app: %v", err)
	}
	fixture.In(t, d.pool, stranger.Workspace, func(tx pgx.Tx) error {
		if _, err := numbers.Get(t.Context(), tx, stranger.Workspace, n.ID); !errs.Is(err, "not_found") {
			t.Errorf("a stranger reads the number: %v", err)
		}
		p, err := numbers.GetPortfolio(t.Context(), tx, n.Portfolio)
		if p.Known || p.Limit != nil {
			t.Error("a stranger reads the limit")
		}
		return err
	})
}

func TestConnectionCheck(t *testing.T) {
	t.Parallel()
	good := numbers.Connection{AppID: "1", AppSecret: "0123456789", WABAID: "2", PhoneNumberID: "3", Token: "EAA0123456789"}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for pointer, change := range map[string]func(*numbers.Connection){
		"/app_id":          func(c *numbers.Connection) { c.AppID = "12a" },
		"/waba_id":         func(c *numbers.Connection) { c.WABAID = "" },
		"/phone_number_id": func(c *numbers.Connection) { c.PhoneNumberID = "+1" },
		"/app_secret":      func(c *numbers.Connection) { c.AppSecret = "with blank in it" },
		"/token":           func(c *numbers.Connection) { c.Token = "a\r\nX-Evil: 1" },
	} {
		c := good
		change(&c)
		e, ok := errs.As(c.Check())
		if !ok || len(e.Fields) != 1 || e.Fields[0].Pointer != pointer {
			t.Errorf("%s: %v", pointer, e)
		}
	}
}

// TestDisconnect: not while a run needs the number; afterwards the token is
// gone, webhooks still find it, and connecting again brings it back.
func TestDisconnect(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	run := id.New[id.Run]()
	owner := pgtest.Owner(t, d.pool)
	_, err := owner.Exec(t.Context(), `
		insert into run (workspace_id, id, occurrence_key, kind, state, purpose, number_id, waba_id, portfolio_id, template_id,
			template, components_hash, variables, unknown_policy, starts_at)
		values ($1, $2, 'once', 'api', 'running', 'marketing', $3, $4, $5, $6, '{}', '', '{}', 'hold', now())`,
		d.Tenant.Workspace, run, d.Number.ID, d.Number.WABA, d.Number.Portfolio, d.Template.ID)
	if err != nil {
		t.Fatal(err)
	}
	box := d.keys(t, d.Tenant.Workspace).Workspace
	disconnect := func() error {
		return d.pool.InWorkspace(t.Context(), d.Tenant.Workspace, func(tx pgx.Tx) error {
			return numbers.Disconnect(t.Context(), tx, box, d.Tenant.Actor, d.Number.ID)
		})
	}
	if err := disconnect(); !errs.Is(err, "resource.in_use") {
		t.Fatalf("with a live run: %v", err)
	}
	if _, err := owner.Exec(t.Context(), `update run set state = 'completed' where id = $1`, run); err != nil {
		t.Fatal(err)
	}
	if err := disconnect(); err != nil {
		t.Fatal(err)
	}
	if err := disconnect(); !errs.Is(err, "not_found") {
		t.Errorf("twice: %v", err)
	}
	d.in(t, func(tx pgx.Tx) error {
		if _, err := numbers.Token(t.Context(), tx, box, d.Tenant.Workspace, d.Number.WABA); !errs.Is(err, "number.not_connected") {
			t.Errorf("token: %v", err)
		}
		list, err := numbers.List(t.Context(), tx, d.Tenant.Workspace)
		if len(list) != 0 {
			t.Errorf("list %v", list)
		}
		return err
	})
	if due, err := numbers.DuePolls(t.Context(), d.pool.Engine(), 10); err != nil || len(due) != 0 {
		t.Errorf("due %v, %v", due, err)
	}
	found, err := numbers.RouteNumbers(t.Context(), d.pool.Engine(), d.Number.App, []string{d.Connection.PhoneNumberID})
	if err != nil || found[d.Connection.PhoneNumberID].Number != d.Number.ID {
		t.Errorf("route %v, %v", found, err)
	}
	made, err := d.connect(t, d.Tenant, d.Connection, d.Probed())
	if err != nil || made.Number.ID != d.Number.ID || made.VerifyToken != "" {
		t.Errorf("again: %+v, %v", made, err)
	}
}

// TestRotation: a new secret moves the old one aside, an app made without a
// verify token gets one, and it is shown once.
func TestRotation(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	c, p := d.Connection, d.Probed()
	c.AppSecret, c.VerifyToken = "the-new-secret", ""
	c.PhoneNumberID, p.Number.ID = c.PhoneNumberID+"2", c.PhoneNumberID+"2"
	if _, err := d.connect(t, d.Tenant, c, p); err != nil {
		t.Fatal(err)
	}
	app, ok, err := numbers.FindApp(t.Context(), d.pool.Engine(), d.vault.System(), c.AppID)
	if err != nil || !ok || !slices.Equal(app.Secrets, []string{"the-new-secret", fixture.AppSecret}) || app.VerifyToken != d.Connection.VerifyToken {
		t.Errorf("app %v, %v", ok, err)
	}
	fresh := fixture.RandomIDs()
	c.AppID, c.WABAID, c.PhoneNumberID, p.Number.ID = fresh.App, fresh.WABA, fresh.Number, fresh.Number
	made, err := d.connect(t, d.Tenant, c, p)
	if err != nil || len(made.VerifyToken) < 20 {
		t.Errorf("a made verify token of %d characters, %v", len(made.VerifyToken), err)
	}
	d.in(t, func(tx pgx.Tx) error {
		box := d.keys(t, d.Tenant.Workspace)
		if err := numbers.SetToken(t.Context(), tx, box.Workspace, d.Tenant.Actor, d.Number, "EAAnothertokenaltogether"); err != nil {
			return err
		}
		token, err := numbers.Token(t.Context(), tx, box.Workspace, d.Tenant.Workspace, d.Number.WABA)
		if token.Raw() != "EAAnothertokenaltogether" {
			t.Error("the old token came back")
		}
		n, err2 := numbers.Get(t.Context(), tx, d.Tenant.Workspace, d.Number.ID)
		if n.TokenHint != "ther" {
			t.Errorf("hint %q", n.TokenHint)
		}
		if err == nil {
			err = err2
		}
		return err
	})
}

func told(changes []numbers.Change) []string {
	list := []string{}
	for _, c := range changes {
		kind := "number"
		switch {
		case !c.WABA.IsZero():
			kind = "waba"
		case !c.Portfolio.IsZero():
			kind = "portfolio"
		}
		list = append(list, kind+" "+c.What+": "+c.Was+" to "+c.Became)
	}
	slices.Sort(list)
	return list
}

// TestPoll walks a number through what Meta can say of it.
func TestPoll(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	health := func(number, waba, business string) whatsapp.Health {
		return whatsapp.Health{CanSend: "x", Entities: []whatsapp.HealthEntity{{Type: "PHONE_NUMBER", CanSend: number}, {Type: "WABA", CanSend: waba, Codes: []int{131042}}, {Type: "BUSINESS", CanSend: business}}}
	}
	poll := func(change func(*whatsapp.PhoneNumber, *numbers.Poll)) numbers.Poll {
		n := d.Probed().Number
		p := numbers.Poll{WABA: d.Probed().WABA}
		p.Numbers = []whatsapp.PhoneNumber{n}
		change(&p.Numbers[0], &p)
		return p
	}
	type number = whatsapp.PhoneNumber
	for _, step := range []struct {
		name string
		poll numbers.Poll
		want []string
	}{
		{"the same", poll(func(*number, *numbers.Poll) {}), []string{}},
		{"quality", poll(func(n *number, _ *numbers.Poll) { n.Quality = "YELLOW" }), []string{"number quality: GREEN to YELLOW"}},
		{"quality left out", poll(func(n *number, _ *numbers.Poll) { n.Quality = "" }), []string{}},
		{"recovery is a change too", poll(func(*number, *numbers.Poll) {}), []string{"number quality: YELLOW to GREEN"}},
		{"status, throughput, name", poll(func(n *number, _ *numbers.Poll) {
			n.Status, n.Throughput, n.VerifiedName = "FLAGGED", "HIGH", "New"
		}), []string{"number status: CONNECTED to FLAGGED", "number throughput: 80 to 1000", "number verified_name: Sample to New"}},
		{"a level nobody knows", poll(func(n *number, _ *numbers.Poll) {
			n.Status, n.Throughput, n.VerifiedName = "FLAGGED", "SOMETHING", "New"
		}), []string{}},
		{"coexistence", poll(func(n *number, _ *numbers.Poll) { n.OnBizApp = true }),
			[]string{"number status: FLAGGED to CONNECTED", "number throughput: 1000 to 20", "number verified_name: New to Sample"}},
		{"and back", poll(func(*number, *numbers.Poll) {}), []string{"number throughput: 20 to 80"}},
		{"health that is well says nothing at first", poll(func(n *number, _ *numbers.Poll) { n.Health = health("AVAILABLE", "AVAILABLE", "AVAILABLE") }), []string{}},
		{"blocked", poll(func(n *number, _ *numbers.Poll) { n.Health = health("BLOCKED", "BLOCKED", "LIMITED") }),
			[]string{"number health: AVAILABLE to BLOCKED", "portfolio health: AVAILABLE to LIMITED", "waba health: AVAILABLE to BLOCKED"}},
		{"still blocked", poll(func(n *number, _ *numbers.Poll) { n.Health = health("BLOCKED", "BLOCKED", "LIMITED") }), []string{}},
		{"limit", poll(func(n *number, _ *numbers.Poll) { n.MessagingLimit = "TIER_10K" }), []string{"portfolio messaging_limit: 2000 to 10000"}},
		{"limit of the WABA when the number has none", poll(func(n *number, p *numbers.Poll) { n.MessagingLimit, p.WABA.MessagingLimit = "", "TIER_UNLIMITED" }),
			[]string{"portfolio messaging_limit: 10000 to unlimited"}},
		{"limit nobody knows", poll(func(n *number, _ *numbers.Poll) { n.MessagingLimit = "TIER_X" }), []string{}},
		{"review", poll(func(n *number, p *numbers.Poll) { n.MessagingLimit, p.WABA.ReviewStatus = "", "REJECTED" }), []string{"waba review_status: APPROVED to REJECTED"}},
		{"an empty list is no list", numbers.Poll{WABA: d.Probed().WABA}, []string{"waba review_status: REJECTED to APPROVED"}},
		{"not listed", numbers.Poll{WABA: d.Probed().WABA, Numbers: []number{{ID: "1"}}}, []string{"number status: CONNECTED to NOT_LISTED"}},
	} {
		d.in(t, func(tx pgx.Tx) error {
			got, err := numbers.ApplyPoll(t.Context(), tx, d.Tenant.Workspace, d.Number.WABA, step.poll)
			if list := told(got); !slices.Equal(list, step.want) {
				t.Errorf("%s: %v, want %v", step.name, list, step.want)
			}
			return err
		})
	}
	d.in(t, func(tx pgx.Tx) error {
		past, err := numbers.History(t.Context(), tx, d.Tenant.Workspace, 100, d.Number.ID.String(), d.Number.WABA.String(), d.Number.Portfolio.String())
		if len(past) != 18 {
			t.Errorf("%d lines of history, want 18: %+v", len(past), past)
		}
		return err
	})
}

// The currency in which Meta charges is kept from the poll; an answer without it
// takes nothing away.
func TestCurrencyOfTheWABA(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, told := range []string{"SAR", ""} {
		waba := d.Probed().WABA
		waba.Currency = told
		d.in(t, func(tx pgx.Tx) error {
			if _, err := numbers.ApplyPoll(t.Context(), tx, d.Tenant.Workspace, d.Number.WABA, numbers.Poll{WABA: waba, Numbers: []whatsapp.PhoneNumber{d.Probed().Number}}); err != nil {
				return err
			}
			var kept string
			err := tx.QueryRow(t.Context(), `select currency from waba where workspace_id = $1 and id = $2`, d.Tenant.Workspace, d.Number.WABA).Scan(&kept)
			if kept != "SAR" {
				t.Errorf("told %q, kept %q", told, kept)
			}
			return err
		})
	}
}

// TestMovedWABA: a WABA that moved to another portfolio takes its numbers along.
func TestMovedWABA(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	moved := d.Probed().WABA
	moved.PortfolioID = "4711"
	d.in(t, func(tx pgx.Tx) error {
		got, err := numbers.ApplyPoll(t.Context(), tx, d.Tenant.Workspace, d.Number.WABA, numbers.Poll{WABA: moved, Numbers: []whatsapp.PhoneNumber{d.Probed().Number}})
		if err != nil {
			return err
		}
		n, err := numbers.Get(t.Context(), tx, d.Tenant.Workspace, d.Number.ID)
		if len(got) == 0 || got[0].What != numbers.Owner || n.Portfolio == d.Number.Portfolio {
			t.Errorf("changes %v, portfolio %s", told(got), n.Portfolio)
		}
		p, err2 := numbers.GetPortfolio(t.Context(), tx, n.Portfolio)
		if !p.Known || *p.Limit != 2000 {
			t.Errorf("limit of the new portfolio: %+v", p)
		}
		if err == nil {
			err = err2
		}
		return err
	})
}

func TestPollFailed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	refused := func(code, status int) error {
		return &whatsapp.Error{Code: code, HasCode: true, HTTPStatus: status, Class: whatsapp.Classify(code)}
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{refused(190, 401), "token_invalid"}, {refused(0, 401), "token_invalid"}, {refused(10, 403), "not_allowed"}, {refused(200, 403), "not_allowed"},
		{refused(4, 400), "throttled"}, {refused(80007, 400), "throttled"}, {refused(2, 503), "unreachable"}, {refused(100, 400), "refused"},
		{errs.New("internal"), "unreachable"}, {&whatsapp.Error{HTTPStatus: 502}, "unreachable"},
	} {
		if got := numbers.Problem(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
	for _, step := range []struct {
		problem string
		changes int
		kept    string
	}{
		{"unreachable", 0, "unreachable"}, {"token_invalid", 1, "token_invalid"}, {"token_invalid", 0, "token_invalid"},
		{"unreachable", 0, "token_invalid"}, {"not_allowed", 0, "not_allowed"},
	} {
		d.in(t, func(tx pgx.Tx) error {
			got, err := numbers.PollFailed(t.Context(), tx, d.Tenant.Workspace, d.Number.WABA, step.problem)
			n, err2 := numbers.Get(t.Context(), tx, d.Tenant.Workspace, d.Number.ID)
			if len(got) != step.changes || n.SyncProblem != step.kept {
				t.Errorf("%s: %v, kept %s", step.problem, told(got), n.SyncProblem)
			}
			if err == nil {
				err = err2
			}
			return err
		})
	}
	d.in(t, func(tx pgx.Tx) error {
		got, err := numbers.ApplyPoll(t.Context(), tx, d.Tenant.Workspace, d.Number.WABA, numbers.Poll{WABA: d.Probed().WABA, Numbers: []whatsapp.PhoneNumber{d.Probed().Number}})
		if list := told(got); !slices.Equal(list, []string{"waba token: invalid to valid"}) {
			t.Errorf("a poll that works again: %v", list)
		}
		return err
	})
}

// TestDuePolls: at once, then after 15 minutes, and after seconds while sending.
func TestDuePolls(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	due := func() int {
		list, err := numbers.DuePolls(t.Context(), d.pool.Engine(), 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if due() != 1 {
		t.Error("a fresh WABA is not due")
	}
	d.in(t, func(tx pgx.Tx) error {
		_, err := numbers.PollFailed(t.Context(), tx, d.Tenant.Workspace, d.Number.WABA, "unreachable")
		return err
	})
	if due() != 0 {
		t.Error("due again at once")
	}
	pgtest.MoveClock(t, d.pool, time.Minute)
	if due() != 0 {
		t.Error("due after a minute without a run")
	}
	owner := pgtest.Owner(t, d.pool)
	_, err := owner.Exec(t.Context(), `
		insert into run (workspace_id, id, occurrence_key, kind, state, purpose, number_id, waba_id, portfolio_id, template_id,
			template, components_hash, variables, unknown_policy, starts_at)
		values ($1, $2, 'once', 'api', 'finishing', 'marketing', $3, $4, $5, $6, '{}', '', '{}', 'hold', now())`,
		d.Tenant.Workspace, id.New[id.Run](), d.Number.ID, d.Number.WABA, d.Number.Portfolio, d.Template.ID)
	if err != nil {
		t.Fatal(err)
	}
	if due() != 1 {
		t.Error("not due although it is sending")
	}
	if _, err := owner.Exec(t.Context(), `update run set state = 'completed'`); err != nil {
		t.Fatal(err)
	}
	pgtest.MoveClock(t, d.pool, 16*time.Minute)
	if due() != 1 {
		t.Error("not due after 15 minutes")
	}
}

// TestWindows: 24 hours from the message, never shorter, never from the future.
func TestWindows(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	now := time.Now()
	hash := []byte("0123456789abcdef")
	var until time.Time
	write := func(times ...time.Time) time.Duration {
		d.in(t, func(tx pgx.Tx) error {
			var list []numbers.Window
			for _, at := range times {
				list = append(list, numbers.Window{Recipient: hash, WrittenAt: at})
			}
			if err := numbers.OpenWindows(t.Context(), tx, d.Tenant.Workspace, d.Number.ID, list); err != nil {
				return err
			}
			return tx.QueryRow(t.Context(), `select open_until from service_window`).Scan(&until)
		})
		return until.Sub(now).Round(time.Hour)
	}
	if got := write(now.Add(-20 * time.Hour)); got != 4*time.Hour {
		t.Errorf("a message of 20 hours ago: %s", got)
	}
	if got := write(now.Add(-2*time.Hour), now.Add(-23*time.Hour)); got != 22*time.Hour {
		t.Errorf("two messages: %s", got)
	}
	if got := write(now.Add(-10 * time.Hour)); got != 22*time.Hour {
		t.Errorf("an older one made it shorter: %s", got)
	}
	if got := write(now.Add(100 * time.Hour)); got != 24*time.Hour {
		t.Errorf("a message from the future: %s", got)
	}
}

func TestHealthRowReads(t *testing.T) {
	t.Parallel()
	var h numbers.HealthRow
	if err := json.Unmarshal([]byte(`{"can_send":"BLOCKED","entities":{"WABA":"BLOCKED"},"codes":[1]}`), &h); err != nil || h.Entities["WABA"] != "BLOCKED" {
		t.Errorf("%+v, %v", h, err)
	}
}

package consents_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/accounts/ledger"
	"bareed/consents"
	"bareed/contacts"
	"bareed/contacts/identity"
	"bareed/internal/clock"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
)

type rig struct {
	pool   *pg.Pool
	vault  *accounts.Vault
	tenant fixture.Tenant
	start  time.Time
}

func newRig(t testing.TB) *rig {
	t.Helper()
	pool := pgtest.New(t)
	v := fixture.Vault(t, pool)
	return &rig{pool: pool, vault: v, tenant: fixture.Workspace(t, pool, v), start: time.Now().Add(-1000 * time.Hour).Truncate(time.Second)}
}

// at is the n-th hour of the test's history.
func (r *rig) at(n int) time.Time { return r.start.Add(time.Duration(n) * time.Hour) }

func (r *rig) in(t testing.TB, fn func(tx pgx.Tx) error) {
	t.Helper()
	fixture.In(t, r.pool, r.tenant.Workspace, fn)
}

func phone(t testing.TB, i int) contacts.Phone {
	t.Helper()
	p, err := contacts.ParsePhone(fmt.Sprintf("+9665%08d", 10000000+i), "")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (r *rig) person(t testing.TB, i int) (c id.Contact) {
	t.Helper()
	r.in(t, func(tx pgx.Tx) (err error) {
		c, err = contacts.Ensure(t.Context(), tx, r.tenant.Workspace, phone(t, i))
		return err
	})
	return c
}

func wording() *contacts.Wording {
	return &contacts.Wording{Version: "1", Text: "I want news from Acme on WhatsApp", BusinessName: "Acme"}
}

func (r *rig) optIn(t testing.TB, i, at int, method string) {
	t.Helper()
	r.in(t, func(tx pgx.Tx) error {
		_, err := consents.OptIn(t.Context(), tx, r.vault, r.tenant.Workspace, consents.OptInRequest{
			Phone: phone(t, i), Method: method, Source: "test", Wording: wording(), OccurredAt: r.at(at), Actor: "usr_1"})
		return err
	})
}

func (r *rig) optOut(t testing.TB, i, at int, method string) {
	t.Helper()
	r.in(t, func(tx pgx.Tx) error {
		return consents.OptOut(t.Context(), tx, r.vault, r.tenant.Workspace, consents.OptOutRequest{
			RecipientKeys: []string{phone(t, i).RecipientKey()}, Method: method, Source: "test", OccurredAt: r.at(at), Actor: "system:webhook"})
	})
}

// imported records an opt-in as a file does; at < 0 is one that is not dated.
func (r *rig) imported(t testing.TB, i, at int) (refused bool) {
	t.Helper()
	record := consents.ForImports(r.vault)
	r.in(t, func(tx pgx.Tx) error {
		c, err := contacts.Ensure(t.Context(), tx, r.tenant.Workspace, phone(t, i))
		if err != nil {
			return err
		}
		a := contacts.Agreement{Contact: c, RecipientKey: phone(t, i).RecipientKey(), Line: 1, OccurredAt: r.at(max(at, 900)), Declared: at < 0}
		if at >= 0 {
			a.OccurredAt = r.at(at)
		}
		who, err := record(t.Context(), tx, r.tenant.Workspace, contacts.Said{Import: id.New[id.Import](), Policy: contacts.PolicyStrict, Actor: "usr_1",
			Declaration: contacts.Declaration{Purposes: []string{"marketing"}, Method: "import", Wording: wording()}, People: []contacts.Agreement{a}})
		refused = len(who) > 0
		return err
	})
	return refused
}

// state is what the claim would see: granted by the ledger and not suppressed.
func (r *rig) state(t testing.TB, i int) (granted, suppressed bool) {
	t.Helper()
	r.in(t, func(tx pgx.Tx) error {
		hash := r.vault.RecipientHash(phone(t, i).RecipientKey())
		return tx.QueryRow(t.Context(), `
			select exists (
				select from permission p
				join identity i on i.workspace_id = p.workspace_id and i.contact_id = p.contact_id
				where i.kind = 'phone' and i.key = $1 and p.purpose = 'marketing' and p.granted),
			exists (
				select from suppression
				where recipient_hash = $2 and purpose = 'marketing' and lifted_at is null)`,
			phone(t, i).Key, hash).Scan(&granted, &suppressed)
	})
	return granted, suppressed
}

func (r *rig) wants(t *testing.T, i int, granted, suppressed bool, what string) {
	t.Helper()
	if g, s := r.state(t, i); g != granted || s != suppressed {
		t.Fatalf("%s: granted %v, suppressed %v; want %v, %v", what, g, s, granted, suppressed)
	}
}

func TestHistories(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.optIn(t, 1, 10, "web_form")
	r.wants(t, 1, true, false, "opted in")
	r.optOut(t, 1, 20, consents.MethodKeyword)
	r.wants(t, 1, false, true, "STOP")
	r.optIn(t, 1, 15, "web_form")
	r.wants(t, 1, false, true, "an older form does not lift STOP")
	r.optIn(t, 1, 20, consents.MethodKeyword)
	r.wants(t, 1, false, true, "at the same instant the opt-out wins")
	r.optIn(t, 1, 21, consents.MethodKeyword)
	r.wants(t, 1, true, false, "START lifts STOP")
	r.optOut(t, 1, 12, "form")
	r.wants(t, 1, true, false, "an older refusal that arrives late")

	if !r.imported(t, 2, -1) == false {
		t.Fatal("a first declared opt-in was refused")
	}
	r.wants(t, 2, true, false, "declared by a file")
	r.optOut(t, 2, 1, consents.MethodKeyword)
	r.wants(t, 2, false, true, "any opt-out beats a declared opt-in")
	if !r.imported(t, 2, -1) {
		t.Fatal("the import did not say that the opt-out stands")
	}
	r.wants(t, 2, false, true, "re-import never revives")
	if r.imported(t, 2, 2) {
		t.Fatal("a dated later opt-in was refused")
	}
	r.wants(t, 2, true, false, "a dated later opt-in")

	r.optIn(t, 3, 10, "web_form")
	r.optOut(t, 3, 20, consents.MethodUserPreferences)
	r.wants(t, 3, false, true, "WhatsApp's own stop")
	r.optIn(t, 3, 30, consents.MethodUserPreferences)
	r.wants(t, 3, true, false, "WhatsApp's resume takes back its stop")
	r.optOut(t, 3, 40, consents.MethodKeyword)
	r.optOut(t, 3, 50, consents.MethodUserPreferences)
	r.optIn(t, 3, 60, consents.MethodUserPreferences)
	r.wants(t, 3, false, true, "WhatsApp's resume does not lift STOP")
	// Nobody knows person 5 yet: WhatsApp's stop and resume hide no STOP between them.
	r.optOut(t, 5, 2, consents.MethodUserPreferences)
	r.optIn(t, 5, 8, consents.MethodUserPreferences)
	r.optOut(t, 5, 7, consents.MethodKeyword)
	r.wants(t, 5, false, true, "STOP heard after WhatsApp's resume")
	r.optIn(t, 5, 6, "web_form")
	r.wants(t, 5, false, true, "an opt-in older than STOP")
	r.optOut(t, 4, 20, consents.MethodMeta131050)
	r.optIn(t, 4, 30, consents.MethodUserPreferences)
	if granted, _ := r.state(t, 4); granted {
		t.Fatal("a resume became an opt-in")
	}
}

// Somebody unknown says stop; when a file brings their number, they stay out.
func TestUnknownPersonStaysOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.optOut(t, 1, 50, consents.MethodKeyword)
	r.wants(t, 1, false, true, "an unknown person's STOP")
	if !r.imported(t, 1, 10) || !r.imported(t, 1, -1) {
		t.Fatal("the import did not say that the opt-out stands")
	}
	r.wants(t, 1, false, true, "imported after STOP")
	r.optIn(t, 1, 60, consents.MethodKeyword)
	r.wants(t, 1, true, false, "START")
	if r.imported(t, 1, -1) {
		t.Fatal("still refused after START")
	}
}

// A refusal under a business-scoped id holds for the phone once both are known
// to be one person.
func TestRefusalCarriesOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const bsuid = "SA.1349567890"
	r.optIn(t, 1, 10, "web_form")
	r.in(t, func(tx pgx.Tx) error {
		return consents.OptOut(t.Context(), tx, r.vault, r.tenant.Workspace, consents.OptOutRequest{
			RecipientKeys: []string{contacts.RecipientKeyOfBSUID(bsuid)}, Method: consents.MethodKeyword, OccurredAt: r.at(20), Actor: "system:webhook"})
	})
	r.wants(t, 1, true, false, "before the two are known to be one")
	c := r.person(t, 1)
	r.in(t, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `insert into identity (workspace_id, contact_id, kind, portfolio_id, key, value) values ($1, $2, 'bsuid', $3, $4, $4)`,
			r.tenant.Workspace, c, id.New[id.Portfolio](), bsuid)
		if err != nil {
			return err
		}
		return consents.Joined(t.Context(), tx, r.vault, r.tenant.Workspace, identity.Learned{People: []id.Contact{c}})
	})
	r.wants(t, 1, false, true, "after")
	if !r.imported(t, 1, 15) {
		t.Fatal("an older opt-in revived them")
	}
	r.optIn(t, 1, 30, consents.MethodKeyword)
	r.wants(t, 1, true, false, "START by phone")
	r.in(t, func(tx pgx.Tx) error {
		var open int
		err := tx.QueryRow(t.Context(), `select count(*) from suppression where lifted_at is null and purpose = 'marketing'`).Scan(&open)
		if err == nil && open != 0 {
			err = fmt.Errorf("%d suppressions are left", open)
		}
		return err
	})
}

// model is the rule in the fewest words: a sorted list of what was said.
type said struct {
	at       int
	out      bool
	declared bool
	platform bool
}

func decides(all []said) bool {
	latest := func(keep func(said) bool) (said, bool) {
		best, found := said{}, false
		for _, s := range all {
			if keep(s) && (!found || s.at > best.at || s.at == best.at && s.out) {
				best, found = s, true
			}
		}
		return best, found
	}
	own, said1 := latest(func(s said) bool { return !s.platform && !s.declared })
	if !said1 {
		own, said1 = latest(func(s said) bool { return s.declared })
	}
	platform, said2 := latest(func(s said) bool { return s.platform })
	if said2 && platform.out && (!said1 || own.declared || platform.at >= own.at) {
		return false
	}
	return said1 && !own.out
}

// P8: whatever is said in whatever order, the ledger comes to what the model
// says, and permission and suppression agree.
func TestRandomHistories(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 1))
	for i := range 60 {
		var history []said
		var told []string
		for range 1 + rnd.IntN(7) {
			s := said{at: 1 + rnd.IntN(8)}
			switch rnd.IntN(6) {
			case 0, 1:
				s.out = true
				r.optOut(t, i, s.at, consents.MethodKeyword)
			case 2:
				r.optIn(t, i, s.at, "web_form")
			case 3:
				r.imported(t, i, s.at)
			case 4:
				s.declared = true
				r.imported(t, i, -1)
			case 5:
				s.platform, s.out = true, rnd.IntN(2) == 0
				if s.out {
					r.optOut(t, i, s.at, consents.MethodUserPreferences)
				} else {
					r.optIn(t, i, s.at, consents.MethodUserPreferences)
				}
			}
			history, told = append(history, s), append(told, fmt.Sprintf("%+v", s))
		}
		granted, suppressed := r.state(t, i)
		if out := slices.ContainsFunc(history, func(s said) bool { return s.out && !s.platform }); out && !granted && !suppressed {
			t.Fatalf("seed %d, person %d: refused but not suppressed after\n%s", seed, i, strings.Join(told, "\n"))
		}
		if want := decides(history); granted != want && !(want && lateResume(history)) {
			t.Fatalf("seed %d, person %d: granted %v, the model says %v after\n%s", seed, i, granted, want, strings.Join(told, "\n"))
		}
		if granted && suppressed {
			t.Fatalf("seed %d, person %d: granted and suppressed after\n%s", seed, i, strings.Join(told, "\n"))
		}
	}
	r.in(t, func(tx pgx.Tx) error {
		breaks, err := ledger.Verify(t.Context(), tx, r.tenant.Workspace, consents.Ledger())
		if err == nil && len(breaks) > 0 {
			err = fmt.Errorf("the ledger breaks: %+v", breaks)
		}
		return err
	})
}

// lateResume is the one place where order counts, to the safe side: an opt-in
// older than a stop by WhatsApp, heard of only after the resume, does not count.
func lateResume(history []said) bool {
	for i, s := range history {
		if s.platform && !s.out && slices.ContainsFunc(history[i:], func(later said) bool { return !later.platform && !later.out }) {
			return true
		}
	}
	return false
}

func TestOptInIsJudged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	good := consents.OptInRequest{Phone: phone(t, 1), Method: "web_form", Source: "https://acme.example", Wording: wording(), OccurredAt: r.at(1), Actor: "key_1"}
	for _, c := range []struct {
		name string
		with func(*consents.OptInRequest)
		code string
	}{
		{"good", func(*consents.OptInRequest) {}, ""},
		{"no source", func(o *consents.OptInRequest) { o.Source = " " }, "consent.source_missing"},
		{"no wording", func(o *consents.OptInRequest) { o.Wording = nil }, "consent.wording_missing"},
		{"no WhatsApp", func(o *consents.OptInRequest) {
			o.Wording = &contacts.Wording{Text: "News from Acme", BusinessName: "Acme"}
		}, "consent.wording_whatsapp"},
		{"no business", func(o *consents.OptInRequest) {
			o.Wording = &contacts.Wording{Text: "News on WhatsApp", BusinessName: "Acme"}
		}, "consent.wording_business"},
		{"Arabic", func(o *consents.OptInRequest) {
			o.Wording = &contacts.Wording{Text: "أوافق على تلقي عروض متجر الأمل عبر واتساب", BusinessName: "متجر الامل"}
		}, ""},
		{"the future", func(o *consents.OptInRequest) { o.OccurredAt = time.Now().Add(time.Hour) }, "consent.date_future"},
		{"no date", func(o *consents.OptInRequest) { o.OccurredAt = time.Time{} }, "consent.date"},
		{"purpose", func(o *consents.OptInRequest) { o.Purposes = []consents.Purpose{"ads"} }, "consent.purpose"},
		{"method", func(o *consents.OptInRequest) { o.Method = "Web form!" }, "consent.method"},
	} {
		o := good
		c.with(&o)
		err := r.pool.InWorkspace(t.Context(), r.tenant.Workspace, func(tx pgx.Tx) error {
			_, err := consents.OptIn(t.Context(), tx, r.vault, r.tenant.Workspace, o)
			return err
		})
		if c.code == "" && err != nil || c.code != "" && !errs.Is(err, c.code) {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
		}
	}
}

// An opt-out of one workspace says nothing about another's person (T7).
func TestWorkspacesAreApart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := *r
	other.tenant = fixture.Workspace(t, r.pool, r.vault)
	r.optIn(t, 1, 10, "web_form")
	other.optIn(t, 1, 10, "web_form")
	other.optOut(t, 1, 20, consents.MethodKeyword)
	r.wants(t, 1, true, false, "here")
	other.wants(t, 1, false, true, "there")
}

// Files and refusals meet: nothing is granted to who refused last.
func TestImportMeetsOptOuts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	im := &contacts.Importer{Pool: r.pool, Vault: r.vault, Clock: clock.System, Record: consents.ForImports(r.vault), Limits: contacts.Limits{Chunk: 7}}
	var audience contacts.Audience
	r.in(t, func(tx pgx.Tx) (err error) {
		audience, err = contacts.CreateAudience(t.Context(), tx, r.tenant.Actor, "All")
		return err
	})
	var file strings.Builder
	file.WriteString("phone,opt_in,opt_in_at\n")
	for i := range 40 {
		fmt.Fprintf(&file, "%s,yes,%s\n", phone(t, i).E164, r.at(100).Format(time.RFC3339))
	}
	for i := range 20 {
		r.optOut(t, i, 90+i, consents.MethodKeyword) // 0 to 9 before the file's opt-ins, 10 at the same time, the others later
	}
	imp, err := im.Accept(t.Context(), r.tenant.Actor, contacts.Upload{Audience: audience.ID, Body: strings.NewReader(file.String()),
		Settings: contacts.Settings{Consent: &contacts.Declaration{Covers: "rows", Source: "shop", Wording: wording()}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Run(t.Context(), r.tenant.Workspace, imp.ID); err != nil {
		t.Fatal(err)
	}
	r.in(t, func(tx pgx.Tx) (err error) {
		imp, err = contacts.GetImport(t.Context(), tx, r.tenant.Workspace, imp.ID)
		return err
	})
	if imp.OptedIn != 30 || imp.Superseded != 10 || imp.Created != 40 {
		t.Fatalf("opted in %d, superseded %d, created %d", imp.OptedIn, imp.Superseded, imp.Created)
	}
	for i := range 40 {
		r.wants(t, i, i < 10 || i >= 20, i >= 10 && i < 20, fmt.Sprintf("person %d", i))
	}
}

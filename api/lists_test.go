package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api"
	"bareed/api/describe"
	"bareed/contacts"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/numbers"
)

// listCase is one list with a few rows: where it is, and how another row comes.
type listCase struct {
	path string
	more func() // nil: this list cannot grow while it is read
}

// listCases gives every list of the table rows to read.
func listCases(t *testing.T, r *rig) map[string]listCase {
	t.Helper()
	b := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	b.AddPeople(t, b.Audience, 4)
	launched := b.Launch(t, "Lists")
	campaign := "/v1/campaigns/" + launched.CampaignID.String()
	audience := fixture.Audience(t, r.pool, r.vault, r.tenant, 3)
	n := 0
	load := func() string {
		n++
		file := fmt.Sprintf("phone,name\n+9665012%05d,A\n12,B\n13,C\n14,D\n", n)
		return fixture.Import(t, r.pool, r.vault, r.tenant, audience, file, contacts.Settings{}).String()
	}
	object := func(kind string) func() {
		return func() { fixture.Object(t, r.pool, r.vault, r.tenant, kind) }
	}
	var person struct{ Contact struct{ ID string } }
	say := func() {
		r.call(t, "POST", "/v1/consents", map[string]any{"action": "opt_out", "phone": fixture.Phone(0)}).ok(t, 201).into(t, &person)
	}
	say()
	cases := map[string]listCase{
		"listAudiences":  {"/v1/audiences", object("audience")},
		"listImports":    {"/v1/audiences/" + audience.String() + "/imports", func() { load() }},
		"listRejects":    {"/v1/imports/" + load() + "/rejects", nil},
		"listContacts":   {"/v1/contacts", object("contact")},
		"listConsents":   {"/v1/contacts/" + person.Contact.ID + "/consents", say},
		"listApiKeys":    {"/v1/api-keys", object("key")},
		"listMembers":    {"/v1/members", object("user")},
		"listAudit":      {"/v1/audit", object("audience")},
		"listCampaigns":  {"/v1/campaigns", object("campaign")},
		"listRecipients": {campaign + "/recipients", nil},
		"listEvents": {campaign + "/events", func() {
			r.call(t, "POST", campaign+"/pause", nil).ok(t, 200)
			r.call(t, "POST", campaign+"/resume", nil).ok(t, 200)
		}},
		"listFirings": {campaign + "/firings", func() {
			run := id.New[id.Run]()
			b.Do(t, `
				insert into run (workspace_id, id, campaign_id, occurrence_key, kind, state, purpose, number_id, waba_id, portfolio_id,
				    template_id, template, components_hash, variables, unknown_policy, starts_at, reason)
				select workspace_id, $3, campaign_id, $4, kind, 'missed', purpose, number_id, waba_id, portfolio_id,
				    template_id, template, components_hash, variables, unknown_policy, starts_at, 'late'
				from run
				where workspace_id = $1 and id = $2`, b.Workspace, launched.RunID, run, run.String())
		}},
		"listChanges": {"/v1/changes", func() {
			b.In(t, func(tx pgx.Tx) error {
				_, err := numbers.Record(t.Context(), tx, b.Workspace, numbers.FromPoll, []numbers.Change{numbers.OfNumber(b.Number, numbers.Quality, "GREEN", "YELLOW")})
				return err
			})
		}},
		"listNumbers":   {"/v1/numbers", object("number")},
		"listRateCards": {"/v1/rate-cards", object("card")},
		"listTemplates": {"/v1/templates", object("template")},

		"listPortfolios": {"/v1/portfolios", object("portfolio")},
	}
	for _, c := range cases {
		if c.more != nil {
			for range 3 {
				c.more()
			}
		}
	}
	return cases
}

type listPage struct {
	Data       []map[string]any `json:"data"`
	NextCursor *string          `json:"next_cursor"`
	HasMore    bool             `json:"has_more"`
}

// keys name the rows of a page, whatever they are.
func (p listPage) keys() []string {
	var keys []string
	for _, row := range p.Data {
		key := fmt.Sprint(row["row"], "/", row["column"])
		for _, name := range []string{"sequence", "message_id", "run_id", "id"} {
			if v, ok := row[name]; ok {
				key = fmt.Sprint(v)
			}
		}
		keys = append(keys, key)
	}
	return keys
}

func (r *rig) list(t *testing.T, path string, who with) (listPage, answer) {
	t.Helper()
	var p listPage
	a := r.call(t, "GET", path, nil, who).ok(t, 200)
	if err := json.Unmarshal(a.Body, &p); err != nil {
		t.Fatal(err)
	}
	return p, a
}

// Every list, row by row, while rows are added: each row that was there at the
// start comes once and in its order.
func TestEveryListByCursor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	who := asSession(r.session(t, accounts.Owner))
	cases := listCases(t, r)
	for _, row := range api.TableRows() {
		name, _ := describe.Named(row.Route)
		if c, ok := cases[name]; ok {
			t.Run(name, func(t *testing.T) { r.walk(t, c, who) })
		} else if strings.HasPrefix(name, "list") {
			t.Errorf("%s is not tried", row.Route)
		}
	}
}

func (r *rig) walk(t *testing.T, c listCase, who with) {
	t.Helper()
	whole, _ := r.list(t, c.path+"?limit=200", who)
	want := whole.keys()
	if len(want) < 3 || whole.HasMore {
		t.Fatalf("%d rows, more: %v", len(want), whole.HasMore)
	}
	var got []string
	path := c.path + "?limit=1"
	for i := 0; path != ""; i++ {
		if i > 10*len(want)+50 {
			t.Fatal("the list does not end")
		}
		p, a := r.list(t, path, who)
		if len(p.Data) > 1 || p.HasMore != (p.NextCursor != nil) {
			t.Fatalf("a page of %d, more: %v, cursor: %v", len(p.Data), p.HasMore, p.NextCursor)
		}
		got = append(got, p.keys()...)
		if i == 1 && c.more != nil {
			c.more()
		}
		link := a.Header.Get("Link")
		if path = ""; p.HasMore {
			at, ok := strings.CutSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
			if !ok {
				t.Fatalf("Link %q", link)
			}
			path = at
		}
	}
	var old []string
	for _, key := range got {
		if slices.Contains(want, key) {
			old = append(old, key)
		}
	}
	if !slices.Equal(old, want) {
		t.Errorf("row by row %v\nat once    %v", got, want)
	}
}

// A cursor is good for its own list and workspace, and as it was made.
func TestCursorsOfOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	who := asSession(r.session(t, accounts.Owner))
	stranger := fixture.Workspace(t, r.pool, r.vault)
	_, email := fixture.User(t, r.pool, r.hasher, stranger, accounts.Owner)
	other := asSession(fixture.Session(t, r.pool, r.hasher, email))
	cases := listCases(t, r)
	var before string // the cursor of another list
	for name, c := range cases {
		first, _ := r.list(t, c.path+"?limit=1", who)
		if first.NextCursor == nil {
			t.Errorf("%s: one page", name)
			continue
		}
		cursor := *first.NextCursor
		last := cursor[len(cursor)-1]
		forged := cursor[:len(cursor)-1] + string(last^1)
		if last == '-' || last == '_' {
			forged = "A" + cursor[1:]
		}
		for _, bad := range []string{forged, before, cursor[:8], "%25%25", strings.Repeat("A", 24)} {
			if bad != "" {
				r.call(t, "GET", c.path+"?cursor="+bad, nil, who).refused(t, 400, "page.cursor")
			}
		}
		if strings.Count(c.path, "/") == 2 {
			r.call(t, "GET", c.path+"?cursor="+cursor, nil, other).refused(t, 400, "page.cursor")
		}
		r.call(t, "GET", c.path+"?cursor="+cursor+"&limit=201", nil, who).refused(t, 400, "page.limit")
		before = cursor
	}
}

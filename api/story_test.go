package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api"
	"bareed/api/describe"
	"bareed/billing/charges"
	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/campaigns/plan"
	"bareed/internal/fixture"
	"bareed/internal/id"
)

// story calls every operation with success, as a shop in Riyadh would, and keeps
// what was said as the description's examples.
type story struct {
	*rig
	t        *testing.T
	person   with // an owner's session
	etag     string
	examples map[string]map[string]any
}

// do calls one operation by a person and returns the answer.
func (s *story) do(route, path string, body any, changes ...with) answer {
	s.t.Helper()
	method, _, _ := strings.Cut(route, " ")
	row, ok := rowOf(method, path)
	if !ok || row.Route != route {
		s.t.Fatalf("%s is not a path of %s", path, route)
	}
	if row.Key {
		changes = append(changes, header("Idempotency-Key", "6f1c9a52-0d57-4a2e-9d3c-3f1f2c3b7a11"))
	}
	if s.etag != "" && !strings.HasPrefix(route, "GET") {
		changes = append(changes, header("If-Match", s.etag))
	}
	a := s.call(s.t, method, path, body, append([]with{s.person}, changes...)...).ok(s.t, row.Status)
	s.etag = a.Header.Get("ETag")
	name, _ := describe.Named(route)
	e := map[string]any{}
	if body != nil {
		e["request"] = body
	}
	switch {
	case len(a.Body) == 0:
	case strings.HasPrefix(a.Header.Get("Content-Type"), "application/json"):
		var v any
		a.into(s.t, &v)
		e["response"] = v
	default:
		e["response"] = string(a.Body)
	}
	s.examples[name] = e
	return a
}

// field reads one text of a JSON answer: "import", "id".
func (a answer) field(t testing.TB, names ...string) string {
	t.Helper()
	var v any
	a.into(t, &v)
	for _, name := range names {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	text, ok := v.(string)
	if !ok {
		t.Fatalf("no text at %v: %s", names, a.Body)
	}
	return text
}

func TestContract(t *testing.T) {
	t.Parallel()
	s := &story{rig: newRig(t), t: t, examples: map[string]map[string]any{}}
	s.signIn()
	s.workspace()
	audience := s.people()
	campaign := s.campaign(audience)
	s.ending(campaign)
	for _, row := range api.TableRows() {
		name, _ := describe.Named(row.Route)
		if strings.HasPrefix(row.Path(), "/v1/") && s.examples[name] == nil {
			t.Errorf("%s (%s) is not part of the story", row.Route, name)
		}
	}
	if *update && !t.Failed() {
		s.write()
	}
}

const sentence = "a lantern over the harbour"

func (s *story) signIn() {
	s.person = asSession(s.session(s.t, accounts.Owner))
	member := s.do("POST /v1/members", "/v1/members", map[string]any{"email": "noura@acme.example", "name": "نورة القحطاني", "role": "owner", "password": sentence})
	user := "/v1/members/" + member.field(s.t, "id")
	login := map[string]any{"email": "noura@acme.example", "password": sentence}
	s.person = s.cookie(s.do("POST /v1/sessions", "/v1/sessions", login, asNobody()))
	s.do("GET /v1/me", "/v1/me", nil)
	s.do("PATCH /v1/sessions/current", "/v1/sessions/current", map[string]any{"workspace": s.tenant.Workspace})
	s.do("GET /v1/members/{user}", user, nil)
	omar := s.do("POST /v1/members", "/v1/members", map[string]any{"email": "omar@acme.example", "name": "Omar Haddad", "role": "viewer", "password": sentence})
	other := "/v1/members/" + omar.field(s.t, "id")
	s.do("GET /v1/members/{user}", other, nil)
	s.do("PATCH /v1/members/{user}", other, map[string]any{"role": "marketer"})
	s.do("GET /v1/members", "/v1/members", nil)
	s.do("DELETE /v1/members/{user}", other, nil)
	key := s.do("POST /v1/api-keys", "/v1/api-keys", map[string]any{"name": "Online shop", "live": false, "scopes": []string{"contacts:*", "consent:write", "campaigns:*", "reports:read"}})
	s.do("GET /v1/api-keys", "/v1/api-keys", nil)
	s.do("DELETE /v1/api-keys/{key}", "/v1/api-keys/"+key.field(s.t, "id"), nil)
}

func escapeQuery(s string) string { return url.QueryEscape(s) }

func (s *story) cookie(a answer) with {
	value, _, _ := strings.Cut(strings.TrimPrefix(a.Header.Get("Set-Cookie"), "__Host-session="), ";")
	return asSession(value)
}

func (s *story) workspace() {
	s.do("GET /v1/workspace", "/v1/workspace", nil)
	s.do("PATCH /v1/workspace", "/v1/workspace", map[string]any{"name": "Acme Trading", "zone": "Asia/Riyadh", "undo_seconds": 30})
	s.do("GET /v1/workspace", "/v1/workspace", nil)
	number := s.do("POST /v1/numbers", "/v1/numbers", map[string]any{"app_id": "900100000000001", "app_secret": "the-app-secret-of-the-dashboard",
		"waba_id": "900300000000001", "phone_number_id": "900400000000001", "token": "EAAG-token-of-a-system-user"})
	path := "/v1/numbers/" + number.field(s.t, "id")
	s.do("GET /v1/numbers", "/v1/numbers", nil)
	s.do("GET /v1/numbers/{number}", path, nil)
	s.do("GET /v1/numbers/{number}/growth", path+"/growth?people=60000&fresh=5000", nil)
	s.do("GET /v1/numbers/{number}/transports", path+"/transports", nil)
	s.do("PUT /v1/numbers/{number}/token", path+"/token", map[string]any{"token": "EAAG-next-token-of-a-system-user"})
	s.do("DELETE /v1/numbers/{number}", path, nil)
}

const customers = `phone,name,first_name,opt_in,opt_in_at
+966501234567,سارة الحربي,سارة,yes,2026-01-05
+966551234568,Layla Hassan,Layla,yes,2026-01-06
+966561234569,عمر حداد,عمر,yes,2026-01-07
+966571234560,Fahad Al-Otaibi,Fahad,no,
0512,Nobody,Nobody,yes,2026-01-09
`

func (s *story) people() string {
	made := s.do("POST /v1/audiences", "/v1/audiences", map[string]any{"name": "عملاء الرياض"})
	audience := made.field(s.t, "id")
	settings := `{"default_country":"SA","consent":{"covers":"rows","purposes":["marketing"],"method":"web_form","source":"https://acme.example/join",` +
		`"wording":{"version":"2026-01","text":"Yes, Acme Trading may send me offers on WhatsApp.","business_name":"Acme Trading"}}}`
	imported := s.do("POST /v1/audiences/{audience}/imports", "/v1/audiences/"+audience+"/imports?settings="+escapeQuery(settings), customers,
		header("Content-Type", "text/csv"))
	im := imported.field(s.t, "import", "id")
	parsed, err := id.Parse[id.Import](im)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := fixture.Importer(s.pool, s.vault).Run(s.t.Context(), s.tenant.Workspace, parsed); err != nil {
		s.t.Fatal(err)
	}
	s.do("GET /v1/jobs/{job}", "/v1/jobs/"+imported.field(s.t, "job", "id"), nil)
	s.do("GET /v1/imports/{import}", "/v1/imports/"+im, nil)
	s.do("GET /v1/audiences/{audience}/imports", "/v1/audiences/"+audience+"/imports", nil)
	s.do("GET /v1/imports/{import}/rejects", "/v1/imports/"+im+"/rejects", nil)
	s.do("GET /v1/imports/{import}/rejects.csv", "/v1/imports/"+im+"/rejects.csv", nil)
	s.do("GET /v1/audiences", "/v1/audiences", nil)
	s.do("GET /v1/audiences/{audience}", "/v1/audiences/"+audience, nil)
	recorded := s.do("POST /v1/consents", "/v1/consents", map[string]any{"action": "opt_in", "phone": "+966501112233", "purposes": []string{"marketing"},
		"method": "web_form", "source": "https://acme.example/join", "occurred_at": "2026-11-20T09:30:00Z",
		"wording": map[string]any{"version": "2026-01", "text": "Yes, Acme Trading may send me offers on WhatsApp.", "business_name": "Acme Trading"}})
	contact := "/v1/contacts/" + recorded.field(s.t, "contact", "id")
	s.do("GET /v1/contacts", "/v1/contacts", nil)
	s.do("POST /v1/contacts/{contact}/opt-out", contact+"/opt-out", map[string]any{"purposes": []string{"marketing"}, "method": "phone_call", "source": "call centre"})
	s.do("GET /v1/contacts/{contact}", contact, nil)
	s.do("GET /v1/contacts/{contact}/consents", contact+"/consents", nil)
	return audience
}

func (s *story) campaign(audience string) string {
	b := fixture.BroadcastOf(s.t, s.pool, s.vault, s.tenant)
	template := b.AddTemplate(s.t, "MARKETING", "APPROVED", "مرحباً {{1}}، وصلت تشكيلة الخريف إلى فرعنا في الرياض.")
	s.do("GET /v1/templates", "/v1/templates", nil)
	s.do("GET /v1/templates/{template}", "/v1/templates/"+template.String(), nil)
	s.do("POST /v1/templates/sync", "/v1/templates/sync", nil)
	define := func(name string) map[string]any {
		return map[string]any{"name": name, "number_id": b.Number, "template_id": template, "audience_ids": []string{audience},
			"variables": map[string]any{"body": []map[string]string{{"attribute": "first_name", "fallback": "صديقنا"}}}}
	}
	draft := s.do("POST /v1/campaigns", "/v1/campaigns", define("Draft"))
	s.do("DELETE /v1/campaigns/{campaign}", "/v1/campaigns/"+draft.field(s.t, "id"), nil)
	made := s.do("POST /v1/campaigns", "/v1/campaigns", define("تشكيلة الخريف"))
	c := made.field(s.t, "id")
	path := "/v1/campaigns/" + c
	s.do("POST /v1/campaigns/{campaign}/duplicate", path+"/duplicate", nil)
	s.do("GET /v1/campaigns/{campaign}", path, nil)
	s.do("PATCH /v1/campaigns/{campaign}", path, map[string]any{"per_minute": 600})
	s.portfolio("/v1/portfolios/"+b.Portfolio.String(), path)
	asked := s.do("POST /v1/campaigns/{campaign}/check", path+"/check", nil)
	check := path + "/checks/" + asked.field(s.t, "check_id")
	s.check(asked.field(s.t, "check_id"))
	s.do("GET /v1/campaigns/{campaign}/checks/{check}", check, nil)
	s.do("GET /v1/campaigns/{campaign}/checks/{check}/rows.csv", check+"/rows.csv", nil)
	s.prices(check)
	launched := s.do("POST /v1/campaigns/{campaign}/launch", path+"/launch", map[string]any{"expected_recipients": 3, "undo_seconds": 0})
	s.planned(launched.field(s.t, "run_id"))
	return path
}

// portfolio keeps a part of the messaging limit for orders.
func (s *story) portfolio(portfolio, campaign string) {
	s.do("GET /v1/portfolios", "/v1/portfolios", nil)
	s.do("PATCH /v1/portfolios/{portfolio}", portfolio, map[string]any{"reserve": 0.05})
	s.do("PUT /v1/portfolios/{portfolio}/shares/{share}", portfolio+"/shares/orders", map[string]any{"places": 300, "kinds": []string{"api"}})
	s.do("GET /v1/portfolios/{portfolio}", portfolio, nil)
	s.do("PUT /v1/campaigns/{campaign}/priority", campaign+"/priority", map[string]any{"priority": "high", "share": "orders"})
	s.do("GET /v1/campaigns/{campaign}/priority", campaign+"/priority", nil)
	s.do("GET /v1/portfolios/{portfolio}/calendar", portfolio+"/calendar?past=1&coming=2", nil)
	s.do("DELETE /v1/portfolios/{portfolio}/shares/{share}", portfolio+"/shares/orders", nil)
}

// prices uploads a rate card and asks what the check would cost.
func (s *story) prices(check string) {
	file, err := os.ReadFile("../docs/rate-card-FAKE.csv")
	if err != nil {
		s.t.Fatal(err)
	}
	card := "/v1/rate-cards/" + s.do("POST /v1/rate-cards", "/v1/rate-cards?valid_from=2026-10-01&filename=rate-card-FAKE.csv", string(file),
		header("Content-Type", "text/csv")).field(s.t, "id")
	s.do("GET /v1/rate-cards", "/v1/rate-cards", nil)
	s.do("GET /v1/rate-cards/{card}", card, nil)
	s.do("GET /v1/rate-cards/{card}/file.csv", card+"/file.csv", nil)
	s.do("GET /v1/campaigns/{campaign}/checks/{check}/cost", check+"/cost", nil)
}

// check works a check out, as the worker does.
func (s *story) check(wanted string) {
	k, err := id.Parse[id.Check](wanted)
	if err != nil {
		s.t.Fatal(err)
	}
	fixture.In(s.t, s.pool, s.tenant.Workspace, func(tx pgx.Tx) error {
		_, err := check.Lease(s.t.Context(), tx, s.tenant.Workspace, k)
		return err
	})
	for done := false; !done; {
		fixture.In(s.t, s.pool, s.tenant.Workspace, func(tx pgx.Tx) (err error) {
			done, err = check.Chunk(s.t.Context(), tx, s.vault, s.tenant.Workspace, k)
			return err
		})
	}
}

// planned gives everybody of a run their message, as the scheduler does.
func (s *story) planned(run string) {
	r, err := id.Parse[id.Run](run)
	if err != nil {
		s.t.Fatal(err)
	}
	box, err := s.vault.Box(s.t.Context(), s.tenant.Workspace)
	if err != nil {
		s.t.Fatal(err)
	}
	for at := (plan.Progress{}); !at.Done; {
		fixture.In(s.t, s.pool, s.tenant.Workspace, func(tx pgx.Tx) (err error) {
			at, err = plan.Next(s.t.Context(), tx, s.vault, box, s.tenant.Workspace, r)
			return err
		})
	}
	fixture.In(s.t, s.pool, s.tenant.Workspace, func(tx pgx.Tx) error {
		if err := campaigns.Due(s.t.Context(), tx, s.tenant.Workspace, r); err != nil {
			return err
		}
		if _, err := tx.Exec(s.t.Context(), sqlSent, s.tenant.Workspace, r); err != nil {
			return err
		}
		if err := charges.Count(s.t.Context(), tx, s.tenant.Workspace, r); err != nil {
			return err
		}
		return campaigns.Snapshot(s.t.Context(), tx, s.tenant.Workspace, r)
	})
}

// sqlSent lets one message be read, one be delivered and one fail.
const sqlSent = `
	update message
	set state = (array['read', 'delivered', 'failed'])[ordinal],
		reason = case ordinal when 3 then 'meta_131026' end,
		meta_code = case ordinal when 3 then 131026 end,
		accepted_at = bareed_now(),
		sent_at = case when ordinal < 3 then bareed_now() end,
		delivered_at = case when ordinal < 3 then bareed_now() end,
		read_at = case ordinal when 1 then bareed_now() end,
		failed_at = case ordinal when 3 then bareed_now() end,
		pricing = case when ordinal < 3
			then '{"billable": true, "pricing_model": "PMP", "type": "regular", "category": "marketing"}'::jsonb end
	where workspace_id = $1
	  and run_id = $2
	  and ordinal < 4`

func (s *story) ending(path string) {
	s.do("GET /v1/campaigns", "/v1/campaigns", nil)
	recipients := s.do("GET /v1/campaigns/{campaign}/recipients", path+"/recipients", nil)
	var page struct {
		Data []struct {
			MessageID string `json:"message_id"`
		} `json:"data"`
	}
	recipients.into(s.t, &page)
	s.do("GET /v1/error-codes", "/v1/error-codes", nil)
	s.examples["getErrorCodes"]["response"] = map[string]any{"data": s.examples["getErrorCodes"]["response"].(map[string]any)["data"].([]any)[:3]} // a hundred are no example
	s.do("GET /v1/messages/{message}", "/v1/messages/"+page.Data[0].MessageID, nil)
	s.do("GET /v1/campaigns/{campaign}/firings", path+"/firings", nil)
	s.do("GET /v1/campaigns/{campaign}/template", path+"/template", nil)
	s.do("GET /v1/changes", "/v1/changes", nil)
	s.do("POST /v1/campaigns/{campaign}/pause", path+"/pause", nil)
	s.do("POST /v1/campaigns/{campaign}/resume", path+"/resume", map[string]any{"reason": "the price in the template is right after all"})
	s.do("GET /v1/campaigns/{campaign}/report", path+"/report", nil)
	s.do("GET /v1/campaigns/{campaign}/cost", path+"/cost", nil)
	s.do("GET /v1/campaigns/{campaign}/differences", path+"/differences", nil)
	s.do("GET /v1/campaigns/{campaign}/differences/rows.csv", path+"/differences/rows.csv", nil)
	s.unconfirmed(path)
	s.rules(path)
	s.do("POST /v1/campaigns/{campaign}/stop", path+"/stop", nil)
	s.do("GET /v1/campaigns/{campaign}/events", path+"/events", nil)
	audience := s.do("POST /v1/audiences", "/v1/audiences", map[string]any{"name": "Spring visitors"})
	s.do("DELETE /v1/audiences/{audience}", "/v1/audiences/"+audience.field(s.t, "id"), nil)
	s.do("POST /v1/audiences", "/v1/audiences", map[string]any{"name": "Autumn visitors"})
	s.do("GET /v1/audit", "/v1/audit?limit=3", nil)
	s.do("PUT /v1/me/password", "/v1/me/password", map[string]any{"current": sentence, "new": "two gulls on the sea wall"})
	s.person = s.cookie(s.call(s.t, "POST", "/v1/sessions", map[string]any{"email": "noura@acme.example", "password": "two gulls on the sea wall"}, asNobody()))
	s.do("DELETE /v1/sessions/current", "/v1/sessions/current", nil)
}

// unconfirmed decides about messages that got no answer, first one way and then
// the other.
func (s *story) unconfirmed(path string) {
	silent := func() {
		fixture.In(s.t, s.pool, s.tenant.Workspace, func(tx pgx.Tx) error {
			_, err := tx.Exec(s.t.Context(), `update message set state = 'unconfirmed', reason = 'no_answer', attempt = 1,
				claim_token = $2, claimed_at = bareed_now() where workspace_id = $1 and ordinal = 3`, s.tenant.Workspace, uuid.New())
			return err
		})
	}
	silent()
	s.do("GET /v1/campaigns/{campaign}/unconfirmed", path+"/unconfirmed", nil)
	s.do("POST /v1/campaigns/{campaign}/unconfirmed/resend", path+"/unconfirmed/resend", map[string]any{"expected": 1})
	silent()
	s.do("POST /v1/campaigns/{campaign}/unconfirmed/close", path+"/unconfirmed/close", map[string]any{"expected": 1})
	s.do("GET /v1/campaigns/{campaign}/certificate", path+"/certificate", nil)
}

// rules reads and sets what holds a campaign, and has sent anew what Meta dropped.
func (s *story) rules(path string) {
	s.do("GET /v1/breaker", "/v1/breaker", nil)
	s.do("PUT /v1/breaker", "/v1/breaker", map[string]any{"opt_outs_over": 1, "waves": "always"})
	s.do("GET /v1/campaigns/{campaign}/breaker", path+"/breaker", nil)
	s.do("PUT /v1/campaigns/{campaign}/breaker", path+"/breaker", map[string]any{"waves": "never"})
	fixture.In(s.t, s.pool, s.tenant.Workspace, func(tx pgx.Tx) error {
		_, err := tx.Exec(s.t.Context(), `update message set state = 'held', reason = 'meta_132015', attempt = 1, wamid = 'wamid.HELD',
			accepted_at = bareed_now(), claim_token = $2, claimed_at = bareed_now() where workspace_id = $1 and ordinal = 3`, s.tenant.Workspace, uuid.New())
		return err
	})
	s.do("GET /v1/campaigns/{campaign}/waves", path+"/waves", nil)
	s.do("GET /v1/campaigns/{campaign}/held", path+"/held", nil)
	s.do("POST /v1/campaigns/{campaign}/held/return", path+"/held/return", map[string]any{"expected": 1})
	s.caps(path)
}

// caps sets how often people may be messaged and how much may be spent.
func (s *story) caps(path string) {
	s.do("GET /v1/sending-rules", "/v1/sending-rules", nil)
	s.do("PUT /v1/sending-rules", "/v1/sending-rules", map[string]any{"frequency": []any{map[string]any{"most": 2, "days": 7}},
		"cool_off_hours": 48, "blocked_countries": []string{"KP"}})
	s.do("PUT /v1/campaigns/{campaign}/frequency", path+"/frequency", map[string]any{"pass": true, "reason": "a recall of goods that everybody must hear of"})
	s.do("GET /v1/campaigns/{campaign}/frequency", path+"/frequency", nil)
	amount := func(micros int64) map[string]any {
		return map[string]any{"amount": map[string]any{"amount_micros": micros, "currency": "XTS"}}
	}
	s.do("GET /v1/budget", "/v1/budget", nil)
	s.do("PUT /v1/budget", "/v1/budget", amount(500_000_000))
	s.do("GET /v1/campaigns/{campaign}/budget", path+"/budget", nil)
	s.do("PUT /v1/campaigns/{campaign}/budget", path+"/budget", amount(20_000_000))
}

var (
	anyTime   = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	storyID   = regexp.MustCompile(`\b([a-z]{2,4})_([0-9a-f]{32})\b`)
	anySecret = regexp.MustCompile(`bk_(test|live)_[A-Za-z0-9_-]{12,}`)
	anyCursor = regexp.MustCompile(`"next_cursor": "[^"]+"`)
	anyEmail  = regexp.MustCompile(`[A-Za-z0-9._-]+@[a-z]+\.(example|test|invalid)`)
	verify    = regexp.MustCompile(`"verify_token": "[^"]+"`)
)

// write puts the examples into the repository, with identifiers and times that
// are the same each time.
func (s *story) write() {
	b, err := json.MarshalIndent(s.examples, "", " ")
	if err != nil {
		s.t.Fatal(err)
	}
	text := string(b)
	seen := map[string]string{}
	text = storyID.ReplaceAllStringFunc(text, func(old string) string {
		prefix, key, _ := strings.Cut(old, "_")
		if seen[key] == "" {
			seen[key] = fmt.Sprintf("019ab3c5d1e77f40a1b2%012x", len(seen)+1)
		}
		return prefix + "_" + seen[key]
	})
	text = calm(text)
	text = anySecret.ReplaceAllString(text, "bk_${1}_shown-once-then-only-a-hash-is-kept")
	text = anyCursor.ReplaceAllString(text, `"next_cursor": "c2lnbmVkIGFuZCBvcGFxdWU"`)
	text = verify.ReplaceAllString(text, `"verify_token": "shown-once"`)
	text = anyEmail.ReplaceAllStringFunc(text, func(e string) string {
		if strings.HasSuffix(e, "@acme.example") {
			return e
		}
		return "owner@acme.example"
	})
	if err := os.WriteFile("describe/examples.json", []byte(text+"\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// calm moves the times of this run to one morning, in their order.
func calm(text string) string {
	base := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	moved := map[string]time.Time{}
	for _, found := range anyTime.FindAllString(text, -1) {
		if at, err := time.Parse(time.RFC3339Nano, found); err == nil && time.Since(at).Abs() < time.Hour {
			moved[found] = at
		}
	}
	order := slices.SortedFunc(maps.Keys(moved), func(a, b string) int { return moved[a].Compare(moved[b]) })
	return anyTime.ReplaceAllStringFunc(text, func(found string) string {
		if at := slices.Index(order, found); at >= 0 {
			return base.Add(time.Duration(at) * time.Second).Format(time.RFC3339)
		}
		return found
	})
}

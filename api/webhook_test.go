package api_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/contacts"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/numbers"
	"bareed/whatsapp"
)

const (
	webhookFiles = "../whatsapp/testdata/webhooks"
	filePrefix   = "900000000000" // of every id in them
)

// mailbox is a workspace with a connected number behind Meta's door.
type mailbox struct {
	*rig
	fixture.Meta
	prefix string
}

// newMailbox connects a number whose ids begin with the prefix.
func newMailbox(t testing.TB, r *rig, prefix string) *mailbox {
	t.Helper()
	tenant := fixture.Workspace(t, r.pool, r.vault)
	return &mailbox{r, fixture.Connect(t, r.pool, r.vault, tenant, fixture.IDs(prefix)), prefix}
}

// fileTimes are the times in the webhook files, which lie around fileNow.
var fileTimes = regexp.MustCompile(`\b179[89]\d{6}\b`)

const fileNow = 1798761600

// file reads a webhook file, its ids turned into this mailbox's and its times into
// the present's: what is old says nothing new, and the files grow old.
func (m *mailbox) file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(webhookFiles, name))
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Unix() - fileNow
	b = fileTimes.ReplaceAllFunc(b, func(at []byte) []byte {
		n, _ := strconv.ParseInt(string(at), 10, 64) // digits
		return strconv.AppendInt(nil, n+later, 10)
	})
	return bytes.ReplaceAll(b, []byte(filePrefix), []byte(m.prefix))
}

// post sends a signed body.
func (m *mailbox) post(t testing.TB, body []byte, changes ...with) answer {
	t.Helper()
	all := append([]with{asNobody(), header(whatsapp.SignatureHeader, whatsapp.Sign(body, fixture.AppSecret))}, changes...)
	return m.call(t, http.MethodPost, "/webhooks/meta/"+m.Connection.AppID, bytes.NewReader(body), all...)
}

// column runs a query of one text column in the mailbox's workspace.
func (m *mailbox) column(t testing.TB, sql string, args ...any) []string {
	t.Helper()
	var list []string
	fixture.In(t, m.pool, m.Tenant.Workspace, func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), sql, args...)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return list
}

func (m *mailbox) stops(t testing.TB) []string {
	return m.column(t, `select scope || ':' || reason from stop where cleared_at is null order by 1`)
}

func (m *mailbox) changes(t testing.TB) []string {
	return m.column(t, `select what || '=' || became from meta_change where source = 'webhook' order by 1`)
}

func (m *mailbox) events(t testing.TB) []string {
	return m.column(t, `select state || ':' || array_to_string(fields, ',') || problem from event order by received_at`)
}

// suppressed tells for which purposes the person of the files must not be
// messaged, by phone and by business-scoped id.
func (m *mailbox) suppressed(t testing.TB) []string {
	var hashes [][]byte
	for _, key := range m.person() {
		hashes = append(hashes, m.vault.RecipientHash(key))
	}
	return m.column(t, `
		select case recipient_hash when $2 then 'phone' else 'bsuid' end || ':' || purpose
		from suppression
		where recipient_hash = any ($1)
		  and lifted_at is null
		order by 1`, hashes, hashes[0])
}

// person is who wrote in the files, by phone and by business-scoped id.
func (m *mailbox) person() []string {
	bsuid := strings.ReplaceAll("US.90000000000000000001", filePrefix, m.prefix)
	return []string{contacts.RecipientKeyOfWaID("15550107777"), contacts.RecipientKeyOfBSUID(bsuid)}
}

func (m *mailbox) windows(t testing.TB) int {
	return len(m.column(t, `select number_id::text from service_window where open_until > bareed_now() + interval '23 hours'`))
}

func (m *mailbox) strays(t testing.TB) []string {
	t.Helper()
	rows, err := m.pool.Engine().Query(t.Context(), `select s.why from stray_event s join meta_app a on a.id = s.app_id where a.meta_app_id = $1 order by 1`, m.Connection.AppID)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestWebhookFiles sends every webhook file, twice, and looks at the rows.
func TestWebhookFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	files, err := filepath.Glob(filepath.Join(webhookFiles, "*.json"))
	if err != nil || len(files) != len(effects()) {
		t.Fatalf("%d files, %d effects: %v", len(files), len(effects()), err)
	}
	for i, path := range files {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			want, ok := effects()[name]
			if !ok {
				t.Fatal("the file has no effect in the table")
			}
			m := newMailbox(t, r, fmt.Sprintf("91%010d", i))
			body := m.file(t, name)
			m.post(t, body).ok(t, http.StatusOK)
			m.post(t, body).ok(t, http.StatusOK)
			m.check(t, want)
			events := m.events(t)
			if len(events) != 1 || !strings.HasPrefix(events[0], "new:") || strings.HasSuffix(events[0], "gate") {
				t.Errorf("events %v, want one, new and without problem", events)
			}
			if s := m.strays(t); len(s) != 0 {
				t.Errorf("strays %v", s)
			}
		})
	}
}

func (m *mailbox) check(t *testing.T, want effect) {
	t.Helper()
	if got := m.stops(t); !slices.Equal(got, want.stops) {
		t.Errorf("stops %v, want %v", got, want.stops)
	}
	if got := m.changes(t); !slices.Equal(got, want.changes) {
		t.Errorf("changes %v, want %v", got, want.changes)
	}
	if got := m.suppressed(t); !slices.Equal(got, want.suppressed) {
		t.Errorf("suppressed %v, want %v", got, want.suppressed)
	}
	if got := m.windows(t); got != want.windows {
		t.Errorf("%d service windows, want %d", got, want.windows)
	}
}

// TestSignatureVectors: the vectors fit the door as they are (W1 to W4).
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := newMailbox(t, r, filePrefix)
	b, err := os.ReadFile("../whatsapp/testdata/signature-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Vectors []struct{ File, Body, Value string }
	}
	if err := json.Unmarshal(b, &doc); err != nil || len(doc.Vectors) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, v := range doc.Vectors {
		body := []byte(v.Body)
		if v.File != "" {
			if body, err = os.ReadFile(filepath.Join(webhookFiles, filepath.Base(v.File))); err != nil {
				t.Fatal(err)
			}
		}
		m.post(t, body, header(whatsapp.SignatureHeader, v.Value)).ok(t, http.StatusOK)
		wrong := v.Value[:len(v.Value)-1] + map[bool]string{true: "1", false: "0"}[strings.HasSuffix(v.Value, "0")]
		m.post(t, append(body, ' '), header(whatsapp.SignatureHeader, wrong)).refused(t, http.StatusUnauthorized, "webhook.signature")
	}
}

// TestUnsignedWebhooks: W1, W2, W4, W5, W6: nothing is stored.
func TestUnsignedWebhooks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m, other := newMailbox(t, r, "920000000001"), newMailbox(t, r, "920000000002")
	body := m.file(t, "inbound_text_stop.json")
	right := whatsapp.Sign(body, fixture.AppSecret)
	mac := hmac.New(sha1.New, []byte(fixture.AppSecret))
	mac.Write(body)
	fixture.In(t, r.pool, other.Tenant.Workspace, func(tx pgx.Tx) error { // an app with a secret of its own
		c := other.Connection
		c.AppSecret = "another-secret-altogether"
		box, err := r.vault.Box(t.Context(), other.Tenant.Workspace)
		if err != nil {
			return err
		}
		c.PhoneNumberID += "9"
		p := other.Probed()
		p.Number.ID = c.PhoneNumberID
		_, err = numbers.Connect(t.Context(), tx, numbers.Keys{Workspace: box, System: r.vault.System()}, other.Tenant.Actor, c, p)
		return err
	})
	for name, value := range map[string]string{
		"none": "", "wrong": "sha256=" + strings.Repeat("0", 64), "sha1": "sha1=" + hex.EncodeToString(mac.Sum(nil)),
		"truncated": right[:len(right)-2], "without its name": strings.TrimPrefix(right, "sha256="), "twice as long": right + right[7:],
		"other app's secret": whatsapp.Sign(body, "another-secret-altogether"), "not hex": "sha256=" + strings.Repeat("zz", 32),
	} {
		m.post(t, body, header(whatsapp.SignatureHeader, value)).refused(t, http.StatusUnauthorized, "webhook.signature")
		_ = name
	}
	m.call(t, http.MethodPost, "/webhooks/meta/123", bytes.NewReader(body), asNobody(), header(whatsapp.SignatureHeader, right)).
		refused(t, http.StatusUnauthorized, "webhook.signature")
	m.post(t, make([]byte, 4<<20+1)).refused(t, http.StatusRequestEntityTooLarge, "webhook.too_large")
	m.post(t, body, header("Content-Encoding", "gzip")).refused(t, http.StatusUnsupportedMediaType, "webhook.encoding")
	if e := m.events(t); len(e) != 0 {
		t.Errorf("events %v, want none", e)
	}
	m.check(t, effect{})
	// During a rotation the old secret still signs.
	other.post(t, other.file(t, "inbound_text.json")).ok(t, http.StatusOK)
	late := other.file(t, "inbound_reaction.json")
	other.post(t, late, header(whatsapp.SignatureHeader, whatsapp.Sign(late, "another-secret-altogether"))).ok(t, http.StatusOK)
	if e := other.events(t); len(e) != 2 {
		t.Errorf("events %v, want two", e)
	}
}

// TestWebhookHandshake: W8.
func TestWebhookHandshake(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := newMailbox(t, r, "930000000001")
	path := "/webhooks/meta/" + m.Connection.AppID
	q := func(mode, token, challenge string) string {
		return path + "?hub.mode=" + mode + "&hub.verify_token=" + token + "&hub.challenge=" + challenge
	}
	good := m.Connection.VerifyToken
	got := m.call(t, http.MethodGet, q("subscribe", good, "%3Cscript%3E1%3C%2Fscript%3E"), nil, asNobody()).ok(t, http.StatusOK)
	if string(got.Body) != "<script>1</script>" || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("answer %q of type %q", got.Body, got.Header.Get("Content-Type"))
	}
	m.call(t, http.MethodGet, q("subscribe", "wrong", "1"), nil, asNobody()).refused(t, http.StatusForbidden, "webhook.verify_token")
	m.call(t, http.MethodGet, q("unsubscribe", good, "1"), nil, asNobody()).refused(t, http.StatusForbidden, "webhook.verify_token")
	m.call(t, http.MethodGet, "/webhooks/meta/1?hub.mode=subscribe&hub.verify_token=&hub.challenge=1", nil, asNobody()).refused(t, http.StatusForbidden, "webhook.verify_token")
	m.call(t, http.MethodGet, path+"?hub.mode=subscribe&hub.verify_token="+good, nil, asNobody()).refused(t, http.StatusBadRequest, "webhook.challenge")
	m.call(t, http.MethodGet, q("subscribe", good, strings.Repeat("1", 257)), nil, asNobody()).refused(t, http.StatusBadRequest, "webhook.challenge")
}

// TestStrayWebhooks: W7, W9, W14, W20 to W22: 200, and kept.
func TestStrayWebhooks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i, c := range []struct {
		name, body string
		stray      []string
	}{
		{"not JSON (W7)", `{"object":`, []string{"unparseable"}},
		{"an array", `[]`, []string{"unparseable"}},
		{"empty", ``, []string{"unparseable"}},
		{"other object (W9)", `{"object":"page","entry":[{"id":"1","changes":[{"field":"feed","value":{}}]}]}`, []string{"other_object"}},
		{"unknown number (W21)", `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"1"},"statuses":[]}}]}]}`, []string{"unknown_number"}},
		{"unknown account", `{"object":"whatsapp_business_account","entry":[{"id":"5","changes":[{"field":"account_update","value":{"event":"ACCOUNT_DELETED"}}]}]}`, []string{"unknown_waba"}},
		{"an entry that is a number", `{"object":"whatsapp_business_account","entry":[5]}`, []string{"unparseable"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMailbox(t, r, fmt.Sprintf("94%010d", i))
			m.post(t, []byte(c.body)).ok(t, http.StatusOK)
			if got := m.strays(t); !slices.Equal(got, c.stray) {
				t.Errorf("strays %v, want %v", got, c.stray)
			}
			if e := m.events(t); len(e) != 0 {
				t.Errorf("events %v, want none", e)
			}
		})
	}
}

// TestForeignWebhook: another app's valid signature moves nothing of ours (W4, W15).
func TestForeignWebhook(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m, thief := newMailbox(t, r, "950000000001"), newMailbox(t, r, "950000000002")
	for _, name := range []string{"inbound_text_stop.json", "account_update_deleted.json", "template_status_disabled.json"} {
		body := m.file(t, name)
		thief.post(t, body).ok(t, http.StatusOK)
	}
	m.check(t, effect{})
	if got := thief.strays(t); !slices.Equal(got, []string{"unknown_number", "unknown_waba", "unknown_waba"}) {
		t.Errorf("strays %v", got)
	}
}

func inbound(prefix, element string) []byte {
	return []byte(`{"object":"whatsapp_business_account","entry":[{"id":"` + prefix + `001","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",
		"metadata":{"display_phone_number":"15550100101","phone_number_id":"` + prefix + `101"},"messages":[` + element + `]}}]}]}`)
}

// TestKeywords: W19 at the door.
func TestKeywords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	text := func(s string) string {
		return fmt.Sprintf(`{"from":"15550107777","id":"wamid.1","timestamp":"1763800000","type":"text","text":{"body":%q}}`, s)
	}
	for i, c := range []struct {
		element string
		stopped bool
	}{
		{text("STOP"), true}, {text("stop."), true}, {text("إيقاف"), true}, {text("don't stop"), false}, {text("hello"), false},
		{`{"from":"15550107777","id":"wamid.1","type":"button","button":{"payload":"x","text":"Stop promotions"}}`, true},
		{`{"from":"15550107777","id":"wamid.1","type":"button","button":{"payload":"STOP","text":"No more"}}`, true},
		{`{"from":"15550107777","id":"wamid.1","type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"x","title":"Unsubscribe"}}}`, true},
	} {
		m := newMailbox(t, r, fmt.Sprintf("96%010d", i))
		m.post(t, inbound(m.prefix, c.element)).ok(t, http.StatusOK)
		if got := len(m.suppressed(t)) > 0; got != c.stopped {
			t.Errorf("%s: stopped %v, want %v", c.element, got, c.stopped)
		}
	}
}

// TestStopThenStart: the later word decides, in whatever order they arrive (W12, W18).
func TestStopThenStart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	now := time.Now()
	say := func(m *mailbox, word string, ago time.Duration) {
		m.post(t, inbound(m.prefix, fmt.Sprintf(`{"from":"15550107777","id":"wamid.%s%d","timestamp":"%d","type":"text","text":{"body":%q}}`,
			word, ago, now.Add(-ago).Unix(), word))).ok(t, http.StatusOK)
	}
	m := newMailbox(t, r, "970000000001")
	say(m, "STOP", 2*time.Hour)
	say(m, "START", time.Hour)
	if s := m.suppressed(t); len(s) != 0 {
		t.Errorf("after START %v, want nothing suppressed", s)
	}
	say(m, "STOP", 8*24*time.Hour) // a replay of eight days ago
	if s := m.suppressed(t); len(s) != 0 {
		t.Errorf("after an old STOP %v, want nothing suppressed", s)
	}
	say(m, "STOP", 0)
	if s := m.suppressed(t); len(s) != 3 {
		t.Errorf("after STOP %v, want every purpose", s)
	}
	say(m, "START", 30*time.Minute) // arrives late
	if s := m.suppressed(t); len(s) != 3 {
		t.Errorf("after a late START %v, want every purpose", s)
	}
}

// TestUnbelievableTimes: W17, W23 and other odd elements do not crash, and the
// good ones among them count.
func TestUnbelievableTimes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := newMailbox(t, r, "970000000002")
	m.post(t, inbound(m.prefix, `7, null, {}, {"from":"1","id":"w","timestamp":"abc","type":"text","text":{"body":5}},
		{"from":"15550107777","id":"wamid.9","timestamp":"4102444800","type":"text","text":{"body":"STOP"}},
		{"from":"15550107777","id":"wamid.8","timestamp":"-5","type":"text","text":"x"}`)).ok(t, http.StatusOK)
	if s := m.suppressed(t); len(s) != 3 {
		t.Errorf("suppressed %v, want every purpose", s)
	}
	if since := m.column(t, `select 'later' from suppression where since > bareed_now()`); len(since) != 0 {
		t.Error("a refusal lies in the future")
	}
}

// TestOldTime: a refusal is not lost because its time lies before WhatsApp.
func TestOldTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := newMailbox(t, r, "970000000012")
	m.post(t, inbound(m.prefix, `{"from":"15550107777","id":"wamid.7","timestamp":"86400","type":"text","text":{"body":"STOP"}}`)).ok(t, http.StatusOK)
	if s := m.suppressed(t); len(s) != 3 {
		t.Errorf("suppressed %v, want every purpose", s)
	}
}

// TestPoison: what the database would refuse costs only its own element, which
// is noted, and is kept.
func TestPoison(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := newMailbox(t, r, "970000000008")
	body := `{"entry":[
		{"id":"\u0000","changes":[{"field":"account_update","value":{"event":"ACCOUNT_DELETED"}}]},
		{"id":"` + m.prefix + `001","changes":[
			{"field":"x\u0000y","value":{"a":"\u0000"}},
			{"field":"account_update","value":{"event":"ACCOUNT_VIOLATION","violation_info":{"violation_type":"a\u0000b"}}},
			{"field":"messages","value":{"metadata":{"phone_number_id":"' or 1=1"},"statuses":[{"id":"1","status":"sent"}]}},
			{"field":"messages","value":{"metadata":{"phone_number_id":"` + m.prefix + `101"},"messages":[
				{"from":"1\u00002","id":"a","type":"text","timestamp":"1763800000","text":{"body":"STOP"}},
				{"from":"15550107777","id":"b","type":"text","timestamp":"1763800000","text":{"body":"STOP"}}]}}]}]}`
	m.post(t, []byte(body)).ok(t, http.StatusOK)
	if s := m.suppressed(t); len(s) != 3 {
		t.Errorf("suppressed %v, want every purpose", s)
	}
	if e := m.events(t); len(e) != 1 || !strings.HasSuffix(e[0], "other,account_update,messagesgate") {
		t.Errorf("events %v", e)
	}
	if got := m.strays(t); !slices.Equal(got, []string{"unknown_number", "unknown_waba"}) {
		t.Errorf("strays %v", got)
	}
}

// TestWebhookTwins: the same body five times at once has one effect (W11, W24's second half).
func TestWebhookTwins(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := newMailbox(t, r, "970000000003")
	body := m.file(t, "batch_mixed.json")
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if a := m.post(t, body); a.Status != http.StatusOK {
				t.Errorf("status %d: %s", a.Status, a.Body)
			}
		})
	}
	wg.Wait()
	if e := m.events(t); len(e) != 1 {
		t.Errorf("%d events, want 1", len(e))
	}
	m.check(t, effects()["batch_mixed.json"])
}

// TestThousandStatuses: W10.
func TestThousandStatuses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := newMailbox(t, r, "970000000004")
	var list []string
	for i := range 1000 {
		list = append(list, fmt.Sprintf(`{"id":"wamid.%d","status":"failed","timestamp":"1763800000","recipient_id":"1555020%04d","errors":[{"code":%d}]}`,
			i, i, map[bool]int{true: 131050, false: 131026}[i%100 == 0]))
	}
	body := bytes.ReplaceAll(inbound(m.prefix, ""), []byte(`"messages":[]`), []byte(`"statuses":[`+strings.Join(list, ",")+`]`))
	m.post(t, body).ok(t, http.StatusOK)
	if n := m.column(t, `select purpose from suppression`); len(n) != 10 {
		t.Errorf("%d suppressed, want 10", len(n))
	}
	if e := m.events(t); len(e) != 1 {
		t.Errorf("events %v, want one", e)
	}
}

// TestWebhookWithoutDatabase: W24: 503 with Retry-After, and the same body later 200.
func TestWebhookWithoutDatabase(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := newMailbox(t, r, "970000000005")
	owner := pgtest.Owner(t, r.pool)
	if _, err := owner.Exec(t.Context(), `alter table event rename to event_away`); err != nil {
		t.Fatal(err)
	}
	body := m.file(t, "inbound_text_stop.json")
	a := m.post(t, body)
	a.refused(t, http.StatusServiceUnavailable, "webhook.unavailable")
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	m.check(t, effect{}) // nothing half done
	if _, err := owner.Exec(t.Context(), `alter table event_away rename to event`); err != nil {
		t.Fatal(err)
	}
	m.post(t, body).ok(t, http.StatusOK)
	m.check(t, effects()["inbound_text_stop.json"])
}

// TestContentOff: what a person wrote is not kept in mode off, but is understood.
func TestContentOff(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := newMailbox(t, r, "970000000006")
	m.post(t, m.file(t, "inbound_text_stop.json")).ok(t, http.StatusOK)
	read := func() string {
		var kept []byte
		fixture.In(t, r.pool, m.Tenant.Workspace, func(tx pgx.Tx) error {
			var e id.Event
			var sealed []byte
			if err := tx.QueryRow(t.Context(), `select id, body from event order by received_at desc limit 1`).Scan(&e, &sealed); err != nil {
				return err
			}
			box, err := r.vault.Box(t.Context(), m.Tenant.Workspace)
			if err != nil {
				return err
			}
			kept, err = box.Open(sealed, numbers.EventPlace(e))
			return err
		})
		return string(kept)
	}
	kept := read()
	if strings.Contains(kept, "STOP") || strings.Contains(kept, "Sample Person") || !strings.Contains(kept, "15550107777") {
		t.Errorf("kept %s", kept)
	}
	fixture.In(t, r.pool, m.Tenant.Workspace, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `update workspace set content_mode = 'chat_history'`)
		return err
	})
	m.post(t, m.file(t, "inbound_text.json")).ok(t, http.StatusOK)
	if kept := read(); !strings.Contains(kept, "hello") {
		t.Errorf("kept %s", kept)
	}
	stored, err := whatsapp.DecodeStored([]byte(kept))
	if err != nil || len(stored.Messages()) != 1 || stored.Messages()[0].Inbound[0].From != "15550107777" {
		t.Errorf("read back %v, %v", stored, err)
	}
}

// TestSharedAccount: a WABA in two workspaces of one organisation is told to both.
func TestSharedAccount(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := newMailbox(t, r, "970000000007")
	second := secondWorkspace(t, m)
	m.post(t, m.file(t, "account_update_restriction.json")).ok(t, http.StatusOK)
	m.post(t, bytes.ReplaceAll(m.file(t, "business_capability_update_tier_string.json"), []byte(m.prefix+"001"), []byte(m.prefix+"900"))).ok(t, http.StatusOK)
	want := []string{"waba:restriction_restricted_biz_initiated_messaging"}
	for _, box := range []*mailbox{m, second} {
		if got := box.stops(t); !slices.Equal(got, want) {
			t.Errorf("stops %v, want %v", got, want)
		}
		if e := box.events(t); len(e) != 2 {
			t.Errorf("events %v, want two", e)
		}
	}
	m.post(t, m.file(t, "inbound_text_stop.json")).ok(t, http.StatusOK) // a number is in one workspace only
	if e := second.events(t); len(e) != 2 {
		t.Errorf("events %v, want two", e)
	}
}

// secondWorkspace is another workspace of the same organisation, which connects
// another number of the same account with the same app.
func secondWorkspace(t *testing.T, m *mailbox) *mailbox {
	t.Helper()
	ws, err := accounts.CreateWorkspace(t.Context(), m.pool, m.vault, accounts.NewWorkspaceRequest{
		Organisation: m.Tenant.Organisation, Name: "Second", Live: true})
	if err != nil {
		t.Fatal(err)
	}
	tenant := m.Tenant
	tenant.Workspace, tenant.Actor.Workspace = ws, ws
	ids := fixture.IDs(m.prefix)
	ids.Number = m.prefix + "102"
	return &mailbox{m.rig, fixture.Connect(t, m.pool, m.vault, tenant, ids), m.prefix}
}

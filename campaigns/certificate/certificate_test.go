package certificate_test

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/certificate"
	"bareed/campaigns/certificate/verify"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
)

func issue(t testing.TB, b *fixture.Broadcast, c id.Campaign) ([]byte, error) {
	t.Helper()
	var out bytes.Buffer
	err := certificate.Write(t.Context(), certificate.Config{Pool: b.Pool, Actor: b.Actor, Campaign: c,
		Out: func() io.Writer { return &out }, Page: func() error { return nil }})
	return out.Bytes(), err
}

// history launches a campaign whose people went through about everything, by
// the engine's own statements wherever they suffice.
func history(t testing.TB, people int) (*fixture.Broadcast, campaigns.Launched) {
	t.Helper()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	contacts := b.AddPeople(t, b.Audience, people)
	for _, c := range contacts {
		entry := id.New[id.Consent]()
		b.Do(t, `insert into consent (workspace_id, id, contact_id, recipient_hash, purpose, action, method, source, policy, occurred_at, actor, hash)
			values ($1, $2, $3, '\x00', 'marketing', 'opt_in', 'web_form', 'shop', 'strict', bareed_now(), 'test', sha256($4))`, b.Workspace, entry, c, []byte(entry.String()))
		b.Do(t, `update permission set consent_id = $2 where contact_id = $1`, c, entry)
	}
	if _, err := b.Pool.Engine().Exec(t.Context(), `update portfolio set messaging_limit = null, limit_known = true`); err != nil {
		t.Fatal(err)
	}
	b.Do(t, `update permission set granted = false where contact_id = $1`, contacts[0])
	l := b.Launch(t, "ربيع & <spring>")
	var wants []messages.Want
	for o := range people {
		wants = append(wants, messages.Want{Message: id.Message{Run: l.RunID, Ordinal: int32(o + 1)}, Token: uuid.New()})
	}
	claims, err := messages.ClaimAll(t.Context(), b.Pool, b.Workspace, "test", wants)
	if err != nil {
		t.Fatal(err)
	}
	var results []messages.Result
	for i, c := range claims {
		r := messages.Result{Message: c.Message, Token: c.Token, Attempt: c.Attempt, Hash: c.Hash, Portfolio: c.Portfolio}
		switch {
		case i == 1:
			r.Outcome, r.State, r.Reason, r.Code, r.HTTP = "refused_for_good", messages.Failed, "meta_131026", 131026, 400
		case i == 2 || i == 3:
			r.Outcome, r.State, r.HTTP = "unknown", messages.Unknown, 502
		default:
			r.Outcome, r.State, r.WAMID, r.HTTP = "accepted", messages.Accepted, "wamid."+c.Message.String(), 200
		}
		results = append(results, r)
	}
	b.In(t, func(tx pgx.Tx) error { return messages.Record(t.Context(), tx, b.Workspace, results) })
	b.Do(t, `update message set state = 'unconfirmed', reason = 'no_answer' where run_id = $1 and state = 'unknown'`, l.RunID)
	for range 3 {
		b.In(t, func(tx pgx.Tx) error {
			_, err := campaigns.Finish(t.Context(), tx, b.Workspace, l.RunID)
			return err
		})
	}
	fixture.SealAll(t, b.Pool)
	return b, l
}

func check(t testing.TB, text []byte) verify.Result {
	t.Helper()
	r, err := verify.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCertificateHolds(t *testing.T) {
	t.Parallel()
	b, l := history(t, 12)
	text, err := issue(t, b, l.CampaignID)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) {
		t.Fatal("not JSON")
	}
	r := check(t, text)
	if !r.Good() {
		t.Fatalf("%s\n%s", r.Text(), text)
	}
	if r.Totals.Total != 12 || r.Totals.Accepted != 8 || r.Totals.Unconfirmed != 2 || r.Totals.Failed["meta_131026"] != 1 || r.Totals.Suppressed["opted_out"] != 1 {
		t.Errorf("counted %+v", r.Totals)
	}
	if !r.Head.Final || r.Head.CampaignName != "ربيع & <spring>" || r.Blocks == 0 {
		t.Errorf("it says %+v, %d blocks", r.Head, r.Blocks)
	}
	for _, personal := range []string{"+966", "9665", "wamid", "First"} {
		if bytes.Contains(text, []byte(personal)) {
			t.Errorf("%q is in the certificate", personal)
		}
	}
	var entered string
	b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select detail ->> 'seal' from audit where action = 'certificate.issued'`).Scan(&entered)
	})
	if entered != r.Seal {
		t.Errorf("the audit holds the seal %q, the certificate %q", entered, r.Seal)
	}
	pretty := new(bytes.Buffer)
	if err := json.Indent(pretty, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	if r := check(t, pretty.Bytes()); !r.Good() {
		t.Errorf("spaces matter: %s", r.Text())
	}
}

func TestCertificateOfWhatThereIsNot(t *testing.T) {
	t.Parallel()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	out, err := issue(t, b, id.New[id.Campaign]())
	if !errs.Is(err, "not_found") || len(out) > 0 {
		t.Errorf("%v, %d bytes", err, len(out))
	}
	out, err = issue(t, b, b.Campaign(t, "Draft").ID)
	if !errs.Is(err, "campaign.not_launched") || len(out) > 0 {
		t.Errorf("%v, %d bytes", err, len(out))
	}
}

// Each kind of member, changed alone, is caught; so is what is added, taken out,
// moved, doubled or broken off.
func TestTamperedCertificatesAreCaught(t *testing.T) {
	t.Parallel()
	b, l := history(t, 12)
	whole, err := issue(t, b, l.CampaignID)
	if err != nil {
		t.Fatal(err)
	}
	if r := check(t, whole); !r.Good() {
		t.Fatal(r.Text())
	}
	members := map[string]bool{}
	for _, found := range regexp.MustCompile(`"([a-z_0-9]+)":`).FindAllSubmatch(whole, -1) {
		members[string(found[1])] = true
	}
	flipped := 0
	for name := range members {
		value := regexp.MustCompile(`"` + name + `":("[^"]*"|-?\d+|true|false)`)
		at := value.FindSubmatchIndex(whole)
		if at == nil {
			continue // an object or a list: its members are flipped
		}
		flipped++
		bad := string(whole[:at[2]]) + flip(string(whole[at[2]:at[3]])) + string(whole[at[3]:])
		if r := check(t, []byte(bad)); r.Good() {
			t.Errorf("%s: %s became %s and nobody saw it", name, whole[at[2]:at[3]], flip(string(whole[at[2]:at[3]])))
		}
	}
	if flipped < 35 {
		t.Errorf("only %d members were flipped", flipped)
	}
	lines := strings.Split(string(whole), "\n")
	for name, bad := range map[string]string{
		"a person taken out":         strings.Join(append(append([]string{}, lines[:5]...), lines[6:]...), "\n"),
		"a person doubled":           strings.Join(append(append([]string{}, lines[:6]...), lines[5:]...), "\n"),
		"two people changed places":  strings.Join(append(append([]string{}, lines[:5]...), append([]string{lines[6], lines[5]}, lines[7:]...)...), "\n"),
		"broken off":                 string(whole[:len(whole)*2/3]),
		"broken off before the seal": string(whole[:bytes.Index(whole, []byte(`,"seal"`))]),
		"something behind its end":   string(whole) + "{}",
		"a member that there is not": strings.Replace(string(whole), `{"accepted":`, `{"aaa":1,"accepted":`, 1),
		"a member twice":             strings.Replace(string(whole), `"state":"accepted"`, `"state":"failed","state":"accepted"`, 1),
		"another part":               strings.Replace(string(whole), `"totals"`, `"sums"`, 1),
		"empty":                      "", "no JSON": "certificate", "a list": "[]", "null": "null",
	} {
		if bad == string(whole) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if r := check(t, []byte(bad)); r.Good() {
			t.Errorf("%s: nobody saw it", name)
		}
	}
}

// flip changes a value into another of its kind.
func flip(v string) string {
	switch {
	case v == "true":
		return "false"
	case v == "false":
		return "true"
	case v[0] != '"':
		return v + "1"
	case v == `""`:
		return `"x"`
	}
	if when, err := time.Parse(time.RFC3339Nano, strings.Trim(v, `"`)); err == nil {
		return `"` + when.Add(time.Second).Format(time.RFC3339Nano) + `"`
	}
	last := byte('0')
	if v[len(v)-2] == '0' {
		last = '1'
	}
	return v[:len(v)-2] + string(last) + `"`
}

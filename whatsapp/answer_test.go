package whatsapp

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The answer parser is tested inside the package: only it can be handed a
// status, headers and a body without a connection.

var answerNow = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func answer(status int, body string) SendResult {
	return parseSendAnswer(status, http.Header{}, []byte(body), answerNow)
}

func TestSendAnswerFixtures(t *testing.T) {
	t.Parallel()
	ok := SendResult{Outcome: Accepted, Scope: ScopeMessage, HTTPStatus: 200, WAMID: "wamid.FIXTURE0001", WaID: "15550107777", Status: StatusAccepted}
	with := func(change func(*SendResult)) SendResult { r := ok; change(&r); return r }
	want := map[string]SendResult{
		"send_200_accepted":             ok,
		"send_200_no_status_field":      ok,
		"send_200_bsuid":                with(func(r *SendResult) { r.WaID, r.UserID = "", "US.90000000000000000001" }),
		"send_200_held":                 with(func(r *SendResult) { r.Status = StatusHeld }),
		"send_200_paused":               with(func(r *SendResult) { r.Status = StatusPaused }),
		"send_200_wa_id_differs_brazil": with(func(r *SendResult) { r.WaID = "551100000000" }),
	}
	refused := func(name string, code, status int, o Outcome, s Scope) {
		c := Classify(code)
		want["send_error_"+name] = SendResult{
			Outcome: o, Scope: s, Code: code, HasCode: true, HTTPStatus: status, Title: c.Title, FBTraceID: "TRACE" + strings.TrimSuffix(name, "ient_flag"),
		}
	}
	refused("130429", 130429, 400, RefusedForNow, ScopeNumber)
	refused("131031", 131031, 403, StopSending, ScopeWABA)
	refused("131042", 131042, 400, StopSending, ScopeWABA)
	refused("131048", 131048, 400, StopSending, ScopeNumber)
	refused("131056", 131056, 400, RefusedForNow, ScopeRecipient)
	refused("131057", 131057, 500, Unknown, ScopeNumber)
	refused("132000", 132000, 400, StopSending, ScopeCampaign)
	refused("132001", 132001, 404, StopSending, ScopeTemplate)
	refused("190", 190, 401, StopSending, ScopeWABA)
	refused("2", 2, 503, Unknown, ScopeMessage)
	refused("4", 4, 400, RefusedForNow, ScopeWABA)
	refused("80007", 80007, 400, RefusedForNow, ScopeWABA)
	refused("transient_flag", 1, 400, Unknown, ScopeMessage)
	flag := want["send_error_transient_flag"]
	flag.FBTraceID = "TRACE1"
	want["send_error_transient_flag"] = flag

	files, err := filepath.Glob("testdata/api/send_*.json")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d files, %d expectations, %v", len(files), len(want), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		w := want[name]
		if got := answer(w.HTTPStatus, string(raw)); got != w {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, w)
		}
	}
}

func TestSendAnswerOdd(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status  int
		body    string
		outcome Outcome
	}{
		"2xx empty":                    {200, ``, Unknown},
		"2xx not JSON":                 {200, `<html>`, Unknown},
		"2xx cut":                      {200, `{"messages":[{"id":"wam`, Unknown},
		"2xx no messages":              {200, `{"messaging_product":"whatsapp"}`, Unknown},
		"2xx empty list":               {200, `{"messages":[]}`, Unknown},
		"2xx no id":                    {200, `{"messages":[{}]}`, Unknown},
		"2xx id is an object":          {200, `{"messages":[{"id":{}}]}`, Unknown},
		"2xx with an error":            {200, `{"error":{"code":190}}`, Unknown},
		"201":                          {201, `{"messages":[{"id":"w"}]}`, Accepted},
		"two messages":                 {200, `{"messages":[{"id":"w"},{"id":"x"}]}`, Accepted},
		"contacts odd":                 {200, `{"contacts":7,"messages":[{"id":"w"}]}`, Accepted},
		"redirect":                     {307, ``, Unknown},
		"redirect with an error":       {302, `{"error":{"code":190}}`, Unknown},
		"304":                          {304, ``, Unknown},
		"HTML 502":                     {502, `<html>`, Unknown},
		"JSON 500 without code":        {500, `{"error":{"message":"x"}}`, Unknown},
		"500 with an unlisted code":    {500, `{"error":{"code":777777}}`, Unknown},
		"400 with an unlisted code":    {400, `{"error":{"code":777777}}`, RefusedForGood},
		"500 with a listed refusal":    {500, `{"error":{"code":3}}`, StopSending},
		"400 HTML":                     {400, `<html>`, Unknown},
		"429 HTML":                     {429, `slow down`, Unknown},
		"401 without code":             {401, `{}`, Unknown},
		"code 0":                       {401, `{"error":{"code":0}}`, StopSending},
		"code as text":                 {400, `{"error":{"code":"130429"}}`, RefusedForNow},
		"code null":                    {400, `{"error":{"code":null}}`, Unknown},
		"code nonsense":                {400, `{"error":{"code":"x"}}`, Unknown},
		"error is text":                {400, `{"error":"invalid"}`, Unknown},
		"130429 with 429":              {429, `{"error":{"code":130429}}`, RefusedForNow},
		"transient 2 without evidence": {503, `{"error":{"code":2,"is_transient":true}}`, Unknown},
	}
	for name, tc := range tests {
		got := answer(tc.status, tc.body)
		if got.Outcome != tc.outcome {
			t.Errorf("%s: %s", name, got.Outcome)
		}
		if (got.WAMID != "") != (got.Outcome == Accepted) {
			t.Errorf("%s: wamid and outcome disagree", name)
		}
	}
	if r := answer(400, `{"error":{"code":131050}}`); !r.OptOut || r.Outcome != RefusedForGood {
		t.Errorf("131050: %+v", r)
	}
	if r := answer(400, `{"error":{"code":100,"fbtrace_id":"a\nb +1555"}}`); r.FBTraceID != "" {
		t.Errorf("trace id kept: %q", r.FBTraceID)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		after, usage string
		want         time.Duration
	}{
		{"", "", 0}, {"7", "", 7 * time.Second}, {"-3", "", 0}, {"x", "", 0}, {"99999999999999", "", maxRetryAfter},
		{"Sun, 22 Nov 2026 12:01:30 GMT", "", 90 * time.Second}, {"Sun, 22 Nov 2026 11:00:00 GMT", "", 0},
		{"", `{"9":[{"type":"whatsapp","estimated_time_to_regain_access":12}]}`, 12 * time.Minute},
		{"30", `{"9":[{"estimated_time_to_regain_access":0}]}`, 30 * time.Second},
		{"", `{"9":[{"estimated_time_to_regain_access":1e300}]}`, maxRetryAfter}, {"", `{"9":7}`, 0}, {"", `broken`, 0},
	}
	for _, tc := range tests {
		h := http.Header{}
		h.Set("Retry-After", tc.after)
		h.Set("X-Business-Use-Case-Usage", tc.usage)
		if got := retryAfter(h, answerNow); got != tc.want {
			t.Errorf("%q %q: %v, want %v", tc.after, tc.usage, got, tc.want)
		}
	}
}

func FuzzParseSendAnswer(f *testing.F) {
	files, _ := filepath.Glob("testdata/api/*.json")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(200, raw)
		f.Add(400, raw)
	}
	f.Add(502, []byte("<html>"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		r := parseSendAnswer(status, http.Header{}, body, answerNow)
		switch r.Outcome {
		case Accepted:
			if r.WAMID == "" && !strings.Contains(string(body), `\u0000`) || status < 200 || status > 299 {
				t.Errorf("accepted with %d", status)
			}
		case RefusedForNow, RefusedForGood, StopSending:
			if !r.HasCode || status < 400 {
				t.Errorf("refused with %d and no code", status)
			}
		case Unknown:
		default:
			t.Errorf("outcome %q", r.Outcome)
		}
		if r.Scope == "" {
			t.Error("no scope")
		}
	})
}

func TestAnIdThatCannotBeStoredIsStillAnAcceptance(t *testing.T) {
	t.Parallel()
	got := answer(http.StatusOK, `{"messages":[{"id":"wamid.\u0000"}],"contacts":[{"wa_id":"1\u00002"}]}`)
	if got.Outcome != Accepted || got.WAMID != "" || got.WaID != "" {
		t.Errorf("read as %+v", got)
	}
	long := answer(http.StatusOK, `{"messages":[{"id":"`+strings.Repeat("w", longestID+1)+`"}],"contacts":[{"wa_id":"1"}]}`)
	if long.Outcome != Accepted || long.WAMID != "" || long.WaID != "1" {
		t.Errorf("a long id is read as %+v", long)
	}
	for _, body := range []string{`{"messages":[{"id":"wamid.1"}`, `{"messages":[{"id":"wamid.1"}]} x`} {
		if got := answer(http.StatusOK, body); got.Outcome != Unknown {
			t.Errorf("%q, which is not JSON, is %s", body, got.Outcome)
		}
	}
}

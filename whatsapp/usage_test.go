package whatsapp_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"time"

	"bareed/whatsapp"
)

// TestMeter: every call counts, also one that fails, and what the headers say of the
// budget is kept, on answers and on refusals.
func TestMeter(t *testing.T) {
	t.Parallel()
	answers := []func(http.ResponseWriter){
		func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"id":"1"}`)) },
		func(w http.ResponseWriter) {
			w.Header().Set("X-App-Usage", `{"call_count":28,"total_time":25,"total_cputime":31}`)
			_, _ = w.Write([]byte(`{"id":"1"}`))
		},
		func(w http.ResponseWriter) {
			w.Header().Set("X-Business-Use-Case-Usage", `{"900":[{"type":"whatsapp","call_count":100,"total_cputime":3,"total_time":3,"estimated_time_to_regain_access":12}]}`)
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":{"code":80007}}`))
		},
		func(w http.ResponseWriter) {
			w.Header().Set("X-App-Usage", `not JSON`)
			w.Header().Set("X-Business-Use-Case-Usage", `[7]`)
			_, _ = w.Write([]byte(`{"id":"1"}`))
		},
	}
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answers[n](w); n++ }))
	defer srv.Close()
	client, err := whatsapp.New(whatsapp.Config{BaseURL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var m whatsapp.Meter
	metered := client.Metered(&m)
	for i, want := range []whatsapp.Meter{{Calls: 1}, {Calls: 2, Percent: 31}, {Calls: 3, Percent: 100, Wait: 12 * time.Minute}, {Calls: 4, Percent: 100}} {
		_, _ = metered.GetWABA(t.Context(), "token", "900")
		if m != want {
			t.Errorf("call %d: %+v, want %+v", i+1, m, want)
		}
	}
	srv.Close()
	_, _ = metered.GetWABA(t.Context(), "token", "900")
	if m.Calls != 5 {
		t.Errorf("a call without an answer: %+v", m)
	}
}

// TestHealthReasons: why an entity is blocked, and what is said of a limited one.
func TestHealthReasons(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][]whatsapp.HealthReason{
		"phone_number_get_blocked.json":     {{Code: 131031, Description: "synthetic", Solution: "synthetic"}},
		"phone_number_get_red_limited.json": {{Description: "synthetic"}},
	} {
		raw, err := os.ReadFile("testdata/api/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var p whatsapp.PhoneNumber
		if err := p.UnmarshalJSON(raw); err != nil {
			t.Fatal(err)
		}
		var got []whatsapp.HealthReason
		for _, e := range p.Health.Entities {
			got = append(got, e.Reasons...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", file, got, want)
		}
	}
}

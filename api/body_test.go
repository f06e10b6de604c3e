package api_test

import (
	"net/http"
	"testing"

	"bareed/internal/fixture"
)

// TestBodyLeftOut: an action whose body has nothing that must be said takes
// none, whatever the client says of its type, and refuses none that is wrong.
func TestBodyLeftOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	campaign := "/v1/campaigns/" + fixture.Object(t, r.pool, r.vault, r.tenant, "campaign")
	fixture.Newest(t, r.pool, r.vault, r.tenant, true)
	for _, c := range []struct {
		name    string
		body    any
		changes []with
	}{
		{name: "nothing"},
		{name: "nothing, as JSON", changes: []with{header("Content-Type", "application/json")}},
		{name: "nothing, as a form", changes: []with{header("Content-Type", "application/x-www-form-urlencoded")}},
		{name: "an empty text", body: ""},
		{name: "an empty object", body: "{}"},
		{name: "a key", changes: []with{header("Idempotency-Key", "once-only")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.call(t, http.MethodPost, campaign+"/pause", nil).ok(t, 200)
			r.call(t, http.MethodPost, campaign+"/resume", c.body, c.changes...).ok(t, 200)
		})
	}
	r.call(t, http.MethodPost, campaign+"/resume", "{}", header("Content-Type", "text/plain")).refused(t, 415, "content_type")
	r.call(t, http.MethodPost, campaign+"/resume", `{"clear_hold":true}`).refused(t, 422, "json.unknown_field")
	r.call(t, http.MethodPost, campaign+"/pause", `{"x":1}`).refused(t, 422, "json.unknown_field")
	r.call(t, http.MethodPost, "/v1/campaigns", nil).refused(t, 400, "body.missing")
	r.call(t, http.MethodPost, campaign+"/stop", "").ok(t, 200)
	contact := "/v1/contacts/" + fixture.Object(t, r.pool, r.vault, r.tenant, "contact")
	r.call(t, http.MethodPost, contact+"/opt-out", nil).ok(t, 200)
	draft := "/v1/campaigns/" + fixture.Object(t, r.pool, r.vault, r.tenant, "campaign")
	r.call(t, http.MethodPost, draft+"/check", nil, header("Content-Type", "text/plain")).ok(t, 202)
}

package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/client"
	"bareed/consents"
	"bareed/internal/fixture"
	"bareed/whatsapp/codes"
)

// The table is whole, and in the caller's language.
func TestErrorCodes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, lang := range []string{"en", "ar"} {
		list := must(r.client(t, func(c *client.Config) { c.Language = lang }).GetErrorCodes(t.Context()))(t)
		if len(list) != len(codes.All(lang)) {
			t.Errorf("%s: %d codes, want %d", lang, len(list), len(codes.All(lang)))
		}
		for _, e := range list {
			if e.Code == 131042 && (e.Cause != codes.Tell(lang, 131042, false).Cause || e.Stop != "payment_problem" || e.Scope != "waba" || len(e.Planes) != 2) {
				t.Errorf("%s: %+v", lang, e)
			}
		}
	}
}

// Who could not be reached and writes can be messaged again, by every identity the
// message names; a message of Meta's own about them lifts nothing, and a stop word
// stops as ever.
func TestWritingLiftsUnreachable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i, c := range []struct {
		element string
		want    int
	}{
		{`{"from":"15550107777","id":"wamid.1","timestamp":"1763800000","type":"text","text":{"body":"hello"}}`, 0},
		{`{"from":"15550107777","id":"wamid.1","timestamp":"1763800000","type":"text","text":{"body":"STOP"}}`, 3},
		{`{"from":"15550107777","id":"wamid.1","timestamp":"1763800000","type":"system","system":{"body":"x"}}`, 3},
	} {
		m := newMailbox(t, r, fmt.Sprintf("97%010d", i))
		fixture.In(t, r.pool, m.Tenant.Workspace, func(tx pgx.Tx) error {
			return consents.SuppressUnreachable(t.Context(), tx, r.vault, m.Tenant.Workspace, [][]byte{r.vault.RecipientHash(m.person()[0])}, consents.Undeliverable)
		})
		m.post(t, inbound(m.prefix, c.element)).ok(t, http.StatusOK)
		phone := 0
		for _, what := range m.suppressed(t) {
			if what[:5] == "phone" {
				phone++
			}
		}
		if phone != c.want {
			t.Errorf("%s: suppressed for %d purposes, want %d", c.element, phone, c.want)
		}
	}
}

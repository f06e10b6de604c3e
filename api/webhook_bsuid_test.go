package api_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/contacts"
	"bareed/contacts/identity"
	"bareed/internal/fixture"
	"bareed/internal/id"
)

// TestStopByScopedIDAlone: a person who hides their number says STOP. Once it
// was learned whose id that is, the contact known by phone is opted out, and
// its phone suppressed.
func TestStopByScopedIDAlone(t *testing.T) {
	t.Parallel()
	m := newMailbox(t, newRig(t), "920000000001")
	const waID = "966501234567"
	bsuid := strings.TrimPrefix(m.person()[1], "b:")
	fixture.Import(t, m.pool, m.vault, m.Tenant, newAudience(t, m), "phone,opt_in,opt_in_at\n+"+waID+",yes,2026-01-01\n", agreed())
	fixture.In(t, m.pool, m.Tenant.Workspace, func(tx pgx.Tx) error {
		_, err := identity.Learn(t.Context(), tx, m.Tenant.Workspace, m.Number.Portfolio, []identity.Pair{{WaID: waID, BSUID: bsuid}})
		return err
	})
	granted := func() []string {
		return m.column(t, `select purpose || ':' || granted from permission order by 1`)
	}
	if got := granted(); !slices.Equal(got, []string{"marketing:true"}) {
		t.Fatalf("before: %v", got)
	}
	body := m.file(t, "inbound_text_bsuid_only.json")
	body = bytes.ReplaceAll(body, []byte(`"body": "hi"`), []byte(`"body": "STOP"`))
	if bytes.Contains(body, []byte(waID)) || !bytes.Contains(body, []byte("STOP")) || !bytes.Contains(body, []byte(bsuid)) {
		t.Fatalf("the body is not what it should be:\n%s", body)
	}
	m.post(t, body).ok(t, http.StatusOK)
	if got, want := granted(), []string{"authentication:false", "marketing:false", "utility:false"}; !slices.Equal(got, want) {
		t.Errorf("permissions %v, want %v", got, want)
	}
	got := m.column(t, `select purpose from suppression where recipient_hash = $1 and lifted_at is null order by 1`,
		m.vault.RecipientHash(contacts.RecipientKeyOfWaID(waID)))
	if want := []string{"authentication", "marketing", "utility"}; !slices.Equal(got, want) {
		t.Errorf("the phone is suppressed for %v, want %v", got, want)
	}
}

func newAudience(t *testing.T, m *mailbox) (a id.Audience) {
	t.Helper()
	fixture.In(t, m.pool, m.Tenant.Workspace, func(tx pgx.Tx) error {
		made, err := contacts.CreateAudience(t.Context(), tx, m.Tenant.Actor, "Everybody")
		a = made.ID
		return err
	})
	return a
}

func agreed() contacts.Settings {
	return contacts.Settings{Consent: &contacts.Declaration{Covers: contacts.ConsentRows, Purposes: []string{"marketing"},
		Method: "web_form", Source: "https://acme.example/join",
		Wording: &contacts.Wording{Version: "1", Text: "Acme may write to me on WhatsApp.", BusinessName: "Acme"}}}
}

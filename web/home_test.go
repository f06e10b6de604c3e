package web_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/consents"
	"bareed/internal/fixture"
)

// Who replied STOP is counted apart from those of whom a refusal was recorded by
// hand or came with a file.
func TestHomeCountsReplies(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	bc := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	people := bc.AddPeople(t, bc.Audience, 6)
	bc.Launch(t, "Spring")
	for i, method := range []string{consents.MethodKeyword, "phone_call", "import", "phone_call"} {
		bc.In(t, func(tx pgx.Tx) error {
			return consents.OptOut(t.Context(), tx, r.vault, r.tenant.Workspace, consents.OptOutRequest{Contact: people[i], Method: method,
				Source: "test", OccurredAt: time.Now(), Actor: "system:test"})
		})
	}
	b := r.as(t, accounts.Viewer)
	for lang, want := range map[string][]string{
		"en": {"Opted out in WhatsApp, 7 days", `<span class="figure">1</span>`, "3 more opt-outs were recorded in other ways"},
		"ar": {"ألغوا الاشتراك في واتساب", `<span class="figure">1</span>`, "وسُجّلت 3 إلغاءات بطرق أخرى"},
	} {
		r.speak(t, b, lang)
		look(t, "/", lang, b.get("/").has(t, 200, want...))
	}
}

package web_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/consents"
	"bareed/internal/fixture"
)

// The page of a person who cannot be reached says so, and does not say that they
// may be messaged.
func TestContactThatCannotBeReached(t *testing.T) {
	t.Parallel()
	r, _ := counted(t)
	desk := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	who := desk.AddPeople(t, desk.Audience, 1)[0]
	desk.In(t, func(tx pgx.Tx) error {
		var key string
		if err := tx.QueryRow(t.Context(), `select 'p:' || key from identity where contact_id = $1`, who).Scan(&key); err != nil {
			return err
		}
		hashes := [][]byte{r.vault.RecipientHash(key)}
		if err := consents.LeaveAlone(t.Context(), tx, desk.Workspace, hashes, []time.Time{time.Now()}); err != nil {
			return err
		}
		return consents.SuppressUnreachable(t.Context(), tx, r.vault, desk.Workspace, hashes, consents.Undeliverable)
	})
	b := r.as(t, accounts.Owner)
	for lang, want := range map[string][]string{
		"en": {"two messages did not arrive", "until they write to you", "agreed, not reachable", "Meta wants no marketing messages"},
		"ar": {"لم تصل رسالتان", "حتى يكتب إليك", "موافق ولا يمكن الوصول إليه", "لا تريد ميتا رسائل تسويقية"},
	} {
		b.post("/language", "language", lang, "back", "/").to(t, "/")
		b.get("/contacts/"+who.String()).has(t, 200, want...)
	}
}

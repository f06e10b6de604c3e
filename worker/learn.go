package worker

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/consents"
	"bareed/contacts/identity"
	"bareed/internal/id"
	"bareed/numbers"
	"bareed/whatsapp"
)

// learn keeps which phone and which business-scoped id a webhook names as one
// person, and lets a refusal by the one hold for the other from now on.
func (w *Worker) learn(ctx context.Context, tx pgx.Tx, ws id.Workspace, number id.Number, pairs []identity.Pair) error {
	if len(pairs) == 0 {
		return nil
	}
	n, err := numbers.Get(ctx, tx, ws, number)
	if err != nil {
		return err
	}
	learned, err := identity.Learn(ctx, tx, ws, n.Portfolio, pairs)
	if err != nil {
		return err
	}
	return consents.Joined(ctx, tx, w.Vault, ws, learned)
}

// pairsOf lists who is named in two ways. Meta's own messages about a change of
// number name the old and the new one together and are left out.
func pairsOf(m whatsapp.Messages) []identity.Pair {
	var pairs []identity.Pair
	add := func(waID, userID, username string) {
		if waID != "" && userID != "" || username != "" {
			pairs = append(pairs, identity.Pair{WaID: waID, BSUID: userID, Username: username})
		}
	}
	for _, in := range m.Inbound {
		if in.System != nil || in.Type == "system" {
			return nil
		}
		add(in.From, in.FromUserID, "")
	}
	for _, c := range m.Contacts {
		add(c.WaID, c.UserID, c.Username)
	}
	for _, st := range m.Statuses {
		add(st.RecipientID, st.RecipientUserID, "")
	}
	return pairs
}

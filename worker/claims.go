package worker

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
)

// claimAll claims for several slots of one workspace. A nil answer is a
// refusal, already settled in the ledger. After an error no slot may POST.
func (w *Worker) claimAll(ctx context.Context, ws id.Workspace, wants []messages.Want) ([]*messages.Claim, error) {
	claims, err := messages.ClaimAll(ctx, w.Pool, ws, w.Name, wants)
	if err != nil {
		return nil, err
	}
	byToken := make(map[[16]byte]*messages.Claim, len(claims))
	for i := range claims {
		byToken[claims[i].Token] = &claims[i]
	}
	out := make([]*messages.Claim, len(wants))
	var refused []id.Message
	for i, want := range wants {
		if out[i] = byToken[want.Token]; out[i] == nil {
			refused = append(refused, want.Message)
		}
	}
	if len(refused) == 0 {
		return out, nil
	}
	err = w.Pool.InLedger(ctx, ws, func(tx pgx.Tx) error { return messages.Refused(ctx, tx, ws, refused) })
	if err != nil {
		// The claims stand; the refused rows stay ready and are offered again.
		w.Log.Warn("settle refused claims", "error", err)
	}
	return out, nil
}

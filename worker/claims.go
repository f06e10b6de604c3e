package worker

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
)

// known is how far this process knows the ledger to have come.
func (w *Worker) known() (k messages.Known) {
	if w.Known != nil {
		k = w.Known()
	}
	return k
}

// claimAll claims for several slots of one workspace. A nil answer is a refusal.
// After an error no slot may POST. The refusals are settled afterwards: a claim
// is good for a quarter of a second, and must not wait for others' locks.
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
	w.pending.Go(func() {
		if _, err := w.refusals.ask(context.WithoutCancel(ctx), ws, refused); err != nil {
			// The rows stay ready and are offered again.
			w.Log.Warn("settle refused claims", "error", err)
		}
	})
	return out, nil
}

// settleAll settles the refused claims of several batches of one workspace.
func (w *Worker) settleAll(ctx context.Context, ws id.Workspace, refused [][]id.Message) ([]struct{}, error) {
	err := w.Pool.InLedger(ctx, ws, func(tx pgx.Tx) error { return messages.Refused(ctx, tx, ws, slices.Concat(refused...)) })
	return make([]struct{}, len(refused)), err
}

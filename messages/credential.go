package messages

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// TokenReplaced clears what held a WABA for its old access token, after Meta has
// accepted the new one: giving it is the review that those stops wait for. It
// belongs in the transaction that keeps the token.
func TokenReplaced(ctx context.Context, tx pgx.Tx, ws id.Workspace, waba id.WABA, by string) error {
	for _, reason := range []string{"token_invalid", "permission_missing"} {
		if _, err := ClearStops(ctx, tx, ws, Clearing{ScopeID: waba, Reason: reason, By: by}); err != nil {
			return err
		}
	}
	return nil
}

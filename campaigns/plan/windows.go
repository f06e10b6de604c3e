package plan

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/id"
	"bareed/internal/pg"
)

const sqlOpenWindows = `
select recipient_hash
from service_window
where workspace_id = $1
  and number_id = $2
  and recipient_hash = any ($3)
  and open_until > bareed_now()`

// OpenWindows tells, person by person, whether their service window with the
// number is open.
func OpenWindows(ctx context.Context, db pg.DB, v *accounts.Vault, ws id.Workspace, number id.Number, people []Person) ([]bool, error) {
	hashes := make([][]byte, len(people))
	for i, p := range people {
		hashes[i] = v.RecipientHash(p.recipientKey())
	}
	rows, err := db.Query(ctx, sqlOpenWindows, ws, number, hashes)
	if err != nil {
		return nil, fmt.Errorf("read the service windows: %w", err)
	}
	open := map[string]bool{}
	var hash []byte
	if _, err := pgx.ForEachRow(rows, []any{&hash}, func() error { open[string(hash)] = true; return nil }); err != nil {
		return nil, fmt.Errorf("read the service windows: %w", err)
	}
	list := make([]bool, len(people))
	for i := range people {
		list[i] = open[string(hashes[i])]
	}
	return list, nil
}

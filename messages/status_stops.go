package messages

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/whatsapp"
)

const sqlRunScopes = `
select campaign_id, template_id, number_id, waba_id, portfolio_id
from run
where workspace_id = $1
  and id = $2`

// stopOnFailures opens the stops that failed statuses call for, in their own
// transaction: an account locked or a template paused while messages were on
// their way must not cost the next ones.
func stopOnFailures(ctx context.Context, tx pgx.Tx, ws id.Workspace, moved []movedRow, by map[subject]*heard) error {
	type reached struct {
		run  id.Run
		code int
	}
	done := map[reached]bool{}
	for _, m := range moved {
		h := by[m.subject()]
		// 0 is a status that names no error; in an answer it would speak of the token.
		if !m.Failed || h == nil || h.code == 0 || done[reached{m.Run, h.code}] {
			continue
		}
		done[reached{m.Run, h.code}] = true
		class := whatsapp.ClassifyStatus(h.code)
		if class.Outcome != whatsapp.StopSending {
			continue
		}
		c := Claim{Message: h.message}
		err := tx.QueryRow(ctx, sqlRunScopes, ws, m.Run).Scan(&c.Campaign, &c.TemplateID, &c.Number, &c.WABA, &c.Portfolio)
		if err != nil {
			return fmt.Errorf("read the run's scopes: %w", err)
		}
		o, stops := StopForCode(class, h.code, c)
		if !stops {
			continue
		}
		o.By = "system:status"
		if _, err := OpenStop(ctx, tx, ws, o); err != nil {
			return err
		}
	}
	return nil
}

package scheduler

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"bareed/accounts/ledger"
)

// seal closes a block of the hash chain over each append-only ledger.
func (s *Scheduler) seal(ctx context.Context) error {
	var problems []error
	for _, name := range []string{"consent", "audit"} {
		err := s.Pool.InEngine(ctx, func(tx pgx.Tx) error { return ledger.Seal(ctx, tx, name) })
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

package scheduler

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
)

const sqlPartitions = `select ensure_partitions()`

// sqlForgetDeliveries: Meta repeats a webhook for seven days.
const sqlForgetDeliveries = `delete from delivery_seen where received_at < bareed_now() - interval '8 days'`

// housekeeping makes the partitions of the coming weeks and forgets webhook
// bodies that can no longer be repeated, failed sign-ins and stored answers.
func (s *Scheduler) housekeeping(ctx context.Context) error {
	err := s.Pool.InEngine(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlPartitions); err != nil {
			return fmt.Errorf("make partitions: %w", err)
		}
		if _, err := tx.Exec(ctx, sqlForgetDeliveries); err != nil {
			return fmt.Errorf("forget deliveries: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return accounts.Housekeep(ctx, s.Pool)
}

package scheduler

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/numbers/places"
)

const sqlPartitions = `select ensure_partitions()`

// sqlForgetDeliveries: Meta repeats a webhook for seven days.
const sqlForgetDeliveries = `delete from delivery_seen where received_at < bareed_now() - interval '8 days'`

// housekeeping makes the partitions of the coming weeks and forgets webhook
// bodies that can no longer be repeated, failed sign-ins and stored answers.
// Each stands alone: a new partition locks its table for as long as its
// transaction lasts, and what fails must not cost the rest.
func (s *Scheduler) housekeeping(ctx context.Context) error {
	return errors.Join(
		s.alone(ctx, "make partitions", sqlPartitions),
		s.alone(ctx, "forget deliveries", sqlForgetDeliveries),
		s.Pool.InEngine(ctx, func(tx pgx.Tx) error { return places.ForgetUse(ctx, tx) }),
		s.turns(ctx),
		accounts.Housekeep(ctx, s.Pool))
}

func (s *Scheduler) alone(ctx context.Context, what, sql string) error {
	err := s.Pool.InEngine(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

package pg

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
)

// All reads every row that a query finds. Its errors are wrapped with the action.
func All[T any](ctx context.Context, db DB, action string, scan pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	list, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	return list, nil
}

// One reads the one row that a query by a key finds; not_found when there is none.
func One[T any](ctx context.Context, db DB, action string, scan pgx.RowToFunc[T], sql string, args ...any) (one T, err error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return one, fmt.Errorf("%s: %w", action, err)
	}
	one, err = pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return one, errs.New("not_found")
	}
	if err != nil {
		return one, fmt.Errorf("%s: %w", action, err)
	}
	return one, nil
}

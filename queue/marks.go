package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"bareed/internal/id"
)

const (
	ledgerKey = "bareed:ledger"
	fedKey    = "bareed:fed:" // and the run
	// fedFor is how long Redis remembers how far a run was handed over.
	fedFor = 8 * 24 * time.Hour
)

// Marks is what Redis remembers of the ledger, for the case that PostgreSQL
// forgets it (messages/behind). It permits nothing; an emptied Redis has none.
type Marks struct{ rdb redis.Cmdable }

// NewMarks reads and writes them over rdb.
func NewMarks(rdb redis.Cmdable) Marks { return Marks{rdb} }

// Marks are those in the client's Redis.
func (c *Client) Marks() Marks { return Marks{c.rdb} }

// Ledger returns what SetLedger wrote last; "" is none.
func (m Marks) Ledger(ctx context.Context) (string, error) {
	v, err := m.rdb.Get(ctx, ledgerKey).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("read the ledger's mark: %w", err)
	}
	return v, nil
}

// SetLedger notes how far the ledger has come.
func (m Marks) SetLedger(ctx context.Context, v string) error {
	if err := m.rdb.Set(ctx, ledgerKey, v, 0).Err(); err != nil {
		return fmt.Errorf("set the ledger's mark: %w", err)
	}
	return nil
}

// raise never lowers: people in a service window are handed over before their turn.
const raise = `
local n = math.max(tonumber(ARGV[1]), tonumber(redis.call('get', KEYS[1]) or 0))
redis.call('set', KEYS[1], string.format('%d', n), 'ex', ARGV[2])
return n`

// SetFed notes that a run was handed over up to an ordinal, before any of it is.
func (m Marks) SetFed(ctx context.Context, run id.Run, upTo int32) error {
	if err := m.rdb.Eval(ctx, raise, []string{fedKey + run.String()}, upTo, int(fedFor.Seconds())).Err(); err != nil {
		return fmt.Errorf("note how far a run was fed: %w", err)
	}
	return nil
}

// Fed returns what SetFed noted, or 0.
func (m Marks) Fed(ctx context.Context, run id.Run) (int32, error) {
	n, err := m.rdb.Get(ctx, fedKey+run.String()).Int()
	if err != nil && !errors.Is(err, redis.Nil) {
		return 0, fmt.Errorf("read how far a run was fed: %w", err)
	}
	return int32(n), nil
}

package limits

import (
	"context"
	"time"
)

// TakeRaw is Take before its answer is translated to this machine's clock: for
// the oracle, which judges on the Redis clock.
func (l *Limiter) TakeRaw(ctx context.Context, a Ask) (granted bool, reasonCode string, instant, now int64, err error) {
	v, err := l.take(ctx, a)
	return v.code == codeGranted, reason(v.code), v.instant, v.now, err
}

// PairSpacing, Margin and BulkMargin are the constants under test.
const (
	PairSpacing = pairSpacing
	Margin      = margin
	BulkMargin  = bulkMargin
	FirstDelay  = firstDelay
)

// Translate runs the translation between the clocks once.
func Translate(base time.Time) func(instant, now int64, before, after time.Time) time.Time {
	c := &redisClock{base: base}
	return c.local
}

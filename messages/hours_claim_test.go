package messages_test

import "testing"

// Between the hours nothing is claimed, whichever clock closes them: the run's,
// or that of the person's own zone.
func TestNothingIsClaimedOutsideHours(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql  string
		want int
	}{
		"no hours":                 {`select`, 2},
		"the run's are open":       {`update run set closes_at = bareed_now() + interval '1 minute'`, 2},
		"the run's are over":       {`update run set closes_at = bareed_now() - interval '1 second'`, 0},
		"one person's are over":    {`update message set closes_at = bareed_now() + interval '1 minute' * case ordinal when 1 then -1 else 1 end`, 1},
		"one person's are not yet": {`update message set not_before = bareed_now() + interval '1 minute' where ordinal = 1`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, 2)
			l.exec(c.sql)
			if got := l.claim(1, 2); len(got) != c.want {
				t.Errorf("%d claims, want %d", len(got), c.want)
			}
		})
	}
}

package messages_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/messages"
)

// In a run by everybody's own zone the look of every tick costs what is out, not
// everybody who still waits for their time; it finds what is out all the same.
func TestBacklogOfARunByOwnTimeReadsNoWholeRun(t *testing.T) {
	t.Parallel()
	const rest = 20_000
	l := newLedger(t, 3)
	l.exec(`insert into message (workspace_id, run_id, ordinal, contact_id, recipient_key, recipient_hash, address, state, not_before, feed_after)
		select $1, $2, i, gen_random_uuid(), 'p:' || i, '\x00', '', 'ready', x.at, x.at
		from generate_series(4, $3::int) i
		cross join lateral (select bareed_now() + interval '1 hour' * case when i % 2 = 0 then 5 else -1 end as at) x`, l.ws, l.run, rest)
	l.exec(`update run set recipient_time = true, planned = $2, fed = $2 where id = $1`, l.run, rest)
	l.exec(`update message set not_before = bareed_now() - interval '1 minute', feed_after = bareed_now() + interval '50 seconds' where ordinal <= 2`)  // handed over
	l.exec(`update message set not_before = bareed_now() + interval '50 seconds', feed_after = bareed_now() + interval '50 seconds' where ordinal = 3`) // refused for now
	var read int
	err := l.pool.InLedger(t.Context(), l.ws, func(tx pgx.Tx) error {
		b, open, err := messages.ReadBacklog(t.Context(), tx, l.ws, l.run)
		if err != nil {
			return err
		}
		if !open || b.Waiting != 2 {
			t.Errorf("open %v, %d out; want 2", open, b.Waiting)
		}
		return tx.QueryRow(t.Context(), `select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) from pg_stat_xact_user_tables where relname like 'message\_2%'`).Scan(&read)
	})
	if err != nil {
		t.Fatal(err)
	}
	if read == 0 || read > 1000 {
		t.Errorf("%d rows were read of a run of %d", read, rest)
	}
}

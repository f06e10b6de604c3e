package messages_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/messages"
)

// An open service window stands in for a place under the limit, and for the
// opt-in of a reply alone; in its last minute it may be over on arrival, so it
// no longer counts. It never outweighs a refusal.
func TestServiceWindowInTheClaim(t *testing.T) {
	t.Parallel()
	const reply, noOptIn = `update run set kind = 'reply'`, `delete from permission`
	const noPlace = `update portfolio set messaging_limit = 250`
	refusal := `insert into suppression (workspace_id, recipient_hash, purpose, key_version, reason)
		select workspace_id, recipient_hash, 'marketing', 1, 'opted_out' from message`
	for _, tt := range []struct {
		name string
		left time.Duration // of the window; 0: none
		do   []string
		want int
	}{
		{"a reply", 2 * time.Minute, []string{reply, noOptIn}, 1},
		{"a reply in the last minute", 50 * time.Second, []string{reply, noOptIn}, 0},
		{"a reply without a window", 0, []string{reply, noOptIn}, 0},
		{"a reply to who refused", 2 * time.Minute, []string{reply, noOptIn, refusal}, 0},
		{"a campaign to who never agreed", 2 * time.Minute, []string{noOptIn}, 0},
		{"a campaign without a place", 2 * time.Minute, []string{noPlace}, 1},
		{"a campaign without a place in the last minute", 50 * time.Second, []string{noPlace}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, 1)
			if tt.left > 0 {
				l.exec(`insert into service_window (workspace_id, number_id, recipient_hash, open_until)
					select workspace_id, $1, recipient_hash, bareed_now() + $2::interval from message`, l.number, tt.left)
			}
			for _, sql := range tt.do {
				l.exec(sql)
			}
			if got := l.claim(1); len(got) != tt.want {
				t.Errorf("%d claims, want %d", len(got), tt.want)
			}
		})
	}
}

// What may not be claimed yet is not offered, however long ago it was last.
func TestReturnedMessageIsOfferedWhenItMayBeClaimed(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 2)
	l.exec(`update message set feed_after = bareed_now() - interval '1 second',
		not_before = bareed_now() + case ordinal when 1 then interval '1 minute' else interval '-1 second' end`)
	l.in(func(tx pgx.Tx) error {
		list, _, err := messages.Candidates(t.Context(), tx, l.ws, l.run, messages.Backlog{Planned: 2, Fed: 2}, 10)
		if len(list) != 1 || list[0].Ordinal != 2 {
			t.Errorf("offered %+v, want the second alone", list)
		}
		return err
	})
}

package numbers

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// Window is how long a person's message leaves a service window open.
type Window struct {
	Recipient []byte // keyed hash of the recipient key
	WrittenAt time.Time
}

// sqlOpenWindows: 24 hours from the message, never from a time that is still to
// come, and never shorter than it already is.
const sqlOpenWindows = `
insert into service_window (workspace_id, number_id, recipient_hash, open_until)
select $1, $2, w.recipient, max(least(w.written, bareed_now())) + interval '24 hours'
from unnest($3::bytea[], $4::timestamptz[]) as w(recipient, written)
group by w.recipient
order by w.recipient
on conflict (workspace_id, number_id, recipient_hash) do update
set open_until = greatest(service_window.open_until, excluded.open_until)`

// OpenWindows opens or lengthens the windows in which people who wrote to the
// number may be answered freely (24 hours, Meta's customer service window).
func OpenWindows(ctx context.Context, tx pgx.Tx, ws id.Workspace, number id.Number, windows []Window) error {
	if len(windows) == 0 {
		return nil
	}
	slices.SortFunc(windows, func(a, b Window) int { return bytes.Compare(a.Recipient, b.Recipient) })
	recipients, written := make([][]byte, len(windows)), make([]time.Time, len(windows))
	for i, w := range windows {
		recipients[i], written[i] = w.Recipient, w.WrittenAt
	}
	if _, err := tx.Exec(ctx, sqlOpenWindows, ws, number, recipients, written); err != nil {
		return fmt.Errorf("open service windows: %w", err)
	}
	return nil
}

// sqlCloseWindows leaves a window that a later message opened.
const sqlCloseWindows = `
update service_window w
set open_until = least(w.open_until, bareed_now())
from (
    select r.recipient, max(r.refused) as refused
    from unnest($3::bytea[], $4::timestamptz[]) as r(recipient, refused)
    group by r.recipient
    order by r.recipient) x
where w.workspace_id = $1
  and w.number_id = $2
  and w.recipient_hash = x.recipient
  and w.open_until <= x.refused + interval '24 hours'`

// CloseWindows closes the windows of which Meta said, at WrittenAt, that they are
// not open (131047), whatever we counted.
func CloseWindows(ctx context.Context, tx pgx.Tx, ws id.Workspace, number id.Number, refused []Window) error {
	recipients, at := make([][]byte, len(refused)), make([]time.Time, len(refused))
	for i, w := range refused {
		recipients[i], at[i] = w.Recipient, w.WrittenAt
	}
	if _, err := tx.Exec(ctx, sqlCloseWindows, ws, number, recipients, at); err != nil {
		return fmt.Errorf("close service windows: %w", err)
	}
	return nil
}

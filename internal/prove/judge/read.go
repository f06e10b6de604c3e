//go:build unix

package judge

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Tables are what the product's tables claim.
type Tables struct {
	Messages  []Message
	OptOuts   []OptOut
	Uncertain int // attempts whose answer never came
}

// Message is one message as the product's table has it.
type Message struct {
	Run       string // 32 hexadecimal digits
	Ordinal   int32
	Address   string
	State     string
	Reason    string
	Delivered bool
	Read      bool
}

// OptOut is somebody who may not be messaged; At is when that was committed, by
// PostgreSQL's own time, nil when it does not know.
type OptOut struct {
	Address string
	At      *time.Time
}

// Read reads the tables as the superuser.
func Read(ctx context.Context, admin *pgxpool.Pool) (t Tables, err error) {
	if t.Messages, err = readMessages(ctx, admin); err != nil {
		return t, fmt.Errorf("read the messages: %w", err)
	}
	if t.OptOuts, err = readOptOuts(ctx, admin); err != nil {
		return t, fmt.Errorf("read the opt-outs: %w", err)
	}
	if err := admin.QueryRow(ctx, sqlUncertain).Scan(&t.Uncertain); err != nil {
		return t, fmt.Errorf("read the attempts: %w", err)
	}
	return t, nil
}

const sqlMessages = `
select run_id, ordinal, address, state, coalesce(reason, ''), delivered_at is not null, read_at is not null
from message`

func readMessages(ctx context.Context, admin *pgxpool.Pool) ([]Message, error) {
	rows, err := admin.Query(ctx, sqlMessages)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Message, err error) {
		var run [16]byte
		err = row.Scan(&run, &m.Ordinal, &m.Address, &m.State, &m.Reason, &m.Delivered, &m.Read)
		m.Run = hex.EncodeToString(run[:])
		return m, err
	})
}

const sqlOptOuts = `
select distinct on (m.contact_id) m.address, pg_xact_commit_timestamp(p.xmin)
from permission p
join message m on m.workspace_id = p.workspace_id and m.contact_id = p.contact_id
where p.purpose = 'marketing'
  and not p.granted`

func readOptOuts(ctx context.Context, admin *pgxpool.Pool) ([]OptOut, error) {
	rows, err := admin.Query(ctx, sqlOptOuts)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[OptOut])
}

const sqlUncertain = `
select count(*)
from message_attempt
where outcome in ('unknown', 'expired')`

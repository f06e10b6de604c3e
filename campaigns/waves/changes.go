package waves

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/breaker"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// RuleChange is the last change of one setting; absent values: nothing was, or is, set.
type RuleChange struct {
	Was    any       `json:"was,omitempty"`
	Became any       `json:"became,omitempty"`
	By     string    `json:"by" doc:"usr_… or key_…"`
	At     time.Time `json:"at"`
}

const sqlChanges = `
select name, was, became, changed_by, changed_at
from breaker_change
where workspace_id = $1
  and subject_id = $2`

// readChanges reads the last change of each setting of a subject.
func readChanges(ctx context.Context, db pg.DB, ws id.Workspace, subject [16]byte) (map[string]RuleChange, error) {
	rows, err := db.Query(ctx, sqlChanges, ws, subject)
	if err != nil {
		return nil, fmt.Errorf("read who changed the breaker's settings: %w", err)
	}
	all := map[string]RuleChange{}
	var name string
	var was, became []byte
	var c RuleChange
	_, err = pgx.ForEachRow(rows, []any{&name, &was, &became, &c.By, &c.At}, func() error {
		c.Was, c.Became = value(was), value(became)
		all[name] = c
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read who changed the breaker's settings: %w", err)
	}
	return all, nil
}

// value is a setting as it was written; nil: none.
func value(b []byte) (v any) {
	if b == nil || json.Unmarshal(b, &v) != nil {
		return nil
	}
	return v
}

const sqlNoteChanges = `
insert into breaker_change (workspace_id, subject_id, name, was, became, changed_by)
select $1, $2, x.name, x.was::jsonb, x.became::jsonb, $6
from unnest($3::text[], $4::text[], $5::text[]) as x(name, was, became)
on conflict (workspace_id, subject_id, name) do update
set was = excluded.was, became = excluded.became, changed_by = excluded.changed_by, changed_at = bareed_now()`

// noteChanges keeps who changed which setting, in the change's own transaction.
func noteChanges(ctx context.Context, tx pgx.Tx, a accounts.Actor, subject [16]byte, was, became breaker.Thresholds) error {
	old, err := parts(was)
	if err != nil {
		return err
	}
	now, err := parts(became)
	if err != nil {
		return err
	}
	both := maps.Clone(old)
	maps.Copy(both, now)
	var names []string
	var from, to []*string
	for _, name := range slices.Sorted(maps.Keys(both)) {
		if bytes.Equal(old[name], now[name]) {
			continue
		}
		names, from, to = append(names, name), append(from, text(old[name])), append(to, text(now[name]))
	}
	if len(names) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlNoteChanges, a.Workspace, subject, names, from, to, a.String()); err != nil {
		return fmt.Errorf("note who changed the breaker's settings: %w", err)
	}
	return nil
}

// parts is what is set, by name.
func parts(s breaker.Thresholds) (map[string]json.RawMessage, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("write the breaker's settings: %w", err)
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("read the breaker's settings: %w", err)
	}
	return all, nil
}

func text(b json.RawMessage) *string {
	if b == nil {
		return nil
	}
	s := string(b)
	return &s
}

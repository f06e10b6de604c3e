package templates

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/numbers"
	"bareed/whatsapp"
)

const sqlOfWABA = sqlColumns + `
  and waba_id = $2
order by id
for update`

// sqlKeep also settles two pollers that both found a new template.
const sqlKeep = `
insert into template (workspace_id, id, waba_id, meta_template_id, name, language, category, status, quality,
    parameter_format, components, components_hash, next_category, next_category_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict (workspace_id, waba_id, name, language) do update
set meta_template_id = excluded.meta_template_id,
    category = excluded.category,
    status = excluded.status,
    quality = excluded.quality,
    parameter_format = excluded.parameter_format,
    components = excluded.components,
    components_hash = excluded.components_hash,
    next_category = excluded.next_category,
    next_category_at = excluded.next_category_at,
    synced_at = bareed_now(),
    gone_at = null`

const sqlSeen = `
update template
set synced_at = bareed_now()
where workspace_id = $1
  and waba_id = $2
  and gone_at is null`

// ApplyList brings the mirror of a WABA up to its complete list at Meta, keeps
// every difference as history and returns the differences. A template that is
// no longer listed may not be sent. New templates are no change.
func ApplyList(ctx context.Context, tx pgx.Tx, ws id.Workspace, waba id.WABA, list []whatsapp.Template) ([]numbers.Change, error) {
	known, err := ofWABA(ctx, tx, ws, waba)
	if err != nil {
		return nil, err
	}
	var changes []numbers.Change
	var batch pgx.Batch
	for _, m := range list {
		key := m.Name + "\x00" + m.Language
		old, ok := known[key]
		delete(known, key)
		t, more := diff(old, m)
		if !ok {
			t.ID, more = id.New[id.Template](), nil
		}
		changes = append(changes, more...)
		if ok && len(more) == 0 && old.GoneAt == nil && old.MetaID == t.MetaID && bytes.Equal(old.Hash, t.Hash) {
			continue // the same: its synced_at moves with all others
		}
		batch.Queue(sqlKeep, ws, t.ID, waba, t.MetaID, t.Name, t.Language, t.Category, t.Status, t.Quality,
			t.ParameterFormat, t.Components, t.Hash, t.NextCategory, t.NextCategoryAt)
	}
	changes = append(changes, queueGone(&batch, ws, known)...)
	batch.Queue(sqlSeen, ws, waba)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, fmt.Errorf("keep the templates: %w", err)
	}
	return numbers.Record(ctx, tx, ws, numbers.FromPoll, changes)
}

func ofWABA(ctx context.Context, tx pgx.Tx, ws id.Workspace, waba id.WABA) (map[string]Template, error) {
	list, err := pg.All(ctx, tx, "read the WABA's templates", pgx.RowToStructByName[Template], sqlOfWABA, ws, waba)
	if err != nil {
		return nil, err
	}
	known := make(map[string]Template, len(list))
	for _, t := range list {
		known[t.Name+"\x00"+t.Language] = t
	}
	return known, nil
}

// diff gives the template as Meta now describes it, and what changed of it.
func diff(old Template, m whatsapp.Template) (Template, []numbers.Change) {
	t := old
	t.MetaID, t.Name, t.Language = m.ID, m.Name, m.Language
	var changes []numbers.Change
	set(&changes, old.ID, numbers.Status, &t.Status, strings.ToUpper(m.Status))
	set(&changes, old.ID, numbers.Category, &t.Category, strings.ToUpper(m.Category))
	changes = append(changes, t.announced(strings.ToUpper(m.CorrectCategory), time.Time{})...)
	set(&changes, old.ID, numbers.Quality, &t.Quality, strings.ToUpper(m.Quality))
	if t.Quality == "" {
		t.Quality = "UNKNOWN"
	}
	if m.ParameterFormat != "" || t.ParameterFormat == "" {
		t.ParameterFormat = "POSITIONAL"
		if strings.EqualFold(m.ParameterFormat, "NAMED") {
			t.ParameterFormat = "NAMED"
		}
	}
	components := m.Components
	if len(components) == 0 {
		components = json.RawMessage("[]")
	}
	hash := Hash(components)
	unread := len(old.Hash) == 0 && bytes.Equal(hash, Hash(old.Components)) // told as new, and it is not
	if !bytes.Equal(hash, old.Hash) && !unread {
		changes = append(changes, numbers.OfTemplate(old.ID, numbers.Components, short(old.Hash), short(hash)))
	}
	t.Components, t.Hash = components, hash
	return t, changes
}

const sqlKeepHealth = `
update template
set health = $3, health_at = bareed_now()
where workspace_id = $1
  and id = $2`

// ApplyHealth keeps Meta's answer to "can this template be sent" and returns what
// changed; the caller opens the stops it calls for.
func ApplyHealth(ctx context.Context, tx pgx.Tx, ws id.Workspace, template id.Template, h whatsapp.Health) ([]numbers.Change, error) {
	if h.CanSend == "" {
		return nil, nil
	}
	t, err := Get(ctx, tx, ws, template)
	if err != nil {
		return nil, err
	}
	row := numbers.ReadHealth(h)
	raw, err := json.Marshal(row)
	if err != nil {
		return nil, fmt.Errorf("write the template's health: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlKeepHealth, ws, template, raw); err != nil {
		return nil, fmt.Errorf("keep the template's health: %w", err)
	}
	was, is := numbers.StoredHealth(t.Health).Entities["MESSAGE_TEMPLATE"], row.Entities["MESSAGE_TEMPLATE"]
	if is == "" || was == is || was == "" && is == "AVAILABLE" {
		return nil, nil // a number's or an account's health is told by the number
	}
	return numbers.Record(ctx, tx, ws, numbers.FromPoll, []numbers.Change{numbers.OfTemplate(template, numbers.Health, was, is)})
}

// short is enough of a hash to tell two contents apart.
func short(hash []byte) string { return hex.EncodeToString(hash[:min(len(hash), 8)]) }

const sqlGone = `
update template
set status = $3, gone_at = bareed_now(), synced_at = bareed_now()
where workspace_id = $1
  and id = $2`

// queueGone marks what Meta's list lacks.
func queueGone(batch *pgx.Batch, ws id.Workspace, left map[string]Template) []numbers.Change {
	var changes []numbers.Change
	for _, t := range left {
		if t.GoneAt != nil {
			continue
		}
		if t.Status != numbers.NotListed {
			changes = append(changes, numbers.OfTemplate(t.ID, numbers.Status, t.Status, numbers.NotListed))
		}
		batch.Queue(sqlGone, ws, t.ID, numbers.NotListed)
	}
	return changes
}

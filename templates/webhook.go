package templates

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/numbers"
	"bareed/whatsapp"
)

// stale is how much older than our last poll a webhook must be to say nothing new.
const stale = 5 * time.Minute

// ApplyWebhook applies what a webhook says about a template, keeps it as
// history and returns it. A template we do not have yet is left to the next
// poll; so is new content, of which the webhook has only a part.
func ApplyWebhook(ctx context.Context, tx pgx.Tx, r numbers.Route, c whatsapp.Change) ([]numbers.Change, error) {
	ref, ok := refOf(c.Value)
	if !ok {
		return nil, nil
	}
	t, ok, err := find(ctx, tx, r, ref)
	if err != nil || !ok {
		return nil, err
	}
	if !c.EntryTime.IsZero() && c.EntryTime.Before(t.SyncedAt.Add(-stale)) {
		return nil, nil
	}
	var changes []numbers.Change
	switch v := c.Value.(type) {
	case whatsapp.TemplateStatus:
		set(&changes, t.ID, numbers.Status, &t.Status, statusAfter(v.Event))
	case whatsapp.TemplateQuality:
		set(&changes, t.ID, numbers.Quality, &t.Quality, v.New)
	case whatsapp.TemplateCategory:
		changes = applyCategory(&t, v)
	case whatsapp.TemplateComponents:
		changes = applyComponents(&t, v)
	}
	if len(changes) == 0 {
		return nil, nil
	}
	if err := keep(ctx, tx, r, t); err != nil {
		return nil, err
	}
	return numbers.Record(ctx, tx, r.Workspace, numbers.FromWebhook, changes)
}

func refOf(v whatsapp.Value) (whatsapp.TemplateRef, bool) {
	switch t := v.(type) {
	case whatsapp.TemplateStatus:
		return t.TemplateRef, true
	case whatsapp.TemplateQuality:
		return t.TemplateRef, true
	case whatsapp.TemplateCategory:
		return t.TemplateRef, true
	case whatsapp.TemplateComponents:
		return t.TemplateRef, true
	default:
		return whatsapp.TemplateRef{}, false
	}
}

const sqlFind = sqlColumns + `
  and waba_id = $2
  and (meta_template_id = $3 or (name = $4 and language = $5))
order by meta_template_id = $3 desc
limit 1
for update`

func find(ctx context.Context, tx pgx.Tx, r numbers.Route, ref whatsapp.TemplateRef) (Template, bool, error) {
	return one(tx.Query(ctx, sqlFind, r.Workspace, r.WABA, ref.ID, ref.Name, ref.Language))
}

// statusAfter is the status an event leaves a template in; "" for one that says
// nothing sure, where the next poll decides.
func statusAfter(event string) string {
	switch event {
	case "REINSTATED":
		return Approved
	case "UNARCHIVED":
		return ""
	default:
		return event
	}
}

// applyCategory: an announced category is only told; the present one is valid
// until Meta says that it moved.
func applyCategory(t *Template, v whatsapp.TemplateCategory) []numbers.Change {
	if v.Impending {
		return t.announced(v.To, v.At)
	}
	var changes []numbers.Change
	set(&changes, t.ID, numbers.Category, &t.Category, v.Current)
	t.announced("", time.Time{})
	return changes
}

// announced notes which category Meta says will come, and when if it says so.
// The same announcement again is no change; one that has come, or that is left
// out once the category is the announced one, is forgotten.
func (t *Template) announced(category string, at time.Time) []numbers.Change {
	switch {
	case category == "" && t.NextCategory != t.Category, category != "" && category == t.NextCategory && at.IsZero():
		return nil
	case category == "", category == t.Category:
		t.NextCategory, t.NextCategoryAt = "", nil
		return nil
	}
	again := category == t.NextCategory && t.NextCategoryAt != nil && t.NextCategoryAt.Equal(at)
	t.NextCategory, t.NextCategoryAt = category, nil
	if !at.IsZero() {
		t.NextCategoryAt = &at
	}
	if again {
		return nil
	}
	c := numbers.OfTemplate(t.ID, numbers.NextCategory, t.Category, category)
	c.Until = at
	return []numbers.Change{c}
}

// applyComponents compares the texts the webhook carries with ours. Where they
// differ the mirror is out of date: the time of the last poll is forgotten, so
// that the next one reads the list, and so is the hash, so that no campaign takes
// the old content for the present one.
func applyComponents(t *Template, v whatsapp.TemplateComponents) []numbers.Change {
	s := read(*t)
	if len(t.Hash) == 0 || s.header == v.Header && s.body == v.Body && s.footer == v.Footer {
		return nil
	}
	was := short(t.Hash)
	t.SyncedAt, t.Hash = time.Time{}, []byte{}
	return []numbers.Change{numbers.OfTemplate(t.ID, numbers.Components, was, "new")}
}

const sqlKeepWebhook = `
update template
set status = $3, quality = $4, category = $5, components_hash = $7, next_category = $8, next_category_at = $9,
    synced_at = case when $6 then 'epoch' else synced_at end
where workspace_id = $1
  and id = $2`

func keep(ctx context.Context, tx pgx.Tx, r numbers.Route, t Template) error {
	_, err := tx.Exec(ctx, sqlKeepWebhook, r.Workspace, t.ID, t.Status, t.Quality, t.Category, t.SyncedAt.IsZero(),
		t.Hash, t.NextCategory, t.NextCategoryAt)
	if err != nil {
		return fmt.Errorf("keep the template: %w", err)
	}
	return nil
}

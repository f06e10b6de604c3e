package numbers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/whatsapp"
)

// HealthRow is how number.health keeps Meta's answer to "can this send": by
// entity type (PHONE_NUMBER, WABA, BUSINESS, APP), AVAILABLE, LIMITED or
// BLOCKED, with the error codes Meta gave as reasons.
type HealthRow struct {
	CanSend  string            `json:"can_send,omitempty"`
	Entities map[string]string `json:"entities,omitempty"`
	Codes    []int             `json:"codes,omitempty"`
	Reasons  []HealthReason    `json:"reasons,omitempty"`
}

// HealthReason is what Meta says about an entity that is not AVAILABLE, in its own
// English: of a BLOCKED one with the code and what to do.
type HealthReason struct {
	Entity      string `json:"entity"`
	Code        int    `json:"code,omitempty"`
	Description string `json:"description,omitempty"`
	Solution    string `json:"solution,omitempty"`
}

// maxReasons is how many of Meta's reasons are kept.
const maxReasons = 10

// ReadHealth is Meta's answer as it is kept.
func ReadHealth(h whatsapp.Health) HealthRow {
	row := HealthRow{CanSend: h.CanSend}
	for _, e := range h.Entities {
		if row.Entities == nil {
			row.Entities = map[string]string{}
		}
		row.Entities[e.Type] = worse(row.Entities[e.Type], e.CanSend)
		row.Codes = append(row.Codes, e.Codes...)
		for _, r := range e.Reasons {
			if len(row.Reasons) < maxReasons {
				row.Reasons = append(row.Reasons, HealthReason{e.Type, r.Code, r.Description, r.Solution})
			}
		}
	}
	slices.Sort(row.Codes)
	row.Codes = slices.Compact(row.Codes)
	return row
}

// Of is the health of one kind of entity, such as PHONE_NUMBER; the overall one
// when Meta did not name it.
func (h HealthRow) Of(entity string) string {
	if own, ok := h.Entities[entity]; ok {
		return own
	}
	return h.CanSend
}

// waba is the health of the account together with the app that speaks for it.
func (h HealthRow) waba() string { return worse(h.Entities["WABA"], h.Entities["APP"]) }

func worse(a, b string) string {
	rank := map[string]int{"": 0, "AVAILABLE": 1, "LIMITED": 2, "BLOCKED": 3}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// StoredHealth reads what number.health or template.health keeps.
func StoredHealth(raw json.RawMessage) HealthRow {
	var h HealthRow
	_ = json.Unmarshal(raw, &h) // an unreadable one counts as unknown
	return h
}

// diffShared compares the health of the WABA and its portfolio, which every
// number of it reports, once.
func diffShared(waba id.WABA, portfolio id.Portfolio, before, now HealthRow) []Change {
	var changes []Change
	if was, is := before.waba(), now.waba(); is != "" && was != is && (was != "" || is != "AVAILABLE") {
		changes = append(changes, OfWABA(waba, Health, was, is))
	}
	was, is := before.Entities["BUSINESS"], now.Entities["BUSINESS"]
	if is != "" && was != is && (was != "" || is != "AVAILABLE") {
		changes = append(changes, OfPortfolio(portfolio, Health, was, is))
	}
	return changes
}

// merge takes the worse of both, entity by entity.
func (h HealthRow) merge(other HealthRow) HealthRow {
	out := HealthRow{CanSend: worse(h.CanSend, other.CanSend), Entities: maps.Clone(h.Entities)}
	if out.Entities == nil {
		out.Entities = map[string]string{}
	}
	for k, v := range other.Entities {
		out.Entities[k] = worse(out.Entities[k], v)
	}
	return out
}

// takeHealth puts what Meta answered in the place of what was known, and tells what
// became of the number itself. An answer without health changes nothing.
func (n *Number) takeHealth(h whatsapp.Health) []Change {
	was, now := StoredHealth(n.Health).Of("PHONE_NUMBER"), ReadHealth(h)
	is := now.Of("PHONE_NUMBER")
	if is == "" {
		return nil
	}
	n.Health, _ = json.Marshal(now) // strings, numbers: cannot fail
	if was == is || was == "" && is == "AVAILABLE" {
		return nil
	}
	return []Change{OfNumber(n.ID, Health, was, is)}
}

const sqlKeepHealth = `
update number
set health = $3, health_at = bareed_now()
where workspace_id = $1
  and id = $2`

// ApplyHealth keeps Meta's answer to "can this number send" when it was asked for
// that alone, before a check or a firing, and returns what changed; the caller
// opens the stops it calls for.
func ApplyHealth(ctx context.Context, tx pgx.Tx, ws id.Workspace, of Number, h whatsapp.Health) ([]Change, error) {
	all, err := ofWABA(ctx, tx, ws, of.WABA)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(all, func(n Number) bool { return n.ID == of.ID })
	if at < 0 {
		return nil, errs.New("not_found")
	}
	if h.CanSend == "" {
		return nil, nil
	}
	n := all[at]
	before := StoredHealth(n.Health)
	changes := append(n.takeHealth(h), diffShared(n.WABA, n.Portfolio, before, ReadHealth(h))...)
	if _, err := tx.Exec(ctx, sqlKeepHealth, ws, n.ID, n.Health); err != nil {
		return nil, fmt.Errorf("keep the number's health: %w", err)
	}
	return Record(ctx, tx, ws, FromPoll, changes)
}
